import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { type BenchFigures, benchFigures, benchInFile, figuresIn } from './bench-figures.ts';

/** Milliseconds: advice must work without AWS, so it waits no longer for it. */
const PATIENCE = 3000;
/** Releases whose versions may have a bench, newest first. */
const RELEASES = 5;

/**
 * What a bench of this model found: the file that a person names, what is kept in the registry beside the
 * newest version that has one, or what `sls models bench` wrote last in this folder.
 *
 * @throws ProblemError only where a file is named that is no bench
 */
export async function keptBench(model: Model, context: Context): Promise<BenchFigures | undefined> {
  const { flags, service } = context;
  if (typeof flags.bench === 'string') return benchInFile(flags.bench, service.dir);
  const live = await Promise.race([ofLive(model, context), late()]).catch(() => undefined);
  if (live !== undefined) return live;
  const path = join('.serverless', 'bench', model.name, 'bench.json');
  const text = await readFile(join(service.dir, path), 'utf8').catch(() => '');
  return figuresIn(text, path);
}

async function ofLive(model: Model, context: Context): Promise<BenchFigures | undefined> {
  const [{ callerOf }, { atDesk }, { readHistory }] = await Promise.all([
    import('../../../aws/caller.ts'),
    import('../releases/session.ts'),
    import('../releases/history/history.ts'),
  ]);
  // Before the framework is asked for the bucket, which waits without a bound where AWS is out of reach.
  await callerOf(context.aws);
  return atDesk(context, async ({ benches, documents }) => {
    const pasts = await readHistory(documents, model.name, RELEASES);
    const versions = [...new Set(pasts.flatMap(({ to }) => to ?? []))];
    const found = await benches.newest(model.name, versions);
    for (const { startedAt, to } of pasts) {
      // What a function of the same name had before is not this one's.
      const document = found.find(({ at, target }) => target.version === to && at >= startedAt);
      if (document !== undefined) return benchFigures(document, `bench of version ${to}`);
    }
    return undefined;
  });
}

function late(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), PATIENCE).unref();
  });
}
