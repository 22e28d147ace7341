import { ascending, quantile } from './order-statistics.ts';

/** How late the generator itself was, in milliseconds. */
export type Lateness = {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Judged by it a run says nothing of the target. */
  readonly isTooLate: boolean;
};

/** Milliseconds that are below what a network and a timer do by themselves. */
const UNNOTICED = 1;
/** Share of the median latency that is. */
const SMALL = 0.1;

/**
 * Latency counts from the scheduled time, so what the generator is late makes it larger, never smaller. It is
 * let pass up to a millisecond or a tenth of the median, whichever is more, in 99 of 100 requests.
 *
 * @param values of each request; @param median of the latencies
 */
export function lateness(values: Iterable<number>, median: number): Lateness {
  const sorted = ascending(values);
  if (sorted.length === 0) return { p50: 0, p99: 0, max: 0, isTooLate: false };
  const p99 = quantile(sorted, 0.99);
  return {
    p50: quantile(sorted, 0.5),
    p99,
    max: sorted.at(-1) ?? 0,
    isTooLate: p99 > UNNOTICED && !(p99 <= SMALL * median),
  };
}
