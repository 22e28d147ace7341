/** moto, which keeps what SageMaker is told and starts no container. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { venvPython } from '../../../local-aws/venv.ts';

const START_MS = 60_000;

/** @returns the interpreter of moto’s environment, which is made first where it is missing or outdated */
export const motoPython = (): Promise<string> =>
  venvPython({
    name: 'venv-moto',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    least: [3, 11],
    who: 'The soak of SageMaker',
    announce: 'moto: installing into .local/venv-moto (about 320 MB, a minute) …',
    log: (line) => console.error(line),
  });

/** @returns its address, and what ends it */
export async function startMoto(python: string) {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: 'ignore',
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  const end = Date.now() + START_MS;
  while (
    !(await fetch(`${address}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > end || child.exitCode !== null) throw new Error('moto does not start');
    await sleep(200);
  }
  return { address, stop };
}
