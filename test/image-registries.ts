/** The registry of Docker, as a process of its own on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endsWithUs } from './ends-with-us.ts';

export async function dockerRegistry(
  at: string,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  await mkdir(at, { recursive: true });
  const file = join(at, 'config.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${join(at, 'data')}}}`;
  await writeFile(file, `version: 0.1\n${storage}\nhttp: {addr: "127.0.0.1:0"}\n`);
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  endsWithUs(child, () => child.kill('SIGKILL'));
  const port = await new Promise<number>((resolve, reject) => {
    let heard = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
        const [, found] = /listening on 127\.0\.0\.1:(\d+)/.exec(heard) ?? [];
        if (found !== undefined) resolve(Number(found));
      });
    child.once('close', () => reject(new Error(heard)));
  });
  return { child, port };
}
