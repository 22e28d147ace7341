import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

/** It stands for MLflow: it tells who it is, and never ends. */
const SERVER = `#!/bin/sh
echo $$ > "$STANDS/pid.part"
mv "$STANDS/pid.part" "$STANDS/pid"
exec sleep 1000
`;
const STARTER = `
const { writeSync } = await import('node:fs');
const { exitBySignals } = await import('./test/exit-by-signals.ts');
const { startMlflow } = await import('./test/soak/mlflow/server.ts');
exitBySignals(() => {
  writeSync(1, 'removes\\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  writeSync(1, 'last\\n');
});
await startMlflow(process.env.STANDS + '/server', process.env.STANDS);
`;

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('what leads a group of its own ends with a soak or bench that a signal ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'by-signals-'));
  try {
    await writeFile(join(folder, 'server'), SERVER, { mode: 0o755 });
    const env = { ...process.env, STANDS: folder };
    const child = spawn(process.execPath, ['--input-type=module', '-e', STARTER], { cwd: root, env });
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      // A terminal sends Ctrl-C to it, and `npm run` passes its own on.
      if (told === 'removes\n') child.kill('SIGTERM');
    });
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
    let pid = 0;
    while (pid === 0 && child.exitCode === null) {
      pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '0'));
      await sleep(20);
    }
    child.kill('SIGTERM');
    expect(await ended).toEqual([130, null]);
    expect([pid > 0, told]).toEqual([true, 'removes\nlast\n']);
    while (isAlive(pid)) await sleep(20);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
