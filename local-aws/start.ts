import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { awsPython, local } from './aws-python.ts';
import { startEmulator } from './process.ts';

/** Where Python finds the package `semantics`. */
export const localAws = import.meta.dirname;
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
  /** How an image becomes the root of its process; default: the first of them that works here, `plain` is none. */
  readonly room?: 'bwrap' | 'unshare' | 'plain';
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
  const clock = clockEnv(options.speed ?? 1);
  const python = await awsPython(options.log ?? (() => {}));
  const env = ({ port }: { readonly port: number }) => ({ ...serverEnv(port, options), ...clock });
  const running = await startEmulator({ module: 'semantics', python, env, patience: 60_000 }, options.port);
  const { endpoint, logFile, stop } = running;
  if (options.endpoints) await nameEndpoints(endpoint, options.endpoints);
  if (options.detached) running.stay();
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
 * metrics fits.
 */
function preloaded(clock: Clock): Record<string, string> {
  const isFast = clock.MODELS_AWS_SPEED !== '1';
  return { ...(isFast ? clock : {}), ...recorded(isFast ? ['clock.mjs'] : []) };
}

/**
 * Node processes that get this write down what their SDK clients ask, where `MODELS_AWS_CALLS` of this
 * process names a folder.
 * @param before preloaded in any case, of `semantics/`
 */
export function recorded(before: readonly string[] = []): Record<string, string> {
  const { MODELS_AWS_CALLS: calls } = process.env;
  const files = [...before, ...(calls ? ['calls/record.mjs'] : [])];
  if (files.length === 0) return {};
  const imports = files.map((file) => `--import ${pathToFileURL(join(localAws, 'semantics', file))}`);
  return { ...(calls ? { MODELS_AWS_CALLS: calls } : {}), NODE_OPTIONS: imports.join(' ') };
}

export function serverEnv(port: number, options: StartOptions): Record<string, string> {
  return {
    PYTHONPATH: localAws,
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    MINISTACK_REGION: REGION,
    AUTH: String(options.auth ?? true),
    LAMBDA_EXECUTOR: 'local',
    ...(options.concurrency === undefined ? {} : { LAMBDA_ACCOUNT_CONCURRENCY: String(options.concurrency) }),
    SFTP_ENABLED: '0',
    IOT_MTLS_ENABLED: '0',
    MODELS_AWS_WITHOUT: (options.without ?? []).join(','),
    MODELS_AWS_ROOM: options.room ?? '',
  };
}
