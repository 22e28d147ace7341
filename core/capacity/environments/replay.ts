import type { Arrivals } from '../arrivals.ts';
import { RAMP } from './at-once.ts';
import { endings } from './endings.ts';

/**
 * Arrivals, one after the other, through environments as Lambda keeps them. A request goes to one that is
 * provisioned and free; else to one on demand that is still there from before; else a new one starts. Which
 * of those from before Lambda takes is not documented: here the one that was used last, so that the others
 * may end. Times are milliseconds.
 */

/** From a time on, so many environments are provisioned. */
export type KeptFrom = { readonly at: number; readonly count: number };

export type Environments = {
  /** What a request takes that finds an environment; a function where it is not always the same. */
  readonly service: number | (() => number);
  /** What a cold start takes beside that. */
  readonly init: number;
  /** How long an environment on demand stays without a request. */
  readonly idle: number;
  /** Ascending by time; none before the first. */
  readonly kept: readonly KeptFrom[];
  /** Environments at once, those that are provisioned included. */
  readonly limit?: number;
};

/** How many requests ended how. */
export type Replayed = {
  readonly requests: number;
  /** By an environment that is provisioned. */
  readonly kept: number;
  /** On demand, by one that was there. */
  readonly warm: number;
  readonly cold: number;
  /** Beyond the limit, or faster than environments may start. */
  readonly throttled: number;
  /** Requests at once. */
  readonly most: number;
};

export function replay(arrivals: Arrivals, environments: Environments): Replayed {
  const { service, init, idle, kept, limit = Number.POSITIVE_INFINITY } = environments;
  const taken = typeof service === 'number' ? () => service : service;
  const provisioned = endings();
  const onDemand = endings();
  const left = unused(idle);
  let [next, count] = [0, 0];
  let starts: number = RAMP.atOnce;
  let before = 0;
  const told = { kept: 0, warm: 0, cold: 0, throttled: 0, most: 0 };
  for (const now of arrivals) {
    for (let from = kept[next]; from !== undefined && from.at <= now; from = kept[next]) {
      count = from.count;
      next += 1;
    }
    while (provisioned.first() <= now) provisioned.take();
    while (onDemand.first() <= now) left.put(onDemand.take());
    starts = Math.min(RAMP.atOnce, starts + ((now - before) * RAMP.perSecond) / 1000);
    before = now;
    if (provisioned.size() < count) {
      told.kept += 1;
      provisioned.add(now + taken());
    } else if (onDemand.size() >= limit - count) told.throttled += 1;
    else if (left.take(now)) {
      told.warm += 1;
      onDemand.add(now + taken());
    } else if (starts < 1) told.throttled += 1;
    else {
      starts -= 1;
      told.cold += 1;
      onDemand.add(now + init + taken());
    }
    told.most = Math.max(told.most, provisioned.size() + onDemand.size());
  }
  return { requests: arrivals.length, ...told };
}

/** Environments without a request, by the time at which the last one ended. */
function unused(idle: number) {
  const since: number[] = [];
  let oldest = 0;
  return {
    /** At that time or later ones from now on. */
    put: (time: number): void => void since.push(time),
    /** @returns false where none is there any more */
    take: (now: number): boolean => {
      while (oldest < since.length && (since[oldest] ?? 0) + idle < now) oldest += 1;
      if (oldest === since.length) return false;
      since.pop();
      if (oldest > 1000) oldest -= since.splice(0, oldest).length;
      return true;
    },
  };
}

/**
 * Share of requests that find none of so many environments free, where each takes the same time. Those count
 * as cold by Erlang B, too; whether an environment on demand is there by chance is in `replay` alone.
 *
 * @param service milliseconds
 */
export function shareBeyond(arrivals: Arrivals, service: number, kept: number): number {
  if (arrivals.length === 0) return 0;
  // All take the same time, so that the first to begin ends first: only the oldest one can be free.
  const ends = new Float64Array(Math.max(1, kept)).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  let beyond = 0;
  for (const now of arrivals) {
    if (kept === 0 || (ends[oldest] ?? 0) > now) beyond += 1;
    else {
      ends[oldest] = now + service;
      oldest = (oldest + 1) % kept;
    }
  }
  return beyond / arrivals.length;
}

/** The fewest environments beyond which at most this share of the arrivals goes. */
export function leastKept(arrivals: Arrivals, service: number, share: number): number {
  if (!(share > 0)) throw new RangeError(`A share of ${share} is kept by no number of environments.`);
  if (arrivals.length === 0) return 0;
  let high = 1;
  while (shareBeyond(arrivals, service, high) > share) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (shareBeyond(arrivals, service, middle) > share) low = middle;
    else high = middle;
  }
  return high;
}
