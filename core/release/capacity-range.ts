import type { Scaling } from '../ports/aws.ts';
import { DAY_MS, MINUTE_MS } from '../units/time.ts';
import { wallClock } from '../units/wall-clock.ts';

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

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
  const { minute, hour, days } = parsed(schedule);
  const today = Math.floor(wallClock(now, timezone) / DAY_MS) * DAY_MS;
  // A week back and a day: today's may still be to come.
  for (let back = 0; back <= 7; back += 1) {
    const day = today - back * DAY_MS;
    if (!days.has(new Date(day).getUTCDay())) continue;
    const due = moment(day + (hour * 60 + minute) * MINUTE_MS, timezone);
    if (due <= now) return due;
  }
  return undefined;
}

function parsed(schedule: string) {
  const [, minute, hour, days] = /^cron\((\d{1,2}) (\d{1,2}) [?*] \* (\S+) \*\)$/.exec(schedule) ?? [];
  if (minute === undefined || hour === undefined || days === undefined)
    throw new Error(`Not a weekly schedule: ${schedule}`);
  return { minute: Number(minute), hour: Number(hour), days: daysOf(days) };
}

/**
 * Days of the week, 0 is Sunday, from `*`, `?`, or a list of names and ranges, for example `MON-FRI,SUN`:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
function daysOf(field: string): ReadonlySet<number> {
  if (field === '*' || field === '?') return new Set(DAYS.keys());
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [first = -1, last = first] = part.split('-').map((day) => DAYS.indexOf(day.toUpperCase()));
    if (first < 0 || last < 0) throw new Error(`Not days of the week: ${field}`);
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === last) break;
    }
  }
  return found;
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
