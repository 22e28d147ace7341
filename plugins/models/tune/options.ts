import type { Objective } from '../../../core/capacity/contract.ts';
import { requestsFor } from '../../../core/capacity/early-stopping.ts';
import { SIZE_LIMITS, sizeLadder } from '../../../core/capacity/memory-sizes.ts';
import { type Context, usage } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { objectiveOf } from '../measure/options.ts';

/** Warm invocations of a size: fewer say nothing of a 95th percentile. */
export const LEAST_INVOCATIONS = 50;
export const MOST_INVOCATIONS = 10_000;
const MOST_SIZES = 20;

export type TuneOptions = {
  readonly objective?: Objective;
  /** MB, ascending. */
  readonly sizes: readonly number[];
  /** Warm requests of each size. */
  readonly invocations: number;
};

/** What the command's options say, checked. @throws ProblemError */
export function tuneOptions(
  model: Model,
  { sourceBytes }: Pick<Facts, 'sourceBytes'>,
  flags: Context['flags'],
): TuneOptions {
  const objective = objectiveOf(flags.slo) ?? (model.latency && { percentile: 0.95, ms: model.latency.p95 });
  const least = Math.ceil(sourceBytes / 1024 ** 2);
  return {
    ...(objective && { objective }),
    sizes: sizesOf(flags.memory, model, least),
    invocations: invocationsOf(flags.invocations, objective),
  };
}

const EXAMPLE = 'Write for example --memory 512,1024,1769.';

function sizesOf(flag: Context['flags'][string], model: Model, least: number): readonly number[] {
  const { lowest, highest } = SIZE_LIMITS;
  if (least > highest)
    throw usage(
      '--memory',
      `the files of ${model.name} alone take ${least.toLocaleString('en-US')} MB, and no function has more than ${highest.toLocaleString('en-US')} MB.`,
      'Take a smaller model.',
    );
  if (flag === undefined) return sizeLadder(model.memory, Math.max(least, lowest));
  const parts = String(flag)
    .split(',')
    .map((part) => part.trim());
  for (const part of parts) {
    const size = Number(part);
    if (!/^\d+$/.test(part) || size < lowest || size > highest)
      throw usage(
        '--memory',
        `${part === '' ? 'an empty size' : part} is not a whole number of MB from ${lowest} to ${highest.toLocaleString('en-US')}.`,
        EXAMPLE,
      );
    if (size < least)
      throw usage(
        '--memory',
        `${size} MB are less than the files of ${model.name} alone take, ${least} MB.`,
        `Name sizes of ${least} MB and more.`,
      );
  }
  const sizes = [...new Set(parts.map(Number))].toSorted((a, b) => a - b);
  if (sizes.length <= MOST_SIZES) return sizes;
  throw usage('--memory', `names ${sizes.length} sizes; at most ${MOST_SIZES} are measured.`, EXAMPLE);
}

/** As many as it takes to be sure of the percentile, where nobody says. */
function invocationsOf(flag: Context['flags'][string], objective: Objective | undefined): number {
  if (flag === undefined) {
    const wanted = Math.max(requestsFor(1, 0.95), requestsFor(1, objective?.percentile ?? 0.95));
    return Math.min(wanted, MOST_INVOCATIONS);
  }
  const count = Number(flag);
  if (
    typeof flag === 'string' &&
    /^\d+$/.test(flag) &&
    count >= LEAST_INVOCATIONS &&
    count <= MOST_INVOCATIONS
  )
    return count;
  throw usage(
    '--invocations',
    `${flag} is not a whole number from ${LEAST_INVOCATIONS} to ${MOST_INVOCATIONS.toLocaleString('en-US')}.`,
    `Write for example ${requestsFor(1, 0.95)}: so many make sure of a p95.`,
  );
}
