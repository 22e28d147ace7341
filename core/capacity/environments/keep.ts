import { leastServers, mixedErlangB } from '../erlang.ts';
import { REQUESTS_PER_ENVIRONMENT } from './at-once.ts';

/** What must be provisioned for a promised share of cold starts, and how much of it is in use then. */

/** Requests a second in a part of the time. */
export type RateFor = {
  readonly rate: number;
  /** How much of the time it lasts, in any unit that the others have, too. */
  readonly weight: number;
};

export type Needed = {
  /** Requests in progress on average, and in the busiest part. */
  readonly load: number;
  readonly peak: number;
  /** Requests a second on average. */
  readonly rate: number;
  /** Environments that keep the promise: no more than so many of the requests find none free. */
  readonly kept: number;
  /** Share of them that find none free then, by Erlang B. */
  readonly share: number;
  /** Share of the environments that is busy then, on average. */
  readonly use: number;
  /** As many are needed only since Lambda gives none more than so many requests a second. */
  readonly isByRate: boolean;
};

/** @param service seconds of a request @param promised share of requests that may find none free, above 0 */
export function keptFor(rates: readonly RateFor[], service: number, promised: number): Needed {
  const loads = rates.map(({ rate, weight }) => ({ load: rate * service, weight }));
  const weights = rates.reduce((sum, { weight }) => sum + weight, 0);
  const rate = weights > 0 ? rates.reduce((sum, one) => sum + one.rate * one.weight, 0) / weights : 0;
  const most = rates.reduce((high, one) => (one.weight > 0 ? Math.max(high, one.rate) : high), 0);
  const byLoad = leastServers(loads, promised);
  const byRate = Math.ceil(most / REQUESTS_PER_ENVIRONMENT - 1e-9);
  const kept = Math.max(byLoad, byRate);
  const share = mixedErlangB(loads, kept);
  return {
    load: rate * service,
    peak: most * service,
    rate,
    kept,
    share,
    use: kept > 0 ? (rate * service * (1 - share)) / kept : 0,
    isByRate: byRate > byLoad,
  };
}

/** What scaling that aims at a share in use comes to rest at. */
export const restingAt = (
  load: number,
  { min, max, target }: { readonly min: number; readonly max: number; readonly target: number },
): number => Math.min(max, Math.max(min, Math.ceil(load / target - 1e-9)));

/** Shares of use that scaling may aim at, as declared. */
const TARGETS = { least: 0.1, most: 0.9 } as const;

/** The largest share in hundredths, at which scaling keeps what is needed. */
export const targetFor = (use: number): number =>
  Math.min(TARGETS.most, Math.max(TARGETS.least, Math.floor(use * 100 + 1e-9) / 100));
