import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Environment, forked, type Started } from './forked.ts';
import { byteCode, local } from './venv.ts';

export type Place = {
  readonly port: number;
  /** For what it keeps on disk; its own, goes when it ends. */
  readonly dir: string;
  /** For temporary files; its own, goes when it ends. */
  readonly tmp: string;
};

export type Emulator = {
  /** The Python module that is run. */
  readonly module: string;
  /** Absolute path of the interpreter. */
  readonly python: string;
  env(place: Place): Readonly<Record<string, string>>;
  /** How long it may take until it answers, in ms. */
  readonly patience: number;
};

export type Running = {
  /** `http://127.0.0.1:<port>`, where every AWS service answers. */
  readonly endpoint: string;
  /** The log of the process, for people. */
  readonly logFile: string;
  /** It goes on when this process has ended. */
  stay(): void;
  /** Ends it with everything it started. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts an emulator on the loopback interface and waits until it answers. It ends with `stop()` or with this
 * process, however that ends. Throws with the end of its log if it does not come up.
 * @param wanted default: a free one
 */
export async function startEmulator(emulator: Emulator, wanted?: number): Promise<Running> {
  const port = wanted ?? (await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  if (await answers(endpoint))
    throw new Error(`Port ${port} is taken: a local AWS runs there already, or something else does.`);

  const base = join(local, 'aws');
  await mkdir(base, { recursive: true });
  const dir = await mkdtemp(join(base, `${port}-`));
  // Functions are unpacked outside the checkout: its packages and its package.json must not be theirs.
  const tmp = await mkdtemp(join(tmpdir(), 'models-aws-'));
  const logFile = join(dir, 'log.txt');
  const { module, python } = emulator;
  const env = { ...common({ port, dir, tmp }), ...emulator.env({ port, dir, tmp }) };
  const started =
    (await forked(module, { env, cwd: dir, log: logFile })) ?? spawned(python, module, env, dir, logFile);
  let ended = false;
  const end = started.end.then(() => {
    ended = true;
  });

  const stop = async (): Promise<void> => {
    started.ref();
    killGroup(started.pid);
    await end;
    for (const folder of [tmp, dir]) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadline = Date.now() + emulator.patience;
  while (!(await answers(endpoint))) {
    if (!ended && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const why = ended ? 'ended at once' : `did not answer within ${emulator.patience / 1000} s`;
    const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-15).join('\n');
    await stop();
    throw new Error(`Local AWS ${why} on port ${port}. The end of its log:\n${tail}`);
  }
  return { endpoint, logFile, stay: () => started.write('stay\n'), stop };
}

/** A process of its own process group: it and its Lambda processes can be ended together. */
function spawned(python: string, module: string, env: Environment, dir: string, logFile: string): Started {
  const output = openSync(logFile, 'a');
  const child = spawn(python, ['-m', module], {
    cwd: dir,
    detached: true,
    stdio: ['pipe', output, output],
    env,
  });
  closeSync(output);
  const end = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  // Neither the process nor the pipe may keep ours alive.
  child.unref();
  child.stdin?.on('error', () => {});
  (child.stdin as { unref?(): void } | null)?.unref?.();
  return { pid: child.pid, end, ref: () => child.ref(), write: (text) => void child.stdin?.write(text) };
}

/** What every emulator of ours is given, and nothing of the starter's own environment but this. */
export function common({ dir, tmp }: Place): Record<string, string> {
  const kept = Object.fromEntries(
    ['HOME', 'LANG', 'LC_ALL', 'TZ', 'SystemRoot'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return {
    ...kept,
    PATH: [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    TMPDIR: tmp,
    // What functions consist of is shared with other local AWSs where the starter has a folder for it.
    MODELS_AWS_CODE: process.env.MODELS_AWS_CODE ?? join(tmp, 'code'),
    MODELS_AWS_DIR: dir,
    PYTHONPYCACHEPREFIX: byteCode,
    PYTHONUNBUFFERED: '1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    // No Docker is asked for, whatever the machine has.
    DOCKER_HOST: 'unix:///nonexistent',
    MODELS_AWS_ROOT: dirname(import.meta.dirname),
    MODELS_AWS_NODE: process.execPath,
    MODELS_AWS_CALLS: process.env.MODELS_AWS_CALLS ?? '',
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It had ended.
  }
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/_local-aws`, { signal: AbortSignal.timeout(2000) })
    .then((answer) => answer.json())
    .then(
      (body: unknown) => typeof body === 'object' && body !== null && 'pid' in body,
      () => false,
    );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no free port')),
      );
    });
  });
}
