import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { venvPython } from '../../../local-aws/venv.ts';

/** MLflow's own server and clients, in an environment of their own: soak and bench run them. */

/** A busy machine needs minutes where Python has compiled nothing yet. */
const START_MS = 600_000;
/** The password of `admin`, where a server wants to know who asks. */
export const ADMIN_PASSWORD = 'a password of twelve';

/** @returns the interpreter; `mlflow` lies beside it */
export const mlflowPython = (who: string): Promise<string> =>
  venvPython({
    name: 'venv-mlflow',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    least: [3, 11],
    who,
    announce: 'MLflow: installing into .local/venv-mlflow (about 900 MB, two minutes) …',
    log: (line) => console.error(line),
  });

export type MlflowProcess = { readonly address: string; readonly stop: () => void };

/** @param folder where it keeps everything @param more of its options */
export async function startMlflow(
  python: string,
  folder: string,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<MlflowProcess> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', join(folder, 'artifacts'), ...more],
    ],
    {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        MLFLOW_AUTH_ADMIN_PASSWORD: ADMIN_PASSWORD,
        MLFLOW_FLASK_SERVER_SECRET_KEY: 'soak',
        // Nine processes for jobs that nobody here asks for.
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
        ...env,
      },
    },
  );
  const stop = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  process.once('exit', stop);
  const end = performance.now() + START_MS;
  const isThere = (): Promise<boolean> =>
    fetch(`${address}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`MLflow ended with ${child.exitCode} at its start`);
    if (performance.now() > end) {
      stop();
      throw new Error(`MLflow does not answer after ${START_MS / 1000} s`);
    }
    await sleep(200);
  }
  return { address, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
