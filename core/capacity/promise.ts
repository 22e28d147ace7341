import { correlationTime } from './correlation.ts';
import { ascending, quantile } from './order-statistics.ts';
import { studentQuantile } from './student.ts';

/** Runs that a bound needs at least. */
export const LEAST_RUNS = 5;
/** Share of a run that is left out at its start: the queue was empty then, which it is not later. */
const SETTLING = 0.2;
/**
 * Confidence of each end. Simulated at 50, 70 and 90 % load it holds in 97 % of runs and more,
 * where 0.99 holds in fewer: percentiles of short runs are skewed (`bench -- capacity`).
 */
const CONFIDENCE = 0.995;

/** What repeated runs allow to be promised of a percentile. */
export type Promised = {
  readonly percentile: number;
  /** The percentile in each run, its start left out; of those in which it is a time. */
  readonly runs: readonly number[];
  /** Values in a row that count as one. */
  readonly correlated: number;
  /** Upper and lower end of the interval; absent where the runs are too few or too short. */
  readonly upper?: number;
  readonly lower?: number;
  /** How many times as long a run must be at least. */
  readonly longer?: number;
  /** In some run the percentile is a request that failed. */
  readonly isFailed?: true;
};

/**
 * A bound of a percentile from repeated runs with different seeds: t-interval of its logarithm over the runs.
 * Queued latencies are correlated, so a single run does not show how far off it may be, whatever its length;
 * other runs do. A run must hold so many independent values that one is expected above the percentile: a
 * hundred for p99. Else nothing is promised.
 *
 * @param runs latencies of each run in the order of time; Infinity of what failed, which is above any other
 */
export function promised(runs: readonly (readonly number[])[], percentile: number): Promised {
  const kept = runs.map((run) => Float64Array.from(run.slice(Math.floor(run.length * SETTLING))));
  const found = kept.filter(({ length }) => length > 0).map((run) => quantile(ascending(run), percentile));
  const times = found.filter(Number.isFinite);
  const correlated = correlationTime(kept.map((run) => run.filter(Number.isFinite)));
  const told = { percentile, runs: times, correlated };
  const shortest = Math.min(...kept.map(({ length }) => length));
  const needed = correlated / (1 - percentile);
  if (runs.length < LEAST_RUNS) return told;
  if (times.length < found.length) return { ...told, isFailed: true };
  if (!(shortest >= needed)) return { ...told, longer: shortest > 0 ? needed / shortest : Infinity };
  const logs = found.map((value) => Math.log(Math.max(value, Number.MIN_VALUE)));
  const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
  const variance = logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logs.length - 1);
  const half = studentQuantile(logs.length - 1, CONFIDENCE) * Math.sqrt(variance / logs.length);
  return { ...told, upper: Math.exp(mean + half), lower: Math.exp(mean - half) };
}
