import { evenArrivals } from '../capacity/arrivals.ts';
import { openLoop, type Timing } from '../capacity/generator.ts';
import { LOAD_GRACE, type LoadState } from './contract.ts';

/** How one request of the load ended; `duration` and `cold` as Lambda reports them. */
export type LoadAnswer = { readonly failed: boolean; readonly cold: boolean; readonly duration?: number };

export type LoadPorts = Timing;

/**
 * Requests that are out at once. The SDK's HTTP client opens 50 connections; a request beyond them would wait
 * there all the same.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/node-configuring-maxsockets.html
 */
const OUTSTANDING = 50;

/**
 * Synthetic load: request i is to be sent at i / rate, whatever became of those before it. One that waits for
 * a free connection is late, and its latency says so.
 *
 * Requests that met a cold start are counted apart: how often that happens is a matter of traffic and
 * provisioned concurrency, and the objective that judge and alarm hold is one of warm requests too.
 *
 * @param ask sends request i and waits at most so many milliseconds; must not throw
 */
export async function runLoad(
  timing: LoadPorts,
  { rate, duration }: { readonly rate: number; readonly duration: number },
  ask: (index: number, patience: number) => Promise<LoadAnswer>,
): Promise<LoadState> {
  const end = (duration + LOAD_GRACE) * 1000;
  const arrivals = evenArrivals(rate, duration);
  const { issued, unsent, ended } = await openLoop(timing, { arrivals, outstanding: OUTSTANDING, end }, ask);
  const met = issued.filter(({ answer }) => !answer.cold);
  // What could not even be sent before the end has waited since it was to be sent.
  const warm = [
    ...met.map(({ done, scheduled }) => done - scheduled),
    ...unsent.map((scheduled) => ended - scheduled),
  ];
  const durations = met.flatMap(({ answer }) => answer.duration ?? []);

  const at = percentiles(warm);
  return {
    sent: arrivals.length,
    errors: issued.filter(({ answer }) => answer.failed).length + unsent.length,
    cold: issued.length - met.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    ...(durations.length > 0 && { duration: percentiles(durations)(0.95) }),
  };
}

/** Nearest rank: a value that was measured, no interpolation. @returns 0 where there is none */
function percentiles(values: readonly number[]): (share: number) => number {
  const sorted = values.toSorted((a, b) => a - b);
  return (share) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
}

/** Seconds that a load takes at most. */
export const loadSeconds = ({ duration }: { readonly duration: number }): number => duration + LOAD_GRACE;
