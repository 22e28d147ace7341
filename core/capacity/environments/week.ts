import { HOUR_MS, MINUTE_MS } from '../../units/time.ts';
import { wallClock } from '../../units/wall-clock.ts';
import type { RateFor } from './keep.ts';
import type { MinuteCount } from './minutes.ts';

/** Requests a second in each hour of a week, from Monday on: 168 of them. */
export type Week = readonly number[];

export const DAY_HOURS = 24;
export const WEEK_HOURS = 7 * DAY_HOURS;
const DAY_MINUTES = 24 * 60;
/** The first Monday of the epoch, and what its weeks begin with. */
const MONDAY = 4 * DAY_HOURS * HOUR_MS;

/** Hours of days; Monday is 0. Minutes are those since midnight. */
export type WeekWindow = { readonly days: readonly number[]; readonly from: number; readonly to: number };

export const evenWeek = (rate: number): Week => Array.from({ length: WEEK_HOURS }, () => rate);

/** @param hours 24 rates */
export const dailyWeek = (hours: readonly number[]): Week =>
  Array.from({ length: WEEK_HOURS }, (_, hour) => hours[hour % DAY_HOURS] ?? 0);

/**
 * What minutes say of a week. An hour of the week that they do not reach has the mean of the same hour on
 * other days, or of all.
 *
 * @param minutes ascending; those that are not there had no request
 * @param end of the last minute, in milliseconds since the epoch
 */
export function weekOf(
  minutes: readonly MinuteCount[],
  end: number,
  timezone: string,
): { readonly week: Week; readonly seen: number } {
  const counts = new Float64Array(WEEK_HOURS);
  const lengths = new Float64Array(WEEK_HOURS);
  const at = new Map(minutes.map(({ at: minute, count }) => [minute, count]));
  for (let minute = minutes[0]?.at ?? end; minute < end; minute += MINUTE_MS) {
    const hour = Math.floor(minuteOfWeek(minute, timezone) / 60);
    counts[hour] = (counts[hour] ?? 0) + (at.get(minute) ?? 0);
    lengths[hour] = (lengths[hour] ?? 0) + 60;
  }
  const rateOf = (hours: readonly number[]): number | undefined => {
    const length = hours.reduce((sum, hour) => sum + (lengths[hour] ?? 0), 0);
    return length > 0 ? hours.reduce((sum, hour) => sum + (counts[hour] ?? 0), 0) / length : undefined;
  };
  const all = Array.from({ length: WEEK_HOURS }, (_, hour) => hour);
  const week = all.map(
    (hour) =>
      rateOf([hour]) ?? rateOf(all.filter((one) => one % DAY_HOURS === hour % DAY_HOURS)) ?? rateOf(all) ?? 0,
  );
  return { week, seen: lengths.reduce((sum, length) => sum + (length > 0 ? 1 : 0), 0) };
}

/** No zone's hours begin at other minutes than those of some quarter. */
const QUARTER = 15 * MINUTE_MS;

/** Minutes since Monday 0:00, as the zone's clocks show a time. */
export const minuteOfWeek = (at: number, timezone: string): number =>
  Math.floor((shownAt(Math.floor(at / QUARTER) * QUARTER, timezone) + (at % QUARTER) - MONDAY) / MINUTE_MS) %
  (7 * DAY_MINUTES);

const shown = new Map<string, number>();

function shownAt(at: number, timezone: string): number {
  const key = `${timezone} ${at}`;
  const known = shown.get(key);
  if (known !== undefined) return known;
  if (shown.size > 10_000) shown.clear();
  const found = wallClock(at, timezone);
  shown.set(key, found);
  return found;
}

/**
 * Which of the windows a minute of the week is in; -1 for none. The minute between two that follow each other
 * is the first one's, whose range holds through it.
 */
export function windowAt(minute: number, windows: readonly WeekWindow[]): number {
  const found = windowWith(minute, windows);
  if (found !== -1 || windowWith(minute + 1, windows) === -1) return found;
  return windowWith(minute - 1, windows);
}

function windowWith(minute: number, windows: readonly WeekWindow[]): number {
  const day = Math.floor(minute / DAY_MINUTES + 7) % 7;
  const time = (minute + DAY_MINUTES) % DAY_MINUTES;
  return windows.findIndex(({ days, from, to }) => days.includes(day) && time >= from && time < to);
}

/** The rates within each window, and first of all those outside of all. Weights are minutes. */
export function ratesWithin(week: Week, windows: readonly WeekWindow[]): readonly (readonly RateFor[])[] {
  const parts: { rate: number; weight: number }[][] = [-1, ...windows.keys()].map(() => []);
  for (const [hour, rate] of week.entries()) {
    const lengths = new Float64Array(parts.length);
    for (let minute = 0; minute < 60; minute += 1) {
      const part = windowAt(hour * 60 + minute, windows) + 1;
      lengths[part] = (lengths[part] ?? 0) + 1;
    }
    for (const [part, weight] of lengths.entries()) if (weight > 0) parts[part]?.push({ rate, weight });
  }
  return parts;
}

/** A window must spare at least this share of what is kept. */
const WORTH = 0.1;

/** Hours of days that are alike, and what they and the other hours of these days need. */
type Hours = {
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly inside: number;
  readonly outside: number;
  /** What it must spare to be worth it. */
  readonly least: number;
};

/**
 * Windows in which another number should be kept than at all other times: one for working days and one for
 * the weekend, or one for all days where they are alike. Each ends on the day on which it begins.
 *
 * @param keptAt what an hour with such a rate needs
 */
export function windowsFor(week: Week, keptAt: (rate: number) => number): readonly WeekWindow[] {
  const needed = new Map([...new Set(week)].map((rate) => [rate, keptAt(rate)]));
  const needs = week.map((rate) => needed.get(rate) ?? 0);
  const isDaily = needs.every((need, hour) => need === needs[hour % DAY_HOURS]);
  const groups = isDaily
    ? [[0, 1, 2, 3, 4, 5, 6]]
    : [
        [0, 1, 2, 3, 4],
        [5, 6],
      ];
  const [first = [], others = [undefined]] = groups.map((days) => hoursOf(days, needs));
  let best: { readonly chosen: readonly (Hours | undefined)[]; readonly kept: number } | undefined;
  for (const one of first)
    for (const other of others) {
      const kept = keptBy(one, other);
      if (best === undefined || kept < best.kept) best = { chosen: [one, other], kept };
    }
  return (best?.chosen ?? []).flatMap((hours) =>
    hours === undefined || hours.from === hours.to
      ? []
      : [{ days: hours.days, from: hours.from * 60, to: hours.to * 60 }],
  );
}

/** Every window that these days may have; none first of all. */
function hoursOf(days: readonly number[], needs: readonly number[]): readonly Hours[] {
  const most = Array.from({ length: DAY_HOURS }, (_, hour) =>
    Math.max(...days.map((day) => needs[day * DAY_HOURS + hour] ?? 0)),
  );
  const highest = (hours: readonly number[]): number => Math.max(0, ...hours);
  const least = WORTH * DAY_HOURS * days.length * highest(most);
  const found: Hours[] = [{ days, from: 0, to: 0, inside: 0, outside: highest(most), least: 0 }];
  for (let from = 0; from < DAY_HOURS; from += 1)
    // A window must end before midnight, by the schedule's rules.
    for (let to = from + 1; to < DAY_HOURS; to += 1) {
      const inside = highest(most.slice(from, to));
      const outside = highest([...most.slice(0, from), ...most.slice(to)]);
      found.push({ days, from, to, inside, outside, least });
    }
  return found;
}

/** Hours of a week times what is kept in them. At all other times one number is kept, on any day. */
function keptBy(one: Hours, other: Hours | undefined): number {
  const outside = Math.max(one.outside, other?.outside ?? 0);
  const more = ({ days, from, inside, least, to }: Hours): number =>
    least + days.length * (to - from) * (inside - outside);
  return WEEK_HOURS * outside + more(one) + (other === undefined ? 0 : more(other));
}
