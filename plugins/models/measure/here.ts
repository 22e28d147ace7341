import { join } from 'node:path';
import type { Context } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { inFolder } from '../disk/folder.ts';
import { ownVersion } from '../disk/own-version.ts';
import { askHttp, inferPath } from '../serve/ask.ts';
import { serveLocally } from '../serve/local.ts';
import { shipHere } from '../serve/shipped.ts';
import { keptPost } from './post.ts';
import { benchProblem } from './problems.ts';
import { usageBelow } from './processes.ts';
import type { BenchTarget } from './target.ts';

/** The handler that a deploy would ship, behind a server on this machine, in processes of their own. */
export async function benchHere<T>(
  model: Model,
  { aws, plan, progress, service }: Context,
  work: (target: BenchTarget) => Promise<T>,
): Promise<T> {
  const { environment } = plan.host.provider;
  const run = async (folder: string): Promise<T> => {
    progress(`Preparing ${model.name}`);
    const outDir = join(folder, model.name);
    const shipped = await shipHere(model, { serviceDir: service.dir, outDir, progress, environment, aws });
    const local = await serveLocally({
      models: [model],
      service,
      environment,
      version: await ownVersion(),
      // Nobody looks at it.
      page: '',
      folder: join(folder, '.host'),
      port: 0,
      workers: 1,
      ship: async () => shipped,
      notice: () => {},
    }).catch((error: unknown) => {
      throw benchProblem(
        model.name,
        `does not start on this machine: ${error instanceof Error ? error.message : error}`,
        'Run `sls models serve`, and see what it says.',
      );
    });
    try {
      const { post, close } = keptPost(new URL(`${local.url}${inferPath(model)}`));
      try {
        return await work({
          kind: 'here',
          name: 'this machine',
          functionName: model.name,
          version: 'here',
          invoke: askHttp(post),
          started: local.started,
          usage: () => usageBelow(local.pid),
          concurrency: 1,
        });
      } finally {
        close();
      }
    } finally {
      await local.stop();
    }
  };
  // What was measured by then is kept.
  return inFolder(run, { isHeard: true });
}
