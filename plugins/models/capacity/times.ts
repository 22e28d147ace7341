import { benchTimes } from '../../../core/capacity/bench-times.ts';
import type { BenchDocument } from '../../../core/capacity/contract.ts';
import { type Context, usage } from '../context/context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { assumedInit } from '../plan/cost.ts';

/** How long a request takes, and how long an instance starts, and who says so. */

/** Milliseconds that a request takes where nobody has measured it. */
export const DURATION = 50;
/** Lambda's longest request. */
const LONGEST = 900_000;
/** INIT on demand ends after ten seconds. */
const LONGEST_INIT = 10_000;

export type Told = { readonly ms: number; readonly from: string };
export type RequestTimes = { readonly duration: Told; readonly init: Told };

type Flags = Context['flags'];

/** What a person says of them; `duration` and `init` in milliseconds. @throws ProblemError */
export const timeFlags = ({ duration, init }: Flags) => ({
  duration: millisecondsOf('--duration', duration, LONGEST, '20'),
  init: millisecondsOf('--init', init, LONGEST_INIT, '400'),
});

function millisecondsOf(key: string, flag: Flags[string], most: number, example: string): number | undefined {
  if (flag === undefined) return undefined;
  const value = Number(flag);
  if (typeof flag === 'string' && value > 0 && value <= most) return value;
  throw usage(
    key,
    `${flag === '' ? 'nothing' : flag} is not a number of milliseconds above 0 and up to ${most}.`,
    `Write what you measured, for example ${example}.`,
  );
}

/** What is known from elsewhere. */
export type TimesKnown = {
  /** The newest bench of the live version. */
  readonly bench?: BenchDocument | undefined;
  /** What CloudWatch has of the alias: milliseconds, and over which time. */
  readonly cloudWatch?: Told | undefined;
};

/** Does a person say how long a request takes, or a bench that is of such a function? */
export const isDurationTold = (
  model: Model,
  { duration }: ReturnType<typeof timeFlags>,
  { bench }: TimesKnown,
): boolean =>
  duration !== undefined ||
  (bench !== undefined && isOfSuch(model, bench) && benchTimes(bench).duration !== undefined);

export function requestTimes(
  model: Model,
  facts: Facts,
  flags: ReturnType<typeof timeFlags>,
  { bench, cloudWatch }: TimesKnown = {},
): RequestTimes {
  const found = bench !== undefined && isOfSuch(model, bench) ? bench : undefined;
  const times = found && benchTimes(found);
  const version = `the bench of version ${found?.target.version} of ${found?.at.slice(0, 10)}`;
  const benched = times?.duration !== undefined && {
    ms: times.duration,
    from: times.isLambdas ? `measured by ${version}` : `latency seen by ${version}`,
  };
  return {
    duration: (flags.duration !== undefined && { ms: flags.duration, from: '--duration' }) ||
      benched ||
      cloudWatch || { ms: DURATION, from: 'assumed' },
    init: (flags.init !== undefined && { ms: flags.init, from: '--init' }) ||
      (times?.init !== undefined && { ms: times.init, from: `measured by ${version}` }) || {
        ms: Math.round(1000 * assumedInit(facts)),
        from: 'assumed',
      },
  };
}

/** Another memory or processor takes another time, and one that nobody knows may be another one. */
const isOfSuch = ({ memory, architecture }: Model, { target }: BenchDocument): boolean =>
  target.memory === memory && target.architecture === architecture;
