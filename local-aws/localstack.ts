import { join } from 'node:path';
import { startEmulator } from './process.ts';
import { clientEnv, type LocalAws, localAws, recorded } from './start.ts';
import { venvPython } from './venv.ts';

/** Where Python finds the package `additions`. */
const folder = join(localAws, 'localstack');

export type LocalStackOptions = {
  /** Default: a free one. */
  readonly port?: number;
  /** Additions to leave out. */
  readonly without?: readonly string[];
  /** Go on when this process has ended; `stop` of aws.ts ends it. */
  readonly detached?: boolean;
  readonly log?: (line: string) => void;
};

/** The Python of `.local/venv-localstack`, made on first use. Throws with what to do when it cannot be made. */
export function localStackPython(log: (line: string) => void): Promise<string> {
  return venvPython({
    name: 'venv-localstack',
    requirements: join(folder, 'requirements.txt'),
    // Its sources take no older one, and the packages that it was tested with are of this one.
    least: [3, 13],
    most: [3, 13],
    who: 'LocalStack 2026.3.0',
    announce:
      'Making LocalStack: the community build 2026.3.0 from PyPI, about 45 MB to download, 160 MB on disk, a minute …',
    log,
  });
}

/**
 * Starts LocalStack's community build with what it lacks (`local-aws/localstack/`), as `startAws` starts
 * MiniStack. Its clock is the real one, it evaluates no policies, and it checks no answers.
 */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalAws> {
  const python = await localStackPython(options.log ?? (() => {}));
  const running = await startEmulator(
    {
      module: 'additions',
      python,
      env: ({ port, dir, tmp }) => ({
        PYTHONPATH: folder,
        MODELS_SEMANTICS: localAws,
        MODELS_AWS_WITHOUT: (options.without ?? []).join(','),
        MODELS_AWS_SPEED: '1',
        GATEWAY_PORT: String(port),
        GATEWAY_LISTEN: `127.0.0.1:${port}`,
        // The default server listens on all addresses, whatever GATEWAY_LISTEN says.
        GATEWAY_SERVER: 'hypercorn',
        DNS_ADDRESS: '0',
        EAGER_SERVICE_LOADING: '0',
        SKIP_SSL_CERT_DOWNLOAD: '1',
        DISABLE_EVENTS: '1',
        LOCALSTACK_VOLUME_DIR: dir,
        FILESYSTEM_ROOT: join(tmp, 'localstack'),
        LAMBDA_KEEPALIVE_MS: '600000',
      }),
      patience: 120_000,
    },
    options.port,
  );
  const { endpoint, logFile, stop } = running;
  if (options.detached) running.stay();
  return { endpoint, env: { ...clientEnv(endpoint), ...recorded() }, logFile, stop };
}
