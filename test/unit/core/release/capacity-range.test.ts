import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeAt } from '../../../../core/release/capacity-range.ts';

const action = (at: string, min: number, timezone = 'Europe/Berlin') => ({
  name: at,
  at,
  timezone,
  min,
  max: 50,
});
const office = {
  min: 2,
  max: 20,
  target: 0.7,
  schedules: [action('cron(0 8 ? * MON-FRI *)', 10), action('cron(0 20 ? * MON-FRI *)', 2)],
};
const minAt = (scaling: typeof office, iso: string): number => rangeAt(scaling, Date.parse(iso)).min;

describe('the range in force', () => {
  it('is the version’s own without schedules', () => {
    expect(rangeAt({ ...office, schedules: [] }, 0)).toEqual({ min: 2, max: 20 });
  });

  it('is that of the schedule that began last, by the clocks of its zone', () => {
    // A Thursday in January, UTC+1; then Saturday, Monday, and summer time.
    expect(minAt(office, '2026-01-08T06:59:59Z')).toBe(2);
    expect(rangeAt(office, Date.parse('2026-01-08T07:00:00Z'))).toEqual({ min: 10, max: 50 });
    expect(minAt(office, '2026-01-08T18:59:59Z')).toBe(10);
    expect(minAt(office, '2026-01-08T19:00:00Z')).toBe(2);
    expect(minAt(office, '2026-01-10T12:00:00Z')).toBe(2);
    expect(minAt(office, '2026-01-12T07:00:00Z')).toBe(10);
    expect(minAt(office, '2026-07-08T05:59:59Z')).toBe(2);
    expect(minAt(office, '2026-07-08T06:00:00Z')).toBe(10);
  });

  it('may be a week old, and of days in a list or over the week’s end', () => {
    const sundays = { ...office, schedules: [action('cron(30 9 ? * SUN *)', 7, 'UTC')] };
    expect(minAt(sundays, '2026-01-11T09:29:59Z')).toBe(7);
    const days = { ...office, schedules: [action('cron(0 0 ? * SAT-SUN,WED *)', 7, 'UTC')] };
    const other = { ...days, schedules: [...days.schedules, action('cron(0 12 * * ? *)', 3, 'UTC')] };
    for (const [day, min] of [
      ['06', 3], // Tuesday
      ['07', 7],
      ['08', 3],
      ['10', 7],
      ['11', 7],
      ['12', 3],
    ] as const)
      expect(minAt(other, `2026-01-${day}T06:00:00Z`)).toBe(min);
  });

  it('changes at a time that clocks show twice at the first, and at one they skip after the jump', () => {
    const night = {
      ...office,
      schedules: [action('cron(30 2 ? * SUN *)', 9), action('cron(0 0 ? * SUN *)', 1)],
    };
    // 25 October 2026: 02:30 is at 00:30Z and 01:30Z. 29 March 2026: 02:30 is never; 01:00Z becomes 03:00.
    expect([minAt(night, '2026-10-25T00:29:00Z'), minAt(night, '2026-10-25T00:30:00Z')]).toEqual([1, 9]);
    expect([minAt(night, '2026-03-29T01:29:00Z'), minAt(night, '2026-03-29T01:30:00Z')]).toEqual([1, 9]);
  });

  it('agrees with clocks read minute by minute', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
    const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
    const at = fc.record({
      hour: fc.integer({ min: 4, max: 23 }),
      minute: fc.integer({ min: 0, max: 59 }),
      day: fc.constantFrom(...days),
      zone: fc.constantFrom(...zones),
    });
    const start = Date.parse('2026-01-01T00:00:00Z');
    fc.assert(
      fc.property(at, fc.integer({ min: 0, max: 365 * 24 * 60 }), ({ hour, minute, day, zone }, after) => {
        const now = start + after * 60_000;
        const shown = (time: number): string =>
          new Intl.DateTimeFormat('en-US', {
            timeZone: zone,
            hourCycle: 'h23',
            weekday: 'short',
            hour: '2-digit',
            minute: '2-digit',
          }).format(time);
        const wanted = `${day[0]}${day.slice(1).toLowerCase()} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
        // Two actions a minute apart: of the earlier one's minute alone the earlier one is in force.
        const later =
          minute === 59 ? `cron(0 ${(hour + 1) % 24} ? * * *)` : `cron(${minute + 1} ${hour} ? * * *)`;
        const scaling = {
          ...office,
          schedules: [action(`cron(${minute} ${hour} ? * ${day} *)`, 9, zone), action(later, 1, zone)],
        };
        expect(rangeAt(scaling, now).min === 9).toBe(shown(now) === wanted);
      }),
    );
  });

  it('cannot be told of any other schedule', () => {
    for (const at of ['rate(1 day)', 'cron(0 8 1 * ? *)', 'cron(0 8 ? * MON-XYZ *)', 'cron(0 8 ? * 2 *)'])
      expect(() => rangeAt({ ...office, schedules: [action(at, 1)] }, 0)).toThrow(/^Not /);
  });
});
