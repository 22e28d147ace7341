/**
 * Which rule is sooner when none is more nervous: every rule's one parameter is set, for each traffic and
 * base rate by itself, to the least value at which it rolls back no more healthy releases than the judge
 * does. A user never knows that value; it is given away here. Healthy is first calm traffic alone, then calm,
 * outage, noise and sick instances, a quarter each.
 */
import type { Row } from '../../core/judge/counts.ts';
import { type Cell, cells, minute as minuteOf, once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { checks, NEVER, ours, type Rule, ranks, rateOf, times, zRule } from './rules.ts';
import { erring, type Kind, planOf, requests } from './traffic.ts';

/** A rule with a threshold. `critical`: the largest threshold at which it still rolls this release back. */
type Family = {
  readonly name: string;
  readonly kind: 'threshold' | 'statistic';
  readonly critical: (minutes: readonly Row[]) => number;
  readonly at: (threshold: number) => Rule['first'];
};

const excess = (minute: Row): number => rateOf(minute) - (minute.n2 > 0 ? minute.x2 / minute.n2 : 0);

/** The greatest value that `count` of some `window` consecutive minutes exceed or reach. */
function reached(
  minutes: readonly Row[],
  count: number,
  window: number,
  of: (minute: Row) => number,
): number {
  const values = minutes.map(of);
  let most = Number.NEGATIVE_INFINITY;
  for (let end = 1; end <= values.length; end++) {
    const last = values.slice(Math.max(0, end - window), end);
    if (last.length < count) continue;
    most = Math.max(most, last.sort((a, b) => b - a)[count - 1] ?? most);
  }
  return most;
}

function greatestZ(minutes: readonly Row[]): number {
  let [X1, mean, variance, most] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  for (const { x1, x2, weight } of minutes) {
    X1 += x1;
    mean += weight * (x1 + x2);
    variance += weight * (1 - weight) * (x1 + x2);
    if (variance > 0) most = Math.max(most, (X1 - mean) / Math.sqrt(variance));
  }
  return most;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'errors > c in a minute (aws-lambda-deploy)',
    kind: 'threshold',
    critical: (minutes) => reached(minutes, 1, 1, ({ x1 }) => x1),
    at: (threshold) => times(1, 1, ({ x1 }) => x1 > threshold),
  },
  {
    name: 'errors > c, 2 of 2 min (alarm)',
    kind: 'threshold',
    critical: (minutes) => reached(minutes, 2, 2, ({ x1 }) => x1),
    at: (threshold) => times(2, 2, ({ x1 }) => x1 > threshold),
  },
  {
    name: 'rate > c, 3 of 5 min (alarm)',
    kind: 'threshold',
    critical: (minutes) => reached(minutes, 3, 5, rateOf),
    at: (threshold) => times(3, 5, (minute) => rateOf(minute) > threshold),
  },
  {
    name: 'rate > c, 5 failed checks (Flagger)',
    kind: 'threshold',
    critical: (minutes) => minutes.map(rateOf).sort((a, b) => b - a)[4] ?? Number.NEGATIVE_INFINITY,
    at: (threshold) => checks(5, (minute) => rateOf(minute) > threshold),
  },
  {
    name: 'rate > stable’s + c, 3 of 5 min',
    kind: 'threshold',
    critical: (minutes) => reached(minutes, 3, 5, excess),
    at: (threshold) => times(3, 5, (minute) => excess(minute) > threshold),
  },
  {
    name: 'z > c each minute',
    kind: 'statistic',
    critical: greatestZ,
    at: (threshold) => zRule(() => threshold),
  },
];
/** Has three looks only, and is quiet enough as it is. */
const RANKS: Rule = { name: 'Mann–Whitney 98 %, step end (Kayenta’s kind)', first: ranks(0.01) };

const CHANGES: readonly (readonly [perSecond: number, from: number, to: number])[] = [
  [10, 0.01, 0.02],
  [10, 0.01, 0.05],
  [10, 0.001, 0.01],
  [10, 0, 0.1],
  [10, 0, 1],
  [1, 0.01, 0.05],
  [100, 0.01, 0.02],
];
const WORLDS: Readonly<Record<string, readonly Kind[]>> = {
  calm: ['iid'],
  real: ['iid', 'outage', 'noise', 'sick'],
};
export type World = 'calm' | 'real';

/** Thresholds of all families, and the judge's own rate of false rollbacks that they are held to. */
function calibrated(
  world: World,
  perSecond: number,
  rate: number,
  runs: number,
): { readonly rules: readonly Rule[]; readonly allowed: number } {
  const kinds = WORLDS[world] ?? [];
  const random = randomOf(`calibration ${world} ${perSecond} ${rate}`);
  const steps = planOf(perSecond);
  const healthy = Array.from({ length: runs }, (_, run) =>
    erring(random, requests(random, perSecond, steps), rate, rate, kinds[run % kinds.length]),
  );
  const bad = healthy.filter((minutes) => ours.first(minutes) < NEVER).length;
  const rules = FAMILIES.map(({ name, critical, at }) => {
    const sorted = healthy.map(critical).sort((a, b) => b - a);
    // Rolls back where the critical value is above the threshold: at most `bad` releases are.
    return { name, first: at(sorted[bad] ?? Number.NEGATIVE_INFINITY) };
  });
  return { rules: [...rules, RANKS, ours], allowed: bad / runs };
}

export type Equal = {
  readonly tables: readonly Table[];
  /** Ours ÷ the best of the others', in median minutes; what is not found counts as the whole plan. */
  readonly ratio: (world: World, among: 'threshold' | 'all', change: number) => number;
  readonly changes: number;
};

export const equal = once((runs: number): Equal => {
  const made = (['calm', 'real'] as const).map((world) => ({
    world,
    columns: CHANGES.map(([perSecond, from, to]) => {
      const { rules, allowed } = calibrated(world, perSecond, from, runs);
      const steps = planOf(perSecond);
      const release = (random: Random): readonly Row[] =>
        erring(random, requests(random, perSecond, steps), to, from);
      const length = steps.reduce((sum, { minutes }) => sum + minutes, 0);
      return {
        allowed,
        length,
        rules,
        cells: cells(`equal ${world} ${perSecond} ${from} ${to}`, runs, release, rules),
      };
    }),
  }));
  const points = (share: number): number => Number((100 * share).toPrecision(6));
  const say = ({ found, minute }: Cell): string => `${percent(found)} ${minuteOf(minute)}`;
  return {
    tables: made.map(({ world, columns }) => ({
      title: `At equal false rollbacks: ${world === 'calm' ? 'calm traffic only' : 'calm, outage, noise and sick instances'}`,
      about:
        'Found, %, and median minute. Each rule’s c is the least at which, for this very traffic and base rate, it rolls back no more healthy releases than the judge (first row, %). Mann–Whitney is left as it is.',
      head: [
        'rule',
        ...CHANGES.map(([perSecond, from, to]) => `${perSecond}/s ${points(from)}→${points(to)} %`),
      ],
      rows: [
        ['false rollbacks allowed', ...columns.map(({ allowed }) => percent(allowed))],
        ...(columns[0]?.rules ?? []).map(({ name }, i) => [
          name,
          ...columns.map(({ cells }) => say(cells[i] ?? { found: 0, minute: NEVER, exposed: 0 })),
        ]),
      ],
    })),
    ratio: (world, among, change) => {
      const column = made.find((one) => one.world === world)?.columns[change];
      if (column === undefined) throw new Error(`There is no change ${change}.`);
      const time = (i: number): number => Math.min(column.length, column.cells[i]?.minute ?? NEVER);
      const others = FAMILIES.map(({ kind }, i) => ({ kind, time: time(i) })).filter(
        ({ kind }) => among === 'all' || kind === 'threshold',
      );
      return time(column.cells.length - 1) / Math.min(...others.map((one) => one.time));
    },
    changes: CHANGES.length,
  };
});
