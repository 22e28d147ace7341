/** The process that local AWSs are forked from, for whoever starts many. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsPython } from './aws-python.ts';
import { forksSocket } from './forked.ts';
import { common } from './process.ts';
import { serverEnv } from './start.ts';

export type Forks = {
  /** For `MODELS_AWS_FORKS` of those that start local AWSs. */
  readonly folder: string;
  /** Waits until local AWSs are forked; until then they start as if there were none. */
  listens(): Promise<void>;
  /** Its forks go on: each ends with the process that started it. */
  end(): Promise<void>;
};

/** What the sources of `semantics/forks.py` call PORT. */
const PORT = 48_731;

/**
 * Starts it; it ends with this process, however that ends.
 * @param folder its own, there or not
 */
export async function startForks(folder: string): Promise<Forks> {
  const python = await awsPython(() => {});
  await mkdir(folder, { recursive: true });
  const env = { ...common({ port: PORT, dir: folder, tmp: folder }), ...serverEnv(PORT, {}) };
  const socket = forksSocket(folder, env);
  const child = spawn(python, ['-m', 'semantics.forks', socket], {
    cwd: folder,
    stdio: ['pipe', 'inherit', 'inherit'],
    env,
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      console.error(`Local AWSs start without forks: ${error.message}`);
      resolve();
    });
  });
  child.unref();
  child.stdin.on('error', () => {});
  (child.stdin as { unref?(): void }).unref?.();
  const end = (): Promise<void> => {
    child.ref();
    // Not by its stdin alone: it may be loading still.
    child.kill();
    return ended;
  };
  const listens = async (): Promise<void> => {
    while (child.exitCode === null && child.signalCode === null && !existsSync(socket)) await sleep(50);
  };
  return { folder, listens, end };
}
