import type { BenchDocument } from '../../../../core/capacity/contract.ts';
import { milliseconds, nameOfPercentile } from '../../../../core/capacity/words.ts';
import type { Past } from './past.ts';

/** What the newest bench of a release's version found, as `sls models history --json` prints it. */
export type PastBench = Pick<BenchDocument, 'at' | 'interrupted'> & {
  readonly scenarios: readonly Pick<
    BenchDocument['scenarios'][number],
    'scenario' | 'verdict' | 'rate' | 'samples' | 'percentiles' | 'promised'
  >[];
  readonly capacity?: number;
};

/**
 * Is it of the version of this release? What a function of the same name had before is not this one's, and
 * what the one that was made anew has since, whose versions have the same numbers, is not the earlier one's.
 */
const isOf = ({ target, at }: BenchDocument, past: Past, pasts: readonly Past[]): boolean =>
  target.version === past.to &&
  at >= past.startedAt &&
  !pasts.some(
    ({ to, startedAt, fingerprint }) =>
      to === past.to && startedAt > past.startedAt && startedAt <= at && fingerprint !== past.fingerprint,
  );

/** Those that are of some of these releases. */
export const benchesOf = (
  pasts: readonly Past[],
  benches: readonly BenchDocument[],
): readonly BenchDocument[] => benches.filter((bench) => pasts.some((past) => isOf(bench, past, pasts)));

/** @param benches the newest of each version */
export const withBenches = (
  pasts: readonly Past[],
  benches: readonly BenchDocument[],
): readonly (Past & { readonly bench?: PastBench })[] =>
  pasts.map((past) => {
    const found = benches.find((bench) => isOf(bench, past, pasts));
    if (found === undefined) return past;
    const { at, curve, interrupted } = found;
    const scenarios = found.scenarios.map(({ scenario, verdict, rate, samples, percentiles, promised }) => ({
      ...{ scenario, verdict, samples, percentiles },
      ...(rate !== undefined && { rate }),
      ...(promised && { promised }),
    }));
    const capacity = curve?.capacity;
    return { ...past, bench: { at, interrupted, scenarios, ...(capacity !== undefined && { capacity }) } };
  });

/** A line of it: `2026-11-27 15:00 UTC, Server at 20/s: VALID, p99 31 ms, promised 41 ms`. */
export function benchLine({ at, capacity, scenarios }: PastBench): string {
  const parts = scenarios.map(({ scenario, verdict, rate, samples, percentiles, promised }) => {
    const p99 = percentiles.find(({ percentile }) => percentile === 0.99);
    const latency =
      scenario === 'Offline'
        ? `${Number(samples.toPrecision(3))} rows/s`
        : p99 && `p99 ${milliseconds(p99.ms)}`;
    const upper = promised?.upper;
    return [
      `${scenario}${rate === undefined ? '' : ` at ${Number(rate.toPrecision(3))}/s`}: ${verdict}`,
      latency,
      upper !== undefined &&
        `${nameOfPercentile(promised?.percentile ?? 0.99)} promised ${milliseconds(upper)}`,
    ]
      .filter(Boolean)
      .join(', ');
  });
  const most = capacity === undefined ? [] : [`capacity ${Number(capacity.toPrecision(3))}/s`];
  return [`${at.slice(0, 16).replace('T', ' ')} UTC`, ...parts, ...most].join('; ');
}
