import { HOUR_MS, MINUTE_MS } from '../../units/time.ts';
import type { Arrivals } from '../arrivals.ts';
import { seeded } from '../random.ts';

/** Requests in a minute that begins at a time, in milliseconds since the epoch. */
export type MinuteCount = { readonly at: number; readonly count: number };

/**
 * Arrivals of which only the number in each minute is known: within a minute they know nothing of each other
 * (Poisson). Bursts within a minute are not in them.
 *
 * @param minutes ascending @returns milliseconds since the epoch
 */
export function scattered(minutes: readonly MinuteCount[], seed: number): Arrivals {
  const chance = seeded(seed);
  const arrivals: number[] = [];
  for (const { at, count } of minutes) {
    const within = Float64Array.from({ length: Math.round(count) }, () => at + chance() * MINUTE_MS).sort();
    for (const time of within) arrivals.push(time);
  }
  return arrivals;
}

/**
 * As many minutes in a row as have at most so many requests together: those with the most in their time. By
 * their number alone quiet minutes would be taken, which come nearer to it than busy ones.
 */
export function busiest(minutes: readonly MinuteCount[], most: number): readonly MinuteCount[] {
  let [first, sum] = [0, 0];
  let best = { from: 0, to: 0, rate: -1 };
  for (const [index, { at, count }] of minutes.entries()) {
    sum += count;
    for (; sum > most && first <= index; first += 1) sum -= minutes[first]?.count ?? 0;
    const next = minutes[index + 1]?.count ?? Number.POSITIVE_INFINITY;
    // Those that have room for the next one are a part of others.
    if (first > index || sum + next <= most) continue;
    const rate = sum / (at + MINUTE_MS - (minutes[first]?.at ?? at));
    if (rate > best.rate) best = { from: first, to: index + 1, rate };
  }
  return minutes.slice(best.from, best.to);
}

/**
 * How much more the number of arrivals in a length of time varies than that of arrivals which know nothing of
 * each other, whose variance is their mean: 1 for those. Against the mean of the same hour, so that a day
 * that is not even is no burst.
 *
 * @param length milliseconds
 */
export function dispersion(arrivals: Arrivals, length: number): number | undefined {
  const [first = 0] = arrivals;
  const end = (arrivals.at(-1) ?? first) - first;
  const slots = Math.floor(end / length);
  if (slots < 30) return undefined;
  const counts = new Float64Array(slots);
  for (const at of arrivals) {
    const slot = Math.floor((at - first) / length);
    if (slot < slots) counts[slot] = (counts[slot] ?? 0) + 1;
  }
  const block = Math.max(30, Math.round(HOUR_MS / length));
  let [variance, mean] = [0, 0];
  for (let from = 0; from < slots; from += block) {
    const part = counts.subarray(from, Math.min(slots, from + block));
    if (part.length < 2) continue;
    const average = part.reduce((sum, count) => sum + count, 0) / part.length;
    const squares = part.reduce((sum, count) => sum + (count - average) ** 2, 0);
    variance += (squares / (part.length - 1)) * part.length;
    mean += average * part.length;
  }
  return mean > 0 ? variance / mean : undefined;
}

/** Requests a second in each hour of the clock, of arrivals without a gap: by hours since the epoch. */
export function clockRates(arrivals: Arrivals): ReadonlyMap<number, number> {
  const [first = 0] = arrivals;
  const last = arrivals.at(-1) ?? first;
  const counts = new Map<number, number>();
  for (const at of arrivals) {
    const hour = Math.floor(at / HOUR_MS);
    counts.set(hour, (counts.get(hour) ?? 0) + 1);
  }
  const length = (hour: number): number =>
    Math.min(last, (hour + 1) * HOUR_MS) - Math.max(first, hour * HOUR_MS);
  return new Map(
    [...counts].map(([hour, count]) => [hour, (1000 * count) / Math.max(MINUTE_MS, length(hour))]),
  );
}

/** Requests a second in parts of about an hour; all together where they are of less than two. */
export function hourlyRates(
  arrivals: Arrivals,
): readonly { readonly rate: number; readonly weight: number }[] {
  const [first = 0] = arrivals;
  const length = (arrivals.at(-1) ?? first) - first;
  if (!(length > 0)) return [];
  const parts = length < 2 * HOUR_MS ? 1 : Math.round(length / HOUR_MS);
  const counts = new Float64Array(parts);
  for (const at of arrivals) {
    const part = Math.min(parts - 1, Math.floor(((at - first) * parts) / length));
    counts[part] = (counts[part] ?? 0) + 1;
  }
  const weight = length / parts / 1000;
  return Array.from(counts, (count) => ({ rate: count / weight, weight }));
}
