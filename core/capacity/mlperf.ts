import type { Objective, Scenario } from './contract.ts';
import { allowedAbove, requestsFor } from './early-stopping.ts';
import { quantile } from './order-statistics.ts';

/** The percentile that SingleStream is judged by, as in MLPerf. */
export const SINGLE_STREAM = 0.9;
/** Samples that MLPerf asks of Offline. */
export const OFFLINE_SAMPLES = 24_576;

/**
 * What LoadGen's verdict is made of, for the scenarios that have one. (Least duration and least count are
 * settings of it, and judged where they are known.)
 */
export type MlperfJudged = {
  /** Server: the percentile is within the objective. */
  readonly isWithin?: boolean;
  /** The run was long enough for its percentile to be told with 99 % confidence. */
  readonly earlyStopping?: boolean;
  /** How many requests that would have needed, if all others were within the objective. */
  readonly needs?: number;
};

/** @param sorted latencies, ascending; what failed is above any objective: Infinity */
export function mlperfJudged(
  scenario: Scenario,
  sorted: Float64Array,
  objective: Objective | undefined,
): MlperfJudged {
  const n = sorted.length;
  if (scenario === 'SingleStream') {
    const needs = requestsFor(1, SINGLE_STREAM);
    return { earlyStopping: n >= needs, needs };
  }
  if (scenario !== 'Server' || objective === undefined || n === 0) return {};
  const { percentile, ms } = objective;
  let above = 0;
  while (above < n && (sorted[n - 1 - above] ?? 0) > ms) above += 1;
  return {
    isWithin: quantile(sorted, percentile) <= ms,
    earlyStopping: allowedAbove(n, percentile) >= above,
    needs: requestsFor(above, percentile),
  };
}
