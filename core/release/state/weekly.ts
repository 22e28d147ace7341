/** Weekly schedules of provisioned concurrency, `cron(<minute> <hour> ? * <days> *)`. Pure. */

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const DAY = 24 * 60;

/** When a schedule begins: minutes since midnight, and days of the week, 0 is Sunday. */
type WeeklyTimes = { readonly minute: number; readonly days: ReadonlySet<number> };

/** @returns undefined where it is not of that form */
export function weeklyTimes(schedule: string): WeeklyTimes | undefined {
  const [, minute, hour, field] = /^cron\((\d{1,2}) (\d{1,2}) [?*] \* (\S+) \*\)$/.exec(schedule) ?? [];
  const days = field === undefined ? undefined : daysOf(field);
  return days && { minute: Number(hour) * 60 + Number(minute), days };
}

/**
 * Days of the week from `*`, `?`, or a list of names and ranges, for example `MON-FRI,SUN`:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
function daysOf(field: string): ReadonlySet<number> | undefined {
  if (field === '*' || field === '?') return new Set(DAYS.keys());
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [first = -1, last = first] = part.split('-').map((day) => DAYS.indexOf(day.toUpperCase()));
    if (first < 0 || last < 0) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === last) break;
    }
  }
  return found;
}

/**
 * The end of a window on the days on which no other one begins a minute later. Two windows cannot touch, so
 * that minute is between any two that follow each other, at midnight, too. In it Application Auto Scaling
 * would take away what the range of all other times does not have, and need minutes to start it again:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html
 *
 * @param starts of the windows in the same time zone
 * @returns undefined where no day is left
 */
export function withoutFollowed(end: string, starts: readonly string[]): string | undefined {
  const times = weeklyTimes(end);
  if (times === undefined) return end;
  const { minute, days } = times;
  const next = (minute + 1) % DAY;
  const begins = starts.flatMap((start) => weeklyTimes(start) ?? []).filter((one) => one.minute === next);
  const left = [...days].filter(
    (day) => !begins.some((one) => one.days.has(next === 0 ? (day + 1) % 7 : day)),
  );
  if (left.length === days.size) return end;
  const names = DAYS.filter((_, day) => left.includes(day)).join(',');
  return names === '' ? undefined : `cron(${minute % 60} ${Math.floor(minute / 60)} ? * ${names} *)`;
}
