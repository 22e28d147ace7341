/**
 * The rules that are held side by side. Each looks once a minute and says in which minute it would roll back.
 */
import { counting, type Row } from '../../core/judge/counts.ts';
import { chain } from '../../core/judge/evidence.ts';
import { ERRORS_AT, errorsFail } from '../../core/judge/regression.ts';
import { randomOf } from './random.ts';
import { normal as exactNormal, incompleteBeta, lnBeta, mannWhitney, quantile } from './special.ts';
import type { Step } from './traffic.ts';

/** The index of the first minute at which the rule rolls back, or `NEVER`. */
export type Rule = { readonly name: string; readonly first: (minutes: readonly Row[]) => number };
export const NEVER = Number.POSITIVE_INFINITY;

/** The errors' share of 5 % for the release; every statistical rule gets the same. */
const ALPHA = 0.025;

/** First minute for which `isBad` holds, given a look at every minute in order. */
function firstOf(minutes: readonly Row[], isBad: (minute: Row, i: number) => boolean): number {
  for (let i = 0; i < minutes.length; i++) {
    const minute = minutes[i];
    if (minute !== undefined && isBad(minute, i)) return i;
  }
  return NEVER;
}

/** `times` of the last `window` minutes were bad: CloudWatch's "datapoints to alarm". */
export function times(count: number, window: number, isBad: (minute: Row) => boolean): Rule['first'] {
  return (minutes) => {
    const bad: boolean[] = [];
    let now = 0;
    return firstOf(minutes, (minute, i) => {
      const is = isBad(minute);
      bad.push(is);
      now += Number(is) - Number(bad[i - window] ?? false);
      return now >= count;
    });
  };
}

export const rateOf = ({ x1, n1 }: Row): number => (n1 > 0 ? x1 / n1 : 0);

/** Flagger: failed checks add up, good ones in between take nothing back (pkg/controller/scheduler.go). */
export const checks = (count: number, isBad: (minute: Row) => boolean): Rule['first'] =>
  times(count, NEVER, isBad);

/** Stratified by step: Σ(x₁ − wm)/√Σw(1−w)m, given the errors. */
export function zRule(limit: (i: number) => number, leastErrors = 0): Rule['first'] {
  return (minutes) => {
    let [X1, mean, variance] = [0, 0, 0];
    return firstOf(minutes, ({ x1, x2, weight }, i) => {
      X1 += x1;
      mean += weight * (x1 + x2);
      variance += weight * (1 - weight) * (x1 + x2);
      return variance > 0 && X1 >= leastErrors && (X1 - mean) / Math.sqrt(variance) > limit(i);
    });
  };
}

/** Asked over the counts of the current step at every minute. */
function inStep(isBad: (sums: Row) => boolean): Rule['first'] {
  return (minutes) => {
    let sums: Row | undefined;
    return firstOf(minutes, (minute) => {
      const { step, weight, x1, n1, x2, n2 } = minute;
      sums =
        sums?.step === step
          ? { step, weight, x1: sums.x1 + x1, n1: sums.n1 + n1, x2: sums.x2 + x2, n2: sums.n2 + n2 }
          : minute;
      return isBad(sums);
    });
  };
}

/** Kayenta's kind: at the end of a step, Mann–Whitney over the minutes' error rates. */
export function ranks(level: number): Rule['first'] {
  return (minutes) =>
    firstOf(minutes, ({ step }, i) => {
      if (minutes[i + 1]?.step === step) return false;
      const own = minutes.filter((minute) => minute.step === step);
      const first = own.map(rateOf);
      const second = own.map(({ x2, n2 }) => (n2 > 0 ? x2 / n2 : 0));
      return middle(first) > middle(second) && mannWhitney(first, second) < level;
    });
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

/**
 * Lindon and Malek's form (arXiv 2011.03567): a beta mixture of size ten around the weight, a factor a step.
 */
function betaMixture(minutes: readonly Row[]): number {
  const size = 10;
  let [step, before, now, X1, mean, a, b] = [-1, 0, 0, 0, 0, 0, 0];
  return firstOf(minutes, ({ step: current, weight: w, x1, x2 }) => {
    if (current !== step) [step, before, a, b] = [current, now, 0, 0];
    a += x1;
    b += x2;
    X1 += x1;
    mean += w * (x1 + x2);
    if (x1 + x2 > 0)
      now =
        before +
        lnBeta(size * w + a, size * (1 - w) + b) -
        lnBeta(size * w, size * (1 - w)) -
        a * Math.log(w) -
        b * Math.log1p(-w);
    return now > -Math.log(ALPHA) && X1 > mean;
  });
}

/** One-sided Lan–DeMets bounds in z for a look a minute at planned traffic, by simulation of the null. */
function sequentialBounds(steps: readonly Step[], kind: 'obf' | 'pocock', paths: number): readonly number[] {
  const information = steps.flatMap(({ weight, minutes }) => Array(minutes).fill(weight * (1 - weight)));
  const total = information.reduce((sum, value) => sum + value, 0);
  const random = randomOf(`bounds ${kind}`);
  const walk = new Float64Array(paths);
  let alive = Array.from({ length: paths }, (_, i) => i);
  let [share, used] = [0, 0];
  return information.map((value) => {
    const grown = Math.sqrt(value / total);
    share += value / total;
    const spent =
      kind === 'obf'
        ? 2 * (1 - exactNormal(-quantile(ALPHA / 2) / Math.sqrt(share)))
        : ALPHA * Math.log1p((Math.E - 1) * share);
    for (const i of alive) walk[i] = (walk[i] ?? 0) + random.normal() * grown;
    const count = Math.round((spent - used) * paths);
    const values = Float64Array.from(alive, (i) => (walk[i] ?? 0) / Math.sqrt(share)).sort();
    const bound = count < 1 ? 8 : (values[values.length - count] ?? 8);
    alive = alive.filter((i) => (walk[i] ?? 0) / Math.sqrt(share) < bound);
    used = 1 - alive.length / paths;
    return bound;
  });
}
const known = new Map<string, readonly number[]>();
function groupSequential(steps: readonly Step[], kind: 'obf' | 'pocock', paths: number): Rule['first'] {
  const key = `${kind} ${paths} ${JSON.stringify(steps)}`;
  const bounds = known.get(key) ?? sequentialBounds(steps, kind, paths);
  known.set(key, bounds);
  return zRule((i) => bounds[i] ?? NEVER, 2);
}

export const evidenceAlone: Rule['first'] = (minutes) => {
  const add = chain(1);
  return firstOf(minutes, ({ x1, x2, weight }) => add(x1, x1 + x2, weight) >= Math.log(ERRORS_AT));
};

export const ours: Rule = {
  name: 'judge',
  first: (minutes) => {
    const add = counting();
    return firstOf(minutes, (minute) => errorsFail(add(minute)));
  },
};

export const ONE = 0.01;
const z = -quantile(ALPHA);

/**
 * @param paths of the simulation behind the group-sequential bounds; 0 leaves these out (they need a planned
 * length)
 */
export function rulesOf(steps: readonly Step[], paths: number): readonly Rule[] {
  return [
    { name: 'any error in a minute (aws-lambda-deploy)', first: times(1, 1, ({ x1 }) => x1 > 0) },
    { name: 'errors > 0, 2 of 2 min (alarm)', first: times(2, 2, ({ x1 }) => x1 > 0) },
    { name: 'rate > 1 %, 3 of 5 min (alarm)', first: times(3, 5, (minute) => rateOf(minute) > ONE) },
    { name: 'rate > 1 %, 5 failed checks (Flagger)', first: checks(5, (minute) => rateOf(minute) > ONE) },
    { name: 'Mann–Whitney 98 %, step end (Kayenta’s kind)', first: ranks(0.01) },
    { name: 'naive z each minute', first: zRule(() => z) },
    {
      name: 'naive exact (Fisher’s kind) each minute',
      first: inStep(({ x1, x2, weight }) => x1 > 0 && incompleteBeta(x1, x2 + 1, weight) < ALPHA),
    },
    {
      name: 'Bayes P(p₁ > p₂) > .975 each minute',
      first: inStep(
        ({ x1, n1, x2, n2 }) => n1 >= 20 && incompleteBeta(x1 + 1, x2 + 1, (n1 + 1) / (n1 + n2 + 2)) < ALPHA,
      ),
    },
    ...(paths > 0
      ? [
          { name: 'O’Brien–Fleming, a look a minute', first: groupSequential(steps, 'obf', paths) },
          { name: 'Pocock, a look a minute', first: groupSequential(steps, 'pocock', paths) },
        ]
      : []),
    { name: 'beta-mixture e-process (Lindon–Malek form)', first: betaMixture },
    { name: 'E(1) alone', first: evidenceAlone },
    ours,
  ];
}
