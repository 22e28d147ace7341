import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CatalogManifest } from '../../../core/catalog/contract.ts';
import { HOST_CONFIG, type HostConfig, type HostModel, type HostNews } from '../../../core/host/contract.ts';
import { inherited } from '../sandbox/environment.ts';
import { HOST_FILES, writeHost } from '../ship/host-program.ts';

/** The host in a process of its own: what an image starts, told by us what to serve. */
export type HostProcess = {
  readonly pid: number;
  readonly port: number;
  readonly grpc: number | undefined;
  /** Milliseconds until it listened, with every model up. */
  readonly started: number;
  /** Puts another version of a model in the place of the one that serves. @throws why it cannot serve */
  readonly replace: (model: HostModel, catalog: CatalogManifest) => Promise<void>;
  /** Ends it at once, with all its processes. */
  readonly stop: () => Promise<void>;
  /** Resolves once it has ended, by itself or not. */
  readonly ended: Promise<void>;
};

/** Why it does not start: which model’s handler, or that the port is taken. */
export type HostRefusal = Extract<HostNews, { refused: string }>;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Bundles the host into a folder, and starts it there.
 * @param page script of the docs page
 * @param heard lines of models, and what became of their processes
 * @returns the host, or why there is none
 */
export async function startHostProcess(
  folder: string,
  page: string,
  config: HostConfig,
  heard: (model: string, line: string) => void,
): Promise<HostProcess | HostRefusal> {
  await mkdir(folder, { recursive: true });
  await writeHost(folder, page);
  const file = join(folder, 'host.json');
  // Variables of the models are in it.
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const began = performance.now();
  const child = fork(join(folder, HOST_FILES.host), [], {
    env: { ...inherited(), [HOST_CONFIG]: file },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  running.add(child);
  const complaints: string[] = [];
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  const ended = once(child, 'exit').then(() => {
    running.delete(child);
  });

  let told: (news: HostNews) => void = () => {};
  child.on('message', (news: HostNews) => {
    if ('line' in news) heard(news.model, news.line);
    else told(news);
  });
  const stop = async (): Promise<void> => {
    if (!running.has(child)) return;
    if (child.connected) child.disconnect();
    await ended;
  };
  const over = ended.then(
    (): HostNews => ({ refused: `The host ended. ${complaints.slice(-8).join('\n')}` }),
  );
  const first = await Promise.race([
    over,
    new Promise<HostNews>((resolve) => {
      told = resolve;
    }),
  ]);
  if (!('listening' in first)) {
    await ended;
    return 'refused' in first ? first : { refused: 'It did not start.' };
  }
  return {
    pid: child.pid ?? 0,
    port: first.listening.port,
    grpc: first.listening.grpc,
    started: performance.now() - began,
    stop,
    ended,
    async replace(model, catalog) {
      const news = await Promise.race([
        over,
        new Promise<HostNews>((resolve) => {
          told = resolve;
          // Where it has ended, that is told above; unheard, the error of it would end this process, too.
          child.send({ replace: model, catalog }, () => {});
        }),
      ]);
      if ('kept' in news) throw new Error(news.reason);
      if ('refused' in news) throw new Error(news.refused);
    },
  };
}
