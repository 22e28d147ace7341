import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { askHttp } from '../serve/ask.ts';
import { shipHere } from '../serve/shipped.ts';
import { ownVersion } from '../ship/service.ts';
import type { HereReport, HereTask } from './child.ts';
import { keptPost } from './post.ts';
import { benchProblem } from './problems.ts';
import { usageBelow } from './processes.ts';
import type { BenchTarget } from './target.ts';

const CHILD = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url),
);

/** The handler that a deploy would ship, behind a server on this machine, in processes of their own. */
export async function benchHere<T>(
  model: Model,
  { aws, plan, progress, service }: Context,
  work: (target: BenchTarget) => Promise<T>,
): Promise<T> {
  const { environment } = plan.host.provider;
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  try {
    progress(`Preparing ${model.name}`);
    const outDir = join(folder, model.name);
    const shipped = await shipHere(model, { serviceDir: service.dir, outDir, progress, environment, aws });
    const child = fork(CHILD, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const end = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', end);
    try {
      const begun = performance.now();
      const task: HereTask = { models: [model], service, environment, version: await ownVersion(), shipped };
      const url = await new Promise<string>((resolve, reject) => {
        const failed = (why: string): void =>
          reject(
            benchProblem(
              model.name,
              `does not start on this machine: ${why}`,
              'Run `sls models serve`, and see what it says.',
            ),
          );
        child.once('message', (report: HereReport) =>
          'url' in report ? resolve(report.url) : failed(report.error),
        );
        child.once('exit', (code, signal) => failed(`its process ended (${signal ?? code}).`));
        child.send(task);
      });
      const started = performance.now() - begun;
      const { post, close } = keptPost(new URL(url));
      try {
        return await work({
          kind: 'here',
          name: 'this machine',
          functionName: model.name,
          version: 'here',
          invoke: askHttp(post),
          started,
          usage: () => usageBelow(child.pid ?? 0),
          concurrency: 1,
        });
      } finally {
        close();
      }
    } finally {
      process.off('exit', end);
      end();
    }
  } finally {
    process.off('exit', discard);
    discard();
  }
}
