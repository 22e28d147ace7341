import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { awsPython, local } from './aws-python.ts';
import { byteCode } from './venv.ts';

/** Where Python finds the package `semantics`. */
export const localAws = import.meta.dirname;
const root = dirname(localAws);
export const REGION = 'us-east-1';

export type LocalAws = {
  /** `http://127.0.0.1:<port>`, where every AWS service answers. */
  readonly endpoint: string;
  /**
   * What to spread into a child's environment (endpoint, credentials, region, no profile) for it to use this
   * AWS.
   */
  readonly env: Readonly<Record<string, string>>;
  /** The log of the process, for people. */
  readonly logFile: string;
  /** Ends it with everything it started. May be called twice. */
  stop(): Promise<void>;
};

export type StartOptions = {
  /** Default: a free one. */
  readonly port?: number;
  /** Seconds of its clock in one of ours; default 1. */
  readonly speed?: number;
  /** Check signatures and evaluate IAM policies, as AWS does; default true. */
  readonly auth?: boolean;
  /** Invocations of all functions at a time; default: what the machine bears, 1000 at most. */
  readonly concurrency?: number;
  /** SageMaker endpoints to begin with; see `nameEndpoints`. */
  readonly endpoints?: Readonly<Record<string, string>>;
  /** Additions to leave out; for the tests of the additions. */
  readonly without?: readonly string[];
  /** Go on when this process has ended; `stop` of aws.ts ends it. */
  readonly detached?: boolean;
  readonly log?: (line: string) => void;
};

/**
 * Starts a local AWS on the loopback interface and waits until it answers.
 * It ends with `stop()` or with this process, however that ends. Throws with the end of its log if it does
 * not come up.
 */
export async function startAws(options: StartOptions = {}): Promise<LocalAws> {
  const log = options.log ?? (() => {});
  const python = await awsPython(log);
  const port = options.port ?? (await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  if (await answers(endpoint))
    throw new Error(`Port ${port} is taken: a local AWS runs there already, or something else does.`);

  const base = join(local, 'aws');
  await mkdir(base, { recursive: true });
  const clock = clockEnv(options.speed ?? 1);
  const dir = await mkdtemp(join(base, `${port}-`));
  // Functions are unpacked outside the checkout: its packages and its package.json must not be theirs.
  const tmp = await mkdtemp(join(tmpdir(), 'models-aws-'));
  const logFile = join(dir, 'log.txt');
  const output = openSync(logFile, 'a');
  const child = spawn(python, ['-m', 'semantics'], {
    cwd: dir,
    // Its own process group: it and its Lambda processes can then be ended together.
    detached: true,
    stdio: ['pipe', output, output],
    env: { ...serverEnv(port, dir, tmp, options), ...clock },
  });
  closeSync(output);
  let ended = false;
  const end = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  }).then(() => {
    ended = true;
  });
  // Neither the process nor the pipe may keep ours alive.
  child.unref();
  child.stdin?.on('error', () => {});
  (child.stdin as { unref?(): void } | null)?.unref?.();

  const stop = async (): Promise<void> => {
    child.ref();
    killGroup(child.pid);
    await end;
    for (const folder of [tmp, dir]) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadline = Date.now() + 60_000;
  while (!(await answers(endpoint))) {
    if (!ended && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const why = ended ? 'ended at once' : 'did not answer within 60 s';
    const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-15).join('\n');
    await stop();
    throw new Error(`Local AWS ${why} on port ${port}. The end of its log:\n${tail}`);
  }
  if (options.endpoints) await nameEndpoints(endpoint, options.endpoints);
  if (options.detached) child.stdin?.write('stay\n');
  return { endpoint, env: { ...clientEnv(endpoint), ...preloaded(clock) }, logFile, stop };
}

/**
 * Gives the local AWS at `endpoint` SageMaker endpoints: by name, the URL of what runs as its container. Its
 * `/invocations` is asked: `{"churn-prod": "http://127.0.0.1:3000/models/churn"}` leads to a model of `sls
 * models serve`.
 */
export async function nameEndpoints(
  endpoint: string,
  endpoints: Readonly<Record<string, string>>,
): Promise<void> {
  const body = JSON.stringify(endpoints);
  const answer = await fetch(`${endpoint}/_local-aws/endpoints`, { method: 'PUT', body });
  if (!answer.ok) throw new Error(`The local AWS took no endpoints: HTTP ${answer.status}.`);
}

/** Environment for a process that shall use the local AWS at `endpoint`, whatever profile its user has. */
export function clientEnv(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SESSION_TOKEN: '',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_PROFILE: '',
    AWS_CONFIG_FILE: join(local, 'aws', 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(local, 'aws', 'no-credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

type Clock = { readonly MODELS_AWS_SPEED: string; readonly MODELS_AWS_EPOCH: string };

/** The accelerated clock starts now. */
function clockEnv(speed: number): Clock {
  return { MODELS_AWS_SPEED: String(speed), MODELS_AWS_EPOCH: String(Date.now()) };
}

/**
 * Node processes that get the client environment run by the same clock, so that their view of deadlines and
 * metrics fits. They write down what their SDK clients ask, where `MODELS_AWS_CALLS` of this process names a
 * folder.
 */
function preloaded(clock: Clock): Record<string, string> {
  const { MODELS_AWS_CALLS: calls } = process.env;
  const isFast = clock.MODELS_AWS_SPEED !== '1';
  const files = [...(isFast ? ['clock.mjs'] : []), ...(calls ? ['calls/record.mjs'] : [])];
  if (files.length === 0) return {};
  const imports = files.map((file) => `--import ${pathToFileURL(join(localAws, 'semantics', file))}`);
  return {
    ...(isFast ? clock : {}),
    ...(calls ? { MODELS_AWS_CALLS: calls } : {}),
    NODE_OPTIONS: imports.join(' '),
  };
}

function serverEnv(port: number, dir: string, tmp: string, options: StartOptions): Record<string, string> {
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
    PYTHONPATH: localAws,
    PYTHONPYCACHEPREFIX: byteCode,
    PYTHONUNBUFFERED: '1',
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    MINISTACK_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AUTH: String(options.auth ?? true),
    LAMBDA_EXECUTOR: 'local',
    ...(options.concurrency === undefined ? {} : { LAMBDA_ACCOUNT_CONCURRENCY: String(options.concurrency) }),
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    // No Docker is asked for, whatever the machine has.
    DOCKER_HOST: 'unix:///nonexistent',
    MODELS_AWS_ROOT: root,
    MODELS_AWS_NODE: process.execPath,
    MODELS_AWS_WITHOUT: (options.without ?? []).join(','),
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
