import { array, assert, constantFrom, double, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import {
  dailyWeek,
  evenWeek,
  minuteOfWeek,
  ratesWithin,
  WEEK_HOURS,
  weekOf,
  windowAt,
  windowsFor,
} from '../../../../../core/capacity/environments/week.ts';

const DAY = 24 * 60;
const monday = Date.UTC(2026, 10, 23);

it('the minute of the week is that of the zone’s clocks', () => {
  expect(minuteOfWeek(monday, 'UTC')).toBe(0);
  expect(minuteOfWeek(monday, 'Europe/Berlin')).toBe(60);
  expect(minuteOfWeek(monday, 'America/New_York')).toBe(7 * DAY - 5 * 60);
  expect(minuteOfWeek(monday + 7 * 60_000, 'Asia/Kathmandu')).toBe(5 * 60 + 45 + 7);
  // Summer time: two hours.
  expect(minuteOfWeek(Date.UTC(2026, 5, 1), 'Europe/Berlin')).toBe(120);
});

it('minutes become the hours of a week; what they do not reach is like other days', () => {
  const minutes = Array.from({ length: 2 * DAY }, (_, i) => ({
    at: monday + i * 60_000,
    count: i < DAY ? 60 : 120,
  }));
  const { week, seen } = weekOf(minutes, monday + 2 * DAY * 60_000, 'UTC');
  expect(seen).toBe(48);
  expect([week[0], week[23], week[24], week[47], week[48]]).toEqual([1, 1, 2, 2, 1.5]);
  // A minute that is not there had no request.
  const sparse = weekOf([{ at: monday, count: 60 }], monday + 2 * 60_000, 'UTC');
  expect(sparse.week).toEqual(evenWeek(0.5));
});

it('windows part a week, minute by minute', () => {
  const week = dailyWeek(Array.from({ length: 24 }, (_, hour) => hour));
  const [outside = [], inside = []] = ratesWithin(week, [{ days: [0, 1], from: 8 * 60 + 30, to: 10 * 60 }]);
  expect(inside).toEqual([
    { rate: 8, weight: 30 },
    { rate: 9, weight: 60 },
    { rate: 8, weight: 30 },
    { rate: 9, weight: 60 },
  ]);
  const minutes = outside.reduce((sum, { weight }) => sum + weight, 0);
  expect(minutes).toBe(7 * DAY - 2 * 90);
  expect(windowAt(DAY + 9 * 60, [{ days: [1], from: 9 * 60, to: 10 * 60 }])).toBe(0);
  expect(windowAt(DAY + 10 * 60, [{ days: [1], from: 9 * 60, to: 10 * 60 }])).toBe(-1);
});

it('the minute between two windows that follow each other is the first one’s, at the end of a week, too', () => {
  const late = { days: [5, 6], from: 20 * 60, to: DAY - 1 };
  const early = { days: [0, 6], from: 0, to: 8 * 60 };
  const last = 6 * DAY - 1;
  const at = (windows: readonly (typeof late)[]) =>
    [last - 1, last, last + 1, 7 * DAY - 1, 0].map((minute) => windowAt(minute, windows));
  expect(at([late, early])).toEqual([0, 0, 1, 0, 1]);
  expect(at([late])).toEqual([0, -1, -1, -1, -1]);
  expect(at([early])).toEqual([-1, -1, 0, -1, 0]);
  // Friday evening is followed by nothing.
  expect(windowAt(5 * DAY - 1, [late, early])).toBe(-1);
});

it('proposes windows where they spare something', () => {
  const keptAt = (rate: number): number => Math.ceil(rate);
  expect(windowsFor(evenWeek(5), keptAt)).toEqual([]);
  const office = Array.from({ length: 24 }, (_, hour) => (hour >= 8 && hour < 18 ? 50 : 5));
  expect(windowsFor(dailyWeek(office), keptAt)).toEqual([
    { days: [0, 1, 2, 3, 4, 5, 6], from: 8 * 60, to: 18 * 60 },
  ]);
  const quiet = dailyWeek(office).map((rate, hour) => (hour >= 5 * 24 ? 5 : rate));
  expect(windowsFor(quiet, keptAt)).toEqual([{ days: [0, 1, 2, 3, 4], from: 8 * 60, to: 18 * 60 }]);
});

it('proposes windows by what is kept at all other times, of working days and the weekend together', () => {
  const keptAt = (rate: number): number => Math.ceil(rate);
  const busy = (days: readonly number[]) =>
    Array.from({ length: WEEK_HOURS }, (_, hour) => (days.includes(Math.floor(hour / 24)) ? 50 : 5));
  // A window ends before midnight, so that the quiet days are those that have one.
  expect(windowsFor(busy([5, 6]), keptAt)).toEqual([{ days: [0, 1, 2, 3, 4], from: 0, to: 23 * 60 }]);
  expect(windowsFor(busy([0, 1, 2, 3, 4]), keptAt)).toEqual([{ days: [5, 6], from: 0, to: 23 * 60 }]);
  // What the weekend needs is kept in the nights of working days, too: a window for days spares nothing.
  const office = dailyWeek(Array.from({ length: 24 }, (_, hour) => (hour >= 8 && hour < 18 ? 50 : 5)));
  const weekend = office.map((rate, hour) => (hour >= 5 * 24 ? 50 : rate));
  expect(windowsFor(weekend, keptAt)).toEqual([{ days: [0, 1, 2, 3, 4], from: 0, to: 8 * 60 }]);
});

it('asks what a rate needs once, although hours are alike', () => {
  let asked = 0;
  windowsFor(dailyWeek(Array.from({ length: 24 }, (_, hour) => hour % 2)), (rate) => {
    asked += 1;
    return rate;
  });
  expect(asked).toBe(2);
});

it('windows neither overlap nor leave their day, and every minute is in one part', () => {
  const hours = array(double({ min: 0, max: 90, noNaN: true }), { minLength: 24, maxLength: WEEK_HOURS });
  assert(
    property(hours, (given) => {
      const week = Array.from({ length: WEEK_HOURS }, (_, hour) => given[hour % given.length] ?? 0);
      const windows = windowsFor(week, (rate) => Math.ceil(rate));
      for (const { from, to, days } of windows) {
        expect(from).toBeLessThan(to);
        expect(to).toBeLessThan(DAY);
        expect(days.length).toBeGreaterThan(1);
      }
      const all = ratesWithin(week, windows).flat();
      expect(all.reduce((sum, { weight }) => sum + weight, 0)).toBe(7 * DAY);
      const mean = all.reduce((sum, { rate, weight }) => sum + rate * weight, 0) / (7 * DAY);
      expect(mean).toBeCloseTo(week.reduce((sum, rate) => sum + rate, 0) / WEEK_HOURS, 8);
    }),
    { numRuns: 30 },
  );
});

it('a time is in a window when its minute is, in any zone', () => {
  assert(
    property(
      integer({ min: 0, max: 60 * 24 * 700 }),
      constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe'),
      record({ from: integer({ min: 0, max: 700 }), length: integer({ min: 1, max: 600 }) }),
      (minute, timezone, { from, length }) => {
        const at = monday + minute * 60_000;
        const shown = new Intl.DateTimeFormat('en-GB', {
          timeZone: timezone,
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23',
        }).format(at);
        const [hour = 0, minutes = 0] = shown.split(':').map(Number);
        const time = hour * 60 + minutes;
        expect(minuteOfWeek(at, timezone) % DAY).toBe(time);
        const days = [0, 1, 2, 3, 4, 5, 6];
        const isIn = windowAt(minuteOfWeek(at, timezone), [{ days, from, to: from + length }]) === 0;
        expect(isIn).toBe(time >= from && time < from + length);
      },
    ),
  );
});
