import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { isOfAnother } from '../export/shared/worker-memory.ts';
import { askBriefly, type Limits } from '../releases/brief.ts';
import { type BenchFigures, benchFigures, benchInFile, figuresIn } from './bench-figures.ts';

/** What reads of AWS: loaded where it is asked alone. */
type Reads = readonly [
  typeof import('../../../aws/caller.ts'),
  typeof import('../releases/session.ts'),
  typeof import('../releases/history/history.ts'),
];

/** Releases whose versions may have a bench, newest first. */
const RELEASES = 5;

/**
 * What a bench of this model found: the file that a person names, what is kept in the registry beside the
 * newest version that has one, or what `sls models bench` wrote last in this folder. Advice must work without
 * AWS, so that it is asked for a short time only.
 *
 * @param artifact whose bench goes before one of another artifact
 * @throws ProblemError only where a file is named that is no bench
 */
export async function keptBench(
  model: Model,
  context: Context,
  limits?: Limits,
  artifact?: Artifact,
): Promise<BenchFigures | undefined> {
  const { flags, service } = context;
  if (typeof flags.bench === 'string') return benchInFile(flags.bench, service.dir);
  const reads = await Promise.all([
    import('../../../aws/caller.ts'),
    import('../releases/session.ts'),
    import('../releases/history/history.ts'),
  ]);
  const live = await askBriefly(context, (aws) => ofLive(model, { ...context, aws }, reads), limits);
  const kept = 'answer' in live ? live.answer : undefined;
  const path = join('.serverless', 'bench', model.name, 'bench.json');
  const text = await readFile(join(service.dir, path), 'utf8').catch(() => '');
  const here = figuresIn(text, path);
  return artifact === undefined ? (kept ?? here) : benchFor(artifact, kept, here);
}

type Artifact = Pick<Facts, 'identity' | 'source'>;

/** The first of these that is not of another artifact, else the first. */
export const benchFor = (
  artifact: Artifact,
  ...benches: readonly (BenchFigures | undefined)[]
): BenchFigures | undefined => {
  const found = benches.filter((bench) => bench !== undefined);
  return found.find((bench) => !isOfAnother(bench, artifact)) ?? found[0];
};

async function ofLive(
  model: Model,
  context: Context,
  [{ callerOf }, { atDesk }, { readHistory }]: Reads,
): Promise<BenchFigures | undefined> {
  // Before the framework is asked for the bucket, which waits without a bound where AWS is out of reach.
  await callerOf(context.aws);
  return atDesk(context, async ({ benches, documents }) => {
    const pasts = await readHistory(documents, model.name, RELEASES);
    const versions = [...new Set(pasts.flatMap(({ to }) => to ?? []))];
    const found = await benches.newest(model.name, versions);
    for (const { source, startedAt, to } of pasts) {
      // What a function of the same name had before is not this one's.
      const document = found.find(({ at, target }) => target.version === to && at >= startedAt);
      if (document !== undefined)
        return { ...benchFigures(document, `bench of version ${to}`), ...(source && { source }) };
    }
    return undefined;
  });
}
