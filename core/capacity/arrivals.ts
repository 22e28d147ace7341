import { seeded } from './random.ts';

/** When requests are to be sent: milliseconds from the start of a run, ascending. */
export type Arrivals = readonly number[];

/** One request every 1/rate seconds; at least one. */
export function evenArrivals(rate: number, seconds: number): Arrivals {
  const count = Math.max(1, Math.floor(rate * seconds));
  return Array.from({ length: count }, (_, i) => (i * 1000) / rate);
}

/**
 * A Poisson process: what many clients make together that know nothing of each other, and what MLPerf's
 * Server scenario sends. At least one.
 */
export function poissonArrivals(rate: number, seconds: number, seed: number): Arrivals {
  const chance = seeded(seed);
  const arrivals: number[] = [];
  const end = seconds * 1000;
  for (let at = 0; ; ) {
    at += (-Math.log1p(-chance()) * 1000) / rate;
    if (at >= end && arrivals.length > 0) return arrivals;
    arrivals.push(Math.min(at, end));
  }
}

/** Seconds since the epoch in the year 5138: whoever means milliseconds is beyond it. */
const LAST = 1e11;

/** Why times from a file cannot be replayed: the line (from 1), and what is wrong with it. */
export type ArrivalFault = { readonly line: number; readonly value: string; readonly fault: string };

/**
 * Times as text, seconds, one a line; empty lines and those that begin with # say nothing. The first request
 * starts the run.
 */
export function readArrivals(text: string): Arrivals | ArrivalFault {
  const arrivals: number[] = [];
  let before = Number.NEGATIVE_INFINITY;
  let first: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const value = line.trim();
    if (value === '' || value.startsWith('#')) continue;
    const at = Number(value);
    const line1 = { line: index + 1, value: value.slice(0, 60) };
    if (!Number.isFinite(at)) return { ...line1, fault: 'is no number of seconds' };
    if (Math.abs(at) > LAST) {
      const fault = `is beyond ${LAST.toLocaleString('en-US')} s, the year 5138: divide times in milliseconds by 1,000`;
      return { ...line1, fault };
    }
    if (at < before) return { ...line1, fault: `is before ${before}, the time of the request before it` };
    before = at;
    first ??= at;
    arrivals.push((at - first) * 1000);
  }
  if (arrivals.length === 0) return { line: 1, value: '', fault: 'has no time at all' };
  return arrivals;
}

/** Requests a second that arrivals are on average; the last one ends the time. */
export function meanRate(arrivals: Arrivals): number {
  const last = arrivals.at(-1) ?? 0;
  return last > 0 ? ((arrivals.length - 1) * 1000) / last : Number.POSITIVE_INFINITY;
}
