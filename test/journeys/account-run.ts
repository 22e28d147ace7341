/** `npm run account` as a process of its own, against a local AWS. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalAws } from '../../local-aws/start.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export type AccountRun = {
  readonly child: ChildProcess;
  /** What it has printed so far, both streams. */
  readonly text: () => string;
  /** Its exit code; the signal's name where one ended it. */
  readonly ended: Promise<number | string>;
};

export function accountRun(env: LocalAws['env'], ...args: readonly string[]): AccountRun {
  const child = spawn(process.execPath, [join(root, 'test', 'account.ts'), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1));
  });
  return { child, text: () => text, ended };
}
