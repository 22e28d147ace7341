/**
 * After promotion: 24 hours of the live version alone. A base of 0.5 % errors, a lognormal factor (sd 0.5)
 * each five minutes, a wave over the day, one outage of five minutes at 30 %. An alarm asks; the reversed
 * canary answers.
 */
import { counting } from '../../core/judge/counts.ts';
import { isClearlyWorse, REVERSED_AT } from '../../core/judge/regression.ts';
import { REVERSED_MINUTES } from '../../core/judge/reversed.ts';
import { median } from '../median.ts';
import { minute as minuteOf, once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { NEVER } from './rules.ts';

const DAY = 1440;
const BASE = 0.005;
const QUIET = 60;
/** Alarms that are answered in a day, at most. */
const ASKED = 6;

const wave = (minute: number): number => 1 + 0.5 * Math.sin((minute / DAY) * 2 * Math.PI);
const factor = (random: Random): number => Math.exp(-0.125 + 0.5 * random.normal());

type Day = {
  readonly n: readonly number[];
  readonly x: readonly number[];
  /** Error rates of the live version and of the last good one. */
  readonly live: readonly number[];
  readonly world: readonly number[];
  /** Highest share of errors in five minutes that the days before had, up to one in 200 windows. */
  readonly usual: number;
};

function dayOf(random: Random, perSecond: number, times: number, onset: number): Day {
  const start = random.below(DAY - 5);
  let now = 1;
  const world: number[] = [];
  const live: number[] = [];
  for (let minute = 0; minute < DAY; minute++) {
    if (minute % 5 === 0) now = factor(random);
    const isOutage = minute >= start && minute < start + 5;
    const rate = Math.min(1, BASE * now * wave(minute));
    world.push(isOutage ? 0.3 : rate);
    live.push(isOutage ? 0.3 : minute >= onset ? Math.min(1, rate * times) : rate);
  }
  const n = world.map(() => random.poisson(perSecond * 60));
  const x = n.map((count, minute) => random.binomial(count, live[minute] ?? 0));
  const history = Array.from({ length: 3 * 288 }, (_, i) => {
    const count = random.poisson(perSecond * 300);
    const rate = i % 288 === 100 ? 0.3 : BASE * factor(random) * wave((i % 288) * 5);
    return random.binomial(count, rate) / Math.max(1, count);
  }).sort((a, b) => a - b);
  return { n, x, live, world, usual: history[Math.ceil(0.995 * history.length) - 1] ?? 1 };
}

/** Minutes at whose end the trigger fires. */
type Trigger = { readonly name: string; readonly alarms: (day: Day) => readonly number[] };
const TRIGGERS: readonly Trigger[] = [
  {
    name: 'errors > 1 %, 3 of 5 min',
    alarms: ({ n, x }) => {
      const bad = x.map((count, i) => Number(count > 0.01 * Math.max(1, n[i] ?? 0)));
      return bad.flatMap((_, i) =>
        bad.slice(Math.max(0, i - 4), i + 1).reduce((sum, one) => sum + one, 0) >= 3 ? [i + 1] : [],
      );
    },
  },
  {
    name: '2 windows above history',
    alarms: ({ n, x, usual }) => {
      const windows = Array.from({ length: DAY / 5 }, (_, i) => {
        const sum = (list: readonly number[]): number =>
          list.slice(5 * i, 5 * i + 5).reduce((a, b) => a + b, 0);
        return sum(x) / Math.max(1, sum(n)) > usual;
      });
      return windows.flatMap((is, i) => (is && windows[i - 1] === true ? [5 * i + 5] : []));
    },
  },
];

/** Minutes until the live version is blamed, NEVER if it is acquitted. */
function confirm(random: Random, { live, world }: Day, from: number, perSecond: number): number {
  const add = counting();
  for (let minute = 0; minute < REVERSED_MINUTES; minute++) {
    const n = random.poisson(perSecond * 60);
    const n1 = random.binomial(n, 0.5);
    const x1 = random.binomial(n1, live[from + minute] ?? 0);
    const x2 = random.binomial(n - n1, world[from + minute] ?? 0);
    const counts = add({ step: 0, weight: 0.5, x1, n1, x2, n2: n - n1 });
    if (isClearlyWorse(counts, REVERSED_AT)) return minute + 1;
  }
  return NEVER;
}

const CASES: Readonly<Record<string, readonly [times: number, onset: number]>> = {
  healthy: [1, 0],
  '0.5→1 %': [2, 0],
  '0.5→2.5 %': [5, 0],
  '0.5→2.5 % after 6 h': [5, 360],
};

export type Watched = { readonly alarmed: number; readonly rolledBack: number; readonly minute: number };
export type WatchGrid = {
  readonly table: Table;
  readonly of: (perSecond: number, name: string, trigger: 'nervous' | 'history') => Watched;
};

export const watch = once((runs: number): WatchGrid => {
  const cells = [1, 10, 100].flatMap((perSecond) =>
    Object.entries(CASES).flatMap(([name, [times, onset]]) => {
      const random = randomOf(`watch ${perSecond} ${name}`);
      const days = Array.from({ length: runs }, () => dayOf(random, perSecond, times, onset));
      return TRIGGERS.map((trigger) => {
        let alarmed = 0;
        const confirmations: number[] = [];
        const done = days.map((day) => {
          const alarms = trigger.alarms(day);
          if (alarms.some((time) => time < DAY)) alarmed += 1;
          let quietUntil = 0;
          for (let asked = 0; asked < ASKED; asked++) {
            const alarm = alarms.find((time) => time > quietUntil && time < DAY - REVERSED_MINUTES);
            if (alarm === undefined) return NEVER;
            const took = confirm(random, day, alarm, perSecond);
            confirmations.push(Math.min(took, REVERSED_MINUTES));
            if (took < NEVER) return alarm + took;
            quietUntil = alarm + QUIET;
          }
          return NEVER;
        });
        const asked = confirmations.reduce((sum, took) => sum + took, 0) / Math.max(1, confirmations.length);
        return {
          perSecond,
          name,
          trigger: trigger.name,
          onset,
          asked,
          alarmed: alarmed / runs,
          rolledBack: done.filter((time) => time < NEVER).length / runs,
          minute: median(done) - onset,
        };
      });
    }),
  );
  return {
    table: {
      title: 'After promotion',
      about:
        '24 hours of one live version. Without confirmation each alarm would be a rollback. Minutes from the onset to the rollback; of the reversed canary, on average.',
      head: [
        'traffic',
        'live version',
        'alarm',
        'alarmed, %',
        'rolled back, %',
        'median minute',
        'minutes of canary',
      ],
      rows: cells.map(({ perSecond, name, trigger, alarmed, rolledBack, minute, asked }) => [
        `${perSecond}/s`,
        name,
        trigger,
        percent(alarmed),
        percent(rolledBack),
        minuteOf(minute),
        asked.toFixed(1),
      ]),
    },
    of: (perSecond, name, trigger) => {
      const wanted = TRIGGERS[trigger === 'nervous' ? 0 : 1]?.name;
      const cell = cells.find(
        (one) => one.perSecond === perSecond && one.name === name && one.trigger === wanted,
      );
      if (cell === undefined) throw new Error(`There is no cell ${perSecond}/s, ${name}.`);
      return cell;
    },
  };
});
