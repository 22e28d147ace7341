/** Releases as minutes: requests ~ Poisson, the candidate's share ~ Binomial(n, w), errors by a scenario. */
import type { Row } from '../../core/judge/counts.ts';
import type { Random } from './random.ts';

export type Step = { readonly weight: number; readonly minutes: number };
/** One minute; `candidate` and `stable` hold requests before errors are drawn. */
export type Requests = Pick<Row, 'step' | 'weight' | 'n1' | 'n2'>;

export const WEIGHTS: readonly number[] = [0.05, 0.25, 0.5];
export const BAKE = 10;
export const LONGEST = 120;
export const NEED = 100;

/**
 * The plan of the tables: ten minutes a step, longer until 100 candidate requests are expected, at most 120.
 */
export const planOf = (perSecond: number): readonly Step[] =>
  WEIGHTS.map((weight) => ({
    weight,
    minutes: Math.min(LONGEST, Math.max(BAKE, Math.ceil(NEED / (weight * perSecond * 60)))),
  }));

export function requests(random: Random, perSecond: number, steps: readonly Step[], bias = 1): Requests[] {
  return steps.flatMap(({ weight, minutes }, step) =>
    Array.from({ length: minutes }, () => {
      const n = random.poisson(perSecond * 60);
      const n1 = random.binomial(n, Math.min(1, weight * bias));
      return { step, weight, n1, n2: n - n1 };
    }),
  );
}

/**
 * How errors come. iid: each request by itself. outage: both versions at 50 % for three minutes, once. noise:
 * a shared lognormal factor a minute, sd 1. sick: in bursts of a version's own, of mean ten, at the same mean
 * rate, as from a sick instance. hosts: every version's minute has its own rate, intra-class correlation
 * 0.01.
 */
export const KINDS = ['iid', 'outage', 'noise', 'sick', 'hosts'] as const;
export type Kind = (typeof KINDS)[number];

const BURST = 10;
const CORRELATION = 0.01;

/** Adds errors at the rates p1 (candidate) and p2 (stable). */
export function erring(
  random: Random,
  minutes: readonly Requests[],
  p1: number,
  p2: number,
  kind: Kind = 'iid',
): readonly Row[] {
  const start = kind === 'outage' ? random.below(minutes.length - 3) : Number.POSITIVE_INFINITY;
  return minutes.map((minute, i) => {
    const factor = kind === 'noise' ? Math.exp(random.normal() - 0.5) : 1;
    const isOutage = i >= start && i < start + 3;
    const drawn = (n: number, p: number): number => {
      if (kind === 'sick') return Math.min(n, bursts(random, (n * p) / BURST));
      const rate = isOutage ? 0.5 + p / 2 : Math.min(1, p * factor);
      return random.binomial(n, kind === 'hosts' ? ofHost(random, rate) : rate);
    };
    return { ...minute, x1: drawn(minute.n1, p1), x2: drawn(minute.n2, p2) };
  });
}

function bursts(random: Random, mean: number): number {
  const number = random.poisson(mean);
  return number > 0 ? number + random.negativeBinomial(number, 1 / BURST) : 0;
}

function ofHost(random: Random, rate: number): number {
  const size = 1 / CORRELATION - 1;
  return rate > 0 ? random.beta(rate * size, (1 - rate) * size) : 0;
}
