import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Forks, startForks } from '../../../local-aws/forks.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

const linux = process.platform === 'linux';

/** Starts a local AWS with one busy function in a process of its own. */
const STARTER = `
import { startAws } from '${join(localAws, 'start.ts')}';
import { invoke, makeFunction } from '${join(import.meta.dirname, '..', 'lambda.ts')}';
const aws = await startAws();
await makeFunction(aws, { name: 'busy', code: 'export const handler = async ({ forever }) => { while (forever); };', timeout: 900 });
await invoke(aws, 'busy');
void invoke(aws, 'busy', { forever: true }).catch(() => {});
const { pid } = await (await fetch(aws.endpoint + '/_local-aws')).json();
setTimeout(() => console.log(JSON.stringify({ pid, logFile: aws.logFile, port: Number(new URL(aws.endpoint).port) })), 300);
setInterval(() => {}, 1000);
`;

type Started = { readonly pid: number; readonly logFile: string; readonly port: number };

const ways = {
  'of a process of its own': '',
  'of a fork': await mkdtemp(join(tmpdir(), 'models-forks-')),
};
let forks: Forks;
beforeAll(async () => {
  forks = await startForks(ways['of a fork']);
  await forks.listens();
});
afterAll(async () => {
  await forks.end();
  await rm(forks.folder, { recursive: true, force: true });
});

/** @param from the folder of a process to fork from; empty: none */
async function start(from = ''): Promise<{ started: Started; kill(signal: NodeJS.Signals): Promise<void> }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', STARTER], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MODELS_AWS_FORKS: from },
  });
  const started = await new Promise<Started>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(JSON.parse(text));
    });
    child.on('exit', (code) => reject(new Error(`starter ended with ${code}`)));
  });
  return {
    started,
    kill: (signal) =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill(signal);
      }),
  };
}

/** Process ids of a process group. */
async function group(id: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,pgid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, stat]) => Number(pgid) === id && !stat?.startsWith('Z'))
    .map(([pid]) => Number(pid));
}

describe('a local AWS', () => {
  const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;
  const cases = Object.entries(ways).flatMap(([way, from]) =>
    signals.map((signal) => ({ way, from, signal })),
  );
  for (const { way, from, signal } of linux ? cases : cases.filter(({ from }) => from === ''))
    it(`leaves no process and no file ${way} when its starter gets ${signal}`, async () => {
      const { started, kill } = await start(from);
      const command = await readFile(`/proc/${started.pid}/cmdline`, 'utf8').catch(() => '');
      expect(command.includes('semantics.forks')).toBe(from !== '');
      // Itself, and the busy function's two environments at most.
      expect((await group(started.pid)).length).toBeGreaterThanOrEqual(2);
      await kill(signal);
      await expect.poll(() => group(started.pid), { interval: 100 }).toEqual([]);
      expect(existsSync(dirname(started.logFile))).toBe(false);
    });

  it.runIf(linux)('listens on the loopback interface only', async () => {
    const { started, kill } = await start();
    try {
      const { stdout } = await promisify(execFile)('cat', [
        `/proc/${started.pid}/net/tcp`,
        `/proc/${started.pid}/net/tcp6`,
      ]);
      const port = started.port.toString(16).toUpperCase().padStart(4, '0');
      const listening = stdout
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, address, , state]) => state === '0A' && address?.endsWith(`:${port}`));
      expect(listening.map(([, address]) => address)).toEqual([`0100007F:${port}`]);
    } finally {
      await kill('SIGTERM');
    }
  });

  it('narrows every listening address to the loopback interface', async () => {
    const script = `
import socket
from semantics import loopback
loopback.install()
for family, address in ((socket.AF_INET, ("0.0.0.0", 0)), (socket.AF_INET, ("", 0)), (socket.AF_INET6, ("::", 0))):
    with socket.socket(family) as s:
        s.bind(address)
        print(s.getsockname()[0])
`;
    const { stdout } = await promisify(execFile)('python3', ['-c', script], {
      env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
    });
    expect(stdout.trim().split('\n')).toEqual(['127.0.0.1', '127.0.0.1', '::1']);
  });
});
