/**
 * Latency: lognormal, sd 0.5; shared noise a minute of sd 10 %; every host has a speed of its own, one more
 * host for each 20 requests a second. The edge lies where the stable version has a tenth of its requests
 * above the notch below.
 */
import { counting } from '../../core/judge/counts.ts';
import { isClearlyWorse, isTrend, SLOW_AT, slowFails } from '../../core/judge/regression.ts';
import { median } from '../median.ts';
import { minute as minuteOf, once, percent, type Table } from './cells.ts';
import { type Random, randomOf } from './random.ts';
import { NEVER } from './rules.ts';
import { mannWhitney, normal, quantile } from './special.ts';
import { planOf, requests } from './traffic.ts';

const SD = 0.5;
const NOTCH = 2 ** 0.25;
/** The stable version's lower edge, and the candidate's one notch above, in ln of the median. */
const LOWER = -quantile(0.1) * SD;
const UPPER = LOWER + Math.log(NOTCH);

type Case = {
  readonly name: string;
  /** The candidate's latency as a multiple of the stable version's. */
  readonly times?: number;
  /** Share of requests that take five times as long instead. */
  readonly tail?: number;
  readonly hosts: number;
  /**
   * Share of the candidate's requests that are cold and counted all the same; the stable version's is 1 %.
   */
  readonly cold?: number;
  /** Warm requests of each instance that are 1.5 times slower at first. */
  readonly warming?: number;
};
const CASES: readonly Case[] = [
  { name: 'equal, hosts alike', hosts: 0 },
  { name: 'equal', hosts: 0.05 },
  { name: 'equal, hosts 10 %', hosts: 0.1 },
  { name: 'cold 30 % v 1 % counted', hosts: 0.05, cold: 0.3 },
  { name: 'first 10 warm 1.5×', hosts: 0.05, warming: 10 },
  { name: '1.1×', times: 1.1, hosts: 0.05 },
  { name: '1.3×', times: 1.3, hosts: 0.05 },
  { name: '2×', times: 2, hosts: 0.05 },
  { name: '10 % of requests 5×', tail: 0.1, hosts: 0.05 },
];

type Minute = {
  readonly step: number;
  readonly weight: number;
  readonly n1: number;
  readonly n2: number;
  /** Above the upper edge, and above the lower one. */
  readonly above1: number;
  readonly lower1: number;
  readonly lower2: number;
  /** ln of the 95th percentile; undefined without requests. */
  readonly p95: readonly [candidate: number | undefined, stable: number | undefined];
  /** Sums of ln latency. */
  readonly sums: readonly [candidate: number, stable: number];
};

const above = (edge: number, location: number): number => normal((location - edge) / SD);

function simulate(random: Random, perSecond: number, one: Case): readonly Minute[] {
  const { times = 1, tail = 0, hosts, cold = 0, warming = 0 } = one;
  const coldStable = cold > 0 ? 0.01 : 0;
  const speeds = Array.from({ length: 40 }, () => random.normal() * hosts);
  const stableSpeeds = Array.from({ length: 40 }, () => random.normal() * hosts);
  const speedOf = (list: readonly number[], count: number): number =>
    list.slice(0, count).reduce((sum, speed) => sum + speed, 0) / count;
  const instances = (share: number): number =>
    Math.max(1, Math.min(40, Math.round(perSecond * share * 0.05)));
  const hostStable = speedOf(stableSpeeds, instances(1));
  let served = 0;
  return requests(random, perSecond, planOf(perSecond)).map(({ step, weight, n1, n2 }) => {
    const noise = random.normal() * 0.1;
    const count = instances(weight);
    const location = noise + Math.log(times) + speedOf(speeds, count);
    const stable = noise + hostStable;
    const isNew = warming * count - served;
    served += n1;
    const fresh = Math.min(1, Math.max(0, isNew) / Math.max(1, n1));
    const shareAbove = (edge: number): number => {
      const usual = (1 - tail) * above(edge, location) + tail * above(edge, location + Math.log(5));
      const warmed = usual + fresh * (above(edge, location + Math.log(1.5)) - usual);
      return warmed + (1 - warmed) * cold;
    };
    // Both edges are counted on the same requests.
    const lower1 = random.binomial(n1, shareAbove(LOWER));
    const above1 = random.binomial(lower1, shareAbove(UPPER) / shareAbove(LOWER));
    const lower = above(LOWER, stable);
    const lower2 = random.binomial(n2, lower + (1 - lower) * coldStable);
    const mean = location + tail * Math.log(5) + cold * 2.3;
    return {
      step,
      weight,
      n1,
      n2,
      above1,
      lower1,
      lower2,
      p95: [
        percentile(random, n1, location, cold, tail),
        percentile(random, n2, stable, coldStable, 0),
      ] as const,
      sums: [
        n1 * mean + random.normal() * SD * Math.sqrt(n1),
        n2 * (stable + coldStable * 2.3) + random.normal() * SD * Math.sqrt(n2),
      ] as const,
    };
  });
}

/** ln of a minute's 95th percentile, drawn as the order statistic that it is. */
function percentile(
  random: Random,
  n: number,
  location: number,
  cold: number,
  tail: number,
): number | undefined {
  if (n === 0) return undefined;
  const k = Math.max(1, Math.ceil(0.95 * n));
  const u = Math.min(1 - 1e-12, random.beta(k, n - k + 1));
  const warm = u > 1 - cold ? 1 - 1e-9 : u / (1 - cold);
  const value = SD * quantile(Math.max(1e-9, Math.min(1 - 1e-9, warm))) + location;
  // With a slow tenth the percentile falls into it.
  return tail > 0 && random.uniform() < 0.9 ? Math.max(value, Math.log(5)) : value;
}

type Rule = { readonly name: string; readonly first: (minutes: readonly Minute[]) => number };

/** `count` of the last `window` minutes. */
function times(count: number, window: number, isBad: (minute: Minute) => boolean): Rule['first'] {
  return (minutes) => {
    const bad = minutes.map((minute) => Number(isBad(minute)));
    let now = 0;
    return at(
      minutes.findIndex((_, i) => {
        now += (bad[i] ?? 0) - (bad[i - window] ?? 0);
        return now >= count;
      }),
    );
  };
}
const at = (index: number): number => (index < 0 ? NEVER : index);

/** The judge's chain over slow counts; `same`: both versions against the lower edge, and E(1.25) asked. */
function judged(same: boolean): Rule['first'] {
  return (minutes) => {
    const add = counting();
    return at(
      minutes.findIndex(({ step, weight, n1, n2, above1, lower1, lower2 }) => {
        const counts = add({ step, weight, n1, n2, x1: same ? lower1 : above1, x2: lower2 });
        return same ? isClearlyWorse(counts, SLOW_AT) && isTrend(counts) : slowFails(counts);
      }),
    );
  };
}

/** Mean of ln latency within each step, one notch allowed: a normal-mixture e-process (τ = 1). */
function meanOfLogs(minutes: readonly Minute[]): number {
  let [before, beforePairs, step, n1, n2, s1, s2, total] = [0, 0, -1, 0, 0, 0, 0, 0];
  let [sum, pairs] = [0, 0];
  return at(
    minutes.findIndex((minute) => {
      if (minute.step !== step)
        [before, beforePairs, step, n1, n2, s1, s2] = [sum, pairs, minute.step, 0, 0, 0, 0];
      n1 += minute.n1;
      n2 += minute.n2;
      s1 += minute.sums[0];
      s2 += minute.sums[1];
      total += minute.n1;
      const weight = (n1 * n2) / Math.max(1, n1 + n2);
      sum = before + weight * (s1 / Math.max(1, n1) - s2 / Math.max(1, n2));
      pairs = beforePairs + weight;
      const beyond = Math.max(0, sum / Math.max(1e-9, pairs) - Math.log(NOTCH));
      const lnE =
        -0.5 * Math.log1p(pairs) + ((pairs / (1 + pairs)) * (pairs * beyond ** 2)) / (SD * SD + 0.01) / 2;
      return total > 0 && pairs > 50 && lnE > Math.log(SLOW_AT);
    }),
  );
}

function naive(minutes: readonly Minute[]): number {
  const limit = -quantile(0.0125);
  let [sum, variance] = [0, 0];
  return at(
    minutes.findIndex(({ weight, lower1, lower2 }) => {
      sum += lower1 - weight * (lower1 + lower2);
      variance += weight * (1 - weight) * (lower1 + lower2);
      return variance > 0 && sum / Math.sqrt(variance) > limit;
    }),
  );
}

function ranks(minutes: readonly Minute[]): number {
  return at(
    minutes.findIndex(({ step }, i) => {
      if (minutes[i + 1]?.step === step) return false;
      const own = minutes.filter((minute) => minute.step === step);
      const least = -9;
      return (
        mannWhitney(
          own.map(({ p95 }) => p95[0] ?? least),
          own.map(({ p95 }) => p95[1] ?? least),
        ) < 0.01
      );
    }),
  );
}

/** ln of the usual 95th percentile. */
const USUAL = 1.645 * SD;
const NOTCHED = 'judge, one notch';
const RULES: readonly Rule[] = [
  {
    name: 'p95 > 1.2× stable, 3 of 5',
    first: times(3, 5, ({ p95: [own, other] }) => own !== undefined && own > (other ?? -9) + Math.log(1.2)),
  },
  {
    name: 'p95 > 1.5× usual, 5 checks (Flagger)',
    first: times(5, NEVER, ({ p95: [own] }) => own !== undefined && own > USUAL + Math.log(1.5)),
  },
  { name: 'Mann–Whitney on minutes’ p95', first: ranks },
  { name: 'naive z, same edge', first: naive },
  { name: 'judge, same edge', first: judged(true) },
  { name: 'log-mean e-process, 1.19× allowed', first: meanOfLogs },
  { name: NOTCHED, first: judged(false) },
];

type Found = { readonly found: number; readonly minute: number };

/** Requests a second. */
const TRAFFIC: readonly number[] = [1, 10, 100];

export type LatencyGrid = {
  readonly tables: readonly Table[];
  readonly of: (perSecond: number, name: string) => Found;
};

export const latency = once((runs: number): LatencyGrid => {
  const columns = TRAFFIC.flatMap((perSecond) =>
    CASES.map((one) => {
      const random = randomOf(`latency ${perSecond} ${one.name}`);
      const times = RULES.map((): number[] => []);
      for (let run = 0; run < runs; run++) {
        const minutes = simulate(random, perSecond, one);
        for (const [i, { first }] of RULES.entries()) times[i]?.push(first(minutes) + 1);
      }
      const found = times.map((list) => ({
        found: list.filter((time) => time < NEVER).length / runs,
        minute: median(list),
      }));
      return { perSecond, name: one.name, found };
    }),
  );
  return {
    tables: TRAFFIC.map((perSecond) => {
      const own = columns.filter((column) => column.perSecond === perSecond);
      return {
        title: `Latency, ${perSecond}/s`,
        about:
          'Rolled back, %, and median minute. Lognormal latency (sd 0.5), shared noise of 10 % a minute, hosts of their own speed (sd 5 % unless stated). Nothing below 1.19× is meant to be found.',
        head: ['rule', ...own.map(({ name }) => name)],
        rows: RULES.map(({ name }, i) => [
          name,
          ...own.map(({ found }) => {
            const cell = found[i] ?? { found: 0, minute: NEVER };
            return `${percent(cell.found)} ${minuteOf(cell.minute)}`;
          }),
        ]),
      };
    }),
    of: (perSecond, name) => {
      const column = columns.find((one) => one.perSecond === perSecond && one.name === name);
      const cell = column?.found[RULES.findIndex((rule) => rule.name === NOTCHED)];
      if (cell === undefined) throw new Error(`There is no cell ${perSecond}/s, ${name}.`);
      return cell;
    },
  };
});
