import type { Scaling } from '../ports/aws.ts';
import { DAY_MS, MINUTE_MS } from '../units/time.ts';
import { wallClock } from '../units/wall-clock.ts';
import { weeklyTimes } from './state/weekly.ts';

/**
 * The range of instances that a version's schedules have in force: that of the action that began last, else
 * the version's own.
 * @param now milliseconds since the epoch
 * @throws where a schedule is not of the form `cron(<minute> <hour> ? * <days> *)`
 */
export function rangeAt(scaling: Scaling, now: number): { readonly min: number; readonly max: number } {
  let range = { min: scaling.min, max: scaling.max };
  let since = Number.NEGATIVE_INFINITY;
  for (const { at, timezone, min, max } of scaling.schedules) {
    const due = lastDue(at, timezone, now);
    if (due === undefined || due < since) continue;
    range = { min, max };
    since = due;
  }
  return range;
}

/** The latest time, at most `now`, at which a weekly schedule began. */
function lastDue(schedule: string, timezone: string, now: number): number | undefined {
  const times = weeklyTimes(schedule);
  if (times === undefined) throw new Error(`Not a weekly schedule: ${schedule}`);
  const { minute, days } = times;
  const today = Math.floor(wallClock(now, timezone) / DAY_MS) * DAY_MS;
  // A week back and a day: today's may still be to come.
  for (let back = 0; back <= 7; back += 1) {
    const day = today - back * DAY_MS;
    if (!days.has(new Date(day).getUTCDay())) continue;
    const due = moment(day + minute * MINUTE_MS, timezone);
    if (due <= now) return due;
  }
  return undefined;
}

/**
 * When the zone's clocks show this: the first time if twice, the moment of the jump's other side if never.
 */
function moment(shown: number, timezone: string): number {
  const offsets = [shown - DAY_MS, shown + DAY_MS].map((near) => wallClock(near, timezone) - near);
  const times = offsets.map((offset) => shown - offset);
  const right = times.filter((time) => wallClock(time, timezone) === shown);
  return right.length > 0 ? Math.min(...right) : Math.max(...times);
}
