import type { BenchPercentile, ScenarioResult } from './contract.ts';
import { requestsFor, stoppedEarly } from './early-stopping.ts';
import { quantile } from './order-statistics.ts';

/**
 * One percentile and what early stopping says of it.
 * @param sorted ascending, not empty @param failed requests beside these, which are above any limit
 */
export function benchPercentile(sorted: Float64Array, percentile: number, failed = 0): BenchPercentile {
  const bound = stoppedEarly(sorted, percentile, failed);
  return {
    percentile,
    ms: quantile(sorted, percentile),
    ...(bound === undefined ? { needs: requestsFor(1 + failed, percentile) } : { bound }),
  };
}

/** Some two hundred points: evenly by share, and closer towards the end, where what matters is. */
export function distributionOf(sorted: Float64Array): ScenarioResult['distribution'] {
  if (sorted.length === 0) return [];
  const shares = [
    ...Array.from({ length: 100 }, (_, i) => i / 100),
    ...[0.992, 0.994, 0.996, 0.998, 0.999, 0.9995, 0.9999].filter(
      (share) => sorted.length * (1 - share) >= 1,
    ),
  ];
  return [...shares.map((share) => [share, quantile(sorted, share)] as const), [1, sorted.at(-1) ?? 0]];
}
