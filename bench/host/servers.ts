/** The servers that are compared, each with two processes that compute: this plugin’s host, and its peers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostConfig } from '../../core/host/contract.ts';
import { type Venv, venvPython } from '../../local-aws/venv.ts';
import { HOST_FILES, writeHost } from '../../plugins/models/ship/host-program.ts';
import { lambdaEnvironment, WORK } from '../children.ts';
import { INPUTS, type ModelName } from '../events.ts';
import { original, runtime, shipped } from '../stage.ts';

export const WORKERS = 2;

/** The same request for every server: JSON, each number with every digit. */
export function bodyOf(model: ModelName): string {
  const { name, shape, datatype, data } = INPUTS[model];
  return JSON.stringify({ inputs: [{ name, shape, datatype, data: Array.from<number>(data) }] });
}

/** The path of an inference, at every one of them. */
export const pathOf = (model: ModelName): string => `/v2/models/${model}/infer`;

export type PeerName = 'mlserver' | 'bentoml' | 'fastapi';

export type Running = { readonly port: number; readonly stop: () => Promise<void> };

/** Milliseconds until a server must answer. */
const START_MS = 120_000;

const PEERS: Readonly<
  Record<PeerName, Pick<Venv, 'announce' | 'most'> & { readonly packages: readonly string[] }>
> = {
  mlserver: {
    packages: ['mlserver', 'onnxruntime'],
    // As its own metadata say.
    most: [3, 12],
    announce: 'MLServer for the bench: installing into .local/venv-bench-mlserver (a minute) …',
  },
  bentoml: {
    packages: ['bentoml', 'onnxruntime'],
    announce: 'BentoML for the bench: installing into .local/venv-bench-bentoml (a minute) …',
  },
  fastapi: {
    packages: ['fastapi', 'uvicorn', 'uvloop', 'httptools', 'orjson', 'onnxruntime'],
    announce: 'FastAPI for the bench: installing into .local/venv-bench-fastapi (a minute) …',
  },
};
export const PEER_NAMES = Object.keys(PEERS) as PeerName[];

const pythonOf = (name: PeerName): Promise<string> =>
  venvPython({
    name: `venv-bench-${name}`,
    requirements: join(import.meta.dirname, name, 'requirements.txt'),
    least: [3, 11],
    who: 'The bench of the host',
    log: (line) => console.error(line),
    ...PEERS[name],
  });

/** This plugin’s host, as an image starts it. */
export async function startHost(model: ModelName): Promise<Running> {
  const { dir, facts } = await shipped(model);
  const folder = await mkdtemp(join(tmpdir(), 'bench-host-'));
  await writeHost(folder, '');
  const { identity, opset, signature } = facts;
  const entry = { name: model, function: model, identity, opset, signature, auth: 'none' as const };
  const config: HostConfig = {
    schema: 1,
    address: '127.0.0.1',
    port: 0,
    drain: 0,
    catalog: {
      ...{ schema: 1, service: 'bench', version: '1', runtime: '1' },
      groups: [{ path: '/', auth: 'none', models: [entry], bare: model }],
    },
    models: [
      {
        name: model,
        handler: join(dir, 'handler.mjs'),
        version: '1',
        timeout: 30,
        workers: WORKERS,
        environment: lambdaEnvironment(dir, {
          NODE_PATH: await runtime(),
          AWS_LAMBDA_FUNCTION_NAME: model,
        }),
      },
    ],
  };
  const file = join(folder, 'host.json');
  await writeFile(file, JSON.stringify(config));
  const port = await freePort();
  const env = { PATH: process.env.PATH ?? '', MODELS_HOST: file, PORT: String(port) };
  const program = process.execPath;
  const args = [join(folder, HOST_FILES.host)];
  return started({ program, args, cwd: folder, env, port, model, own: folder });
}

/** @returns a server of another’s, from PyPI, with the same file */
export async function startPeer(name: PeerName, model: ModelName): Promise<Running> {
  const python = await pythonOf(name);
  const port = await freePort();
  const own = join(import.meta.dirname, name);
  const { PATH = '', HOME = '' } = process.env;
  const bin = join(python, '..');
  const MODEL = await original(model);
  const NAME = model;
  const env = {
    // As with us.
    ORT_DISABLE_TELEMETRY: '1',
    PATH: `${bin}:${PATH}`,
    HOME,
    MODEL,
    NAME,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONPATH: own,
  };
  switch (name) {
    case 'fastapi': {
      const args = ['app:app', '--host', '127.0.0.1', '--port', `${port}`, '--workers', `${WORKERS}`];
      const quiet = ['--no-access-log', '--log-level', 'warning'];
      return started({
        program: join(bin, 'uvicorn'),
        args: [...args, ...quiet],
        cwd: own,
        env,
        port,
        model,
      });
    }
    case 'bentoml': {
      const home = join(WORK, 'bentoml');
      await mkdir(home, { recursive: true });
      const args = ['serve', 'service:Served', '--host', '127.0.0.1', '--port', `${port}`];
      // It sends nothing.
      const quiet = { BENTOML_DO_NOT_TRACK: 'True', BENTOML_HOME: home };
      return started({
        ...{ program: join(bin, 'bentoml'), args: [...args, '--quiet'], cwd: own },
        ...{ env: { ...env, ...quiet }, port, model },
      });
    }
    case 'mlserver': {
      const folder = await mkdtemp(join(tmpdir(), 'bench-mlserver-'));
      const settings = {
        ...{
          host: '127.0.0.1',
          http_port: port,
          grpc_port: await freePort(),
          metrics_port: await freePort(),
        },
        ...{ parallel_workers: WORKERS, debug: false, use_structured_logging: false, logging_settings: null },
      };
      await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
      const parameters = { uri: MODEL };
      await writeFile(
        join(folder, 'model-settings.json'),
        JSON.stringify({ name: model, implementation: 'runtime.Onnx', parameters }),
      );
      const program = join(bin, 'mlserver');
      return started({ program, args: ['start', folder], cwd: folder, env, port, model, own: folder });
    }
  }
}

/** Versions of what a peer is made of. */
export async function versionsOf(name: PeerName): Promise<string> {
  const python = await pythonOf(name);
  const script =
    'import sys; from importlib.metadata import version; print(", ".join(f"{n} {version(n)}" for n in sys.argv[1:]))';
  const child = spawn(python, ['-c', script, ...PEERS[name].packages], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  return text.trim();
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) endGroup(child, 'SIGKILL');
});

/** Its workers are in its group. */
function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

type Start = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly model: ModelName;
  /** A folder that is removed at its end. */
  readonly own?: string;
};

async function started({ program, args, cwd, env, port, model, own }: Start): Promise<Running> {
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000);
    });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    endGroup(child, 'SIGTERM');
    await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
    endGroup(child, 'SIGKILL');
    running.delete(child);
    if (own !== undefined) await rm(own, { recursive: true, force: true });
  };
  const end = Date.now() + START_MS;
  for (;;) {
    if (await answers(port, model)) return { port, stop };
    if (child.exitCode !== null || Date.now() > end) {
      await stop();
      throw new Error(`${program} does not answer:\n${output}`);
    }
    await sleep(200);
  }
}

/** The same for all: its health may be good before its model is there. */
async function answers(port: number, model: ModelName): Promise<boolean> {
  const headers = { 'content-type': 'application/json' };
  const sent = { method: 'POST', headers, body: bodyOf(model), signal: AbortSignal.timeout(5000) };
  return fetch(`http://127.0.0.1:${port}${pathOf(model)}`, sent).then(
    ({ ok }) => ok,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
