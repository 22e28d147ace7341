import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptArtifact, Preparing, Shippable, SourceFile } from '../../contracts/artifact-format.ts';
import { fullProblem, keyOf } from '../../disk/cache.ts';
import { filesBelow, sha256Of } from '../../disk/files.ts';
import { limitsFor } from '../../sandbox/sandbox.ts';
import { latestAttempt } from './attempts.ts';
import { declared, graphOf, isMemory } from './inspect.ts';
import type { OnnxInfo } from './onnx.ts';
import { runTask } from './run-task.ts';
import { ORT_VERSION } from './runtime.ts';
import { short } from './short.ts';

/** Part of the cache key: raise it when the same source would be treated differently. */
const METHOD = 1;

/**
 * Weights from this size on get a file of their own, which ONNX Runtime maps into memory instead of copying
 * it. First answer after a cold start, against one file (medians of 15): no difference at 1 MB, 10 % less at
 * 4, 34 % at 16.
 */
const OWN_WEIGHTS = 1_000_000;

/**
 * Optimises the graph once, here, instead of at every cold start: level `extended`, weights in a file that is
 * mapped. The result is run against the original on the probes; where it differs, fails, or nothing could be
 * compared, the original is shipped and `optimized` says why. Where a shared registry has the result, it is
 * taken from there, and compared here as well: whoever may write to the bucket may have put another model
 * there, which would be released under this one's identity.
 */
export async function optimise(
  source: KeptArtifact<OnnxInfo>,
  key: string,
  runtime: string | undefined,
  { progress, take }: Preparing,
): Promise<Shippable> {
  if (runtime === undefined) {
    return { files: source.files, optimized: 'Not optimised: ONNX Runtime has no build for this machine.' };
  }
  const own = take === undefined ? ['own'] : [];
  const name = keyOf(source.digest, ORT_VERSION, METHOD, process.arch, ...own).slice(0, 32);
  // 2: an earlier plugin may have put there what it made of a file that was written to meanwhile.
  // Level `extended` does not depend on the processor, so that any machine may take what another one made.
  const shared = keyOf('optimised/2', source.digest, ORT_VERSION, METHOD);
  let notice: string | undefined;
  const make = async (draft: string): Promise<void> => {
    const model = join(draft, 'model');
    const of = key.replace(/^models\.|\.artifact$/g, '');
    const size = `${Math.ceil(source.bytes / 1e6)} MB`;
    const run = async (how: { readonly weights?: string; readonly isMade?: true }): Promise<Outcome> => {
      const { inputs, outputs } = declared(source, key);
      const limits = limitsFor(source.bytes);
      const outcome = await runTask(
        {
          model: graphOf(source),
          inputs,
          outputs: outputs.map(({ name }) => name),
          optimise: { target: join(model, 'model.onnx'), ...how },
        },
        runtime,
        { ...limits, deadline: limits.deadline * 2 },
      );
      if (outcome.kind === 'crashed' && outcome.isInterrupted)
        throw Object.assign(new Error(String(verdict(outcome))), { name: INTERRUPTED });
      return outcome;
    };
    const taken = await take?.(shared, model);
    if (taken !== undefined) {
      progress(`Comparing what another machine made of ${of} (${size})`);
      const outcome = await run({ isMade: true }).finally(() => progress(undefined));
      if (verdict(outcome) === true) {
        await writeFile(join(draft, RESULT), JSON.stringify({ optimized: true, files: taken }));
        return;
      }
      if (isOther(outcome)) notice = exchanged(shared);
      await rm(model, { recursive: true, force: true });
    }
    progress(`Optimising ${of} (${size}, once)`);
    try {
      await mkdir(model);
      const isSmall = source.files.length === 1 && source.bytes < OWN_WEIGHTS;
      const outcome = await run(isSmall ? {} : { weights: 'model.bin' });
      const optimized = verdict(outcome);
      if (optimized !== true && (await roomIn(draft)) < source.bytes) throw fullProblem('ENOSPC');
      const files: Omit<SourceFile, 'from'>[] = [];
      if (optimized === true) {
        for (const { path, from, bytes } of await filesBelow(model)) {
          files.push({ path, bytes, sha256: await sha256Of(from) });
        }
      } else await rm(model, { recursive: true });
      const gaveUp = lacked(outcome) ? { gaveUp: Date.now() } : {};
      await writeFile(join(draft, RESULT), JSON.stringify({ optimized, files, ...gaveUp }));
    } finally {
      progress(undefined);
    }
  };
  const { folder, optimized, files } = await latestAttempt<Result>('optimised', name, RESULT, make).catch(
    (error: unknown) => {
      if (!(error instanceof Error) || error.name !== INTERRUPTED) throw error;
      return { folder: '', optimized: error.message, files: [] };
    },
  );
  const told = notice === undefined ? {} : { notice };
  if (optimized !== true) return { files: source.files, optimized, ...told };
  return {
    files: files.map((file) => ({ ...file, from: join(folder, 'model', file.path) })),
    optimized,
    key: shared,
    ...told,
  };
}

/** Ctrl-C, for example, which `sls models serve` outlives for a while: nothing of that is kept. */
const INTERRUPTED = 'Interrupted';

const RESULT = 'result.json';
type Result = {
  readonly optimized: true | string;
  readonly files: readonly Omit<SourceFile, 'from'>[];
  readonly gaveUp?: number;
};

/** @returns bytes; what ONNX Runtime says of a file that did not fit tells nothing of it */
async function roomIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

type Outcome = Awaited<ReturnType<typeof runTask>>;

/** Time or memory. */
function lacked(outcome: Outcome): boolean {
  if (outcome.kind === 'done') return outcome.result.exhausted === true;
  return 'message' in outcome ? isMemory(outcome.message) : true;
}

/** Is what was taken, and is not good, another model? There may have been no time or memory to tell. */
const isOther = (outcome: Outcome): boolean =>
  outcome.kind === 'done' ? outcome.result.distance !== undefined : !lacked(outcome);

const exchanged = (key: string): string =>
  `What the shared registry has as its optimised form (models/optimised/${key}.json) does not answer as the artifact does, so it was not taken: see who may write there, and delete that file.`;

function verdict(outcome: Outcome): true | string {
  const original = 'the original is shipped';
  if (outcome.kind === 'failed' || outcome.kind === 'crashed') {
    return `Not optimised: ${short(outcome.message).slice(0, 200)}; ${original}.`;
  }
  if (outcome.kind !== 'done')
    return `Not optimised: it took too ${outcome.kind === 'memory' ? 'much memory' : 'long'}; ${original}.`;
  const { distance } = outcome.result;
  if (distance === undefined)
    return `Not optimised: no made-up input ran, so nothing could be compared; ${original}.`;
  if (distance > 1) return `Not optimised: its answers would differ from the original’s; ${original}.`;
  return true;
}
