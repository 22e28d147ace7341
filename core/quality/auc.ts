import type { Estimate, Unmeasured } from './contract.ts';
import { Z95 } from './t-quantile.ts';

/**
 * The area under the ROC curve: the probability that a row of the class scores above one that is not of it,
 * ties counting half. Its placements, of each row among those of the other class, are by midranks (Sun and
 * Xu, Fast implementation of DeLong’s algorithm, 2014); variance and covariance are DeLong’s (1988).
 */

/** Rows of each class; with fewer the normal approximation is none. */
const LEAST = 10;

type Placements = { readonly value: number; readonly own: Float64Array; readonly other: Float64Array };

/** @param of is the row of the class? */
export function areaUnderCurve(scores: readonly number[], of: readonly boolean[]): Estimate | Unmeasured {
  const lacks = tooFew(of);
  if (lacks !== undefined) return lacks;
  return singleOf(placementsOf(scores, of));
}

/** Two versions on the same rows: what they have in common does not widen the interval. */
export function areaDifference(
  own: readonly number[],
  live: readonly number[],
  of: readonly boolean[],
): Estimate | Unmeasured {
  const lacks = tooFew(of);
  if (lacks !== undefined) return lacks;
  const [one, other] = [placementsOf(own, of), placementsOf(live, of)];
  const value = one.value - other.value;
  const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((x, i) => x - (b[i] as number));
  const variance =
    varianceOf(minus(one.own, other.own)) / one.own.length +
    varianceOf(minus(one.other, other.other)) / one.other.length;
  // The same order otherwise scored leaves no variance either: then its own tells that there is some at all.
  const isSame = value === 0 && hasVariance(one);
  if (variance > 0 || isSame || own.every((score, i) => score === live[i])) {
    const half = Z95 * Math.sqrt(variance);
    return { value, low: value - half, high: value + half };
  }
  // Two orders without a fault, for example: each may be a little worse than that.
  const [a, b] = [singleOf(one), singleOf(other)];
  return {
    value,
    low: value - Math.hypot(a.value - a.low, b.high - b.value),
    high: value + Math.hypot(a.high - a.value, b.value - b.low),
  };
}

const hasVariance = ({ own, other }: Placements): boolean => varianceOf(own) > 0 || varianceOf(other) > 0;

function tooFew(of: readonly boolean[]): Unmeasured | undefined {
  const positives = of.filter(Boolean).length;
  const least = Math.min(positives, of.length - positives);
  if (least >= LEAST) return undefined;
  const what = positives <= of.length - positives ? 'of the class' : 'not of the class';
  return { lacks: `only ${least} rows are ${what}, and auc needs ${LEAST} of each` };
}

/**
 * On the scale of the logit, on which the interval stays within 0 and 1, and holds near them (Pepe, The
 * Statistical Evaluation of Medical Tests, 2003, 5.2.4).
 */
function singleOf({ value, own, other }: Placements): Estimate {
  const se = Math.sqrt(varianceOf(own) / own.length + varianceOf(other) / other.length);
  if (se === 0 || value <= 0 || value >= 1)
    return { value, ...withoutVariance(value, own.length, other.length) };
  const logit = Math.log(value / (1 - value));
  const half = (Z95 * se) / (value * (1 - value));
  return { value, low: 1 / (1 + Math.exp(half - logit)), high: 1 / (1 + Math.exp(-half - logit)) };
}

/**
 * An order without a fault has no variance to estimate, and yet some uncertainty: Newcombe’s method 5
 * (Confidence intervals for an effect size measure based on the Mann–Whitney statistic, part 2, 2006), which
 * solves |θ̂ − θ| = z·√V(θ), with Hanley and McNeil’s variance.
 */
function withoutVariance(value: number, m: number, n: number): Pick<Estimate, 'low' | 'high'> {
  const half = (m + n) / 2 - 1;
  const deviation = (t: number): number =>
    Z95 * Math.sqrt(Math.max(0, (t * (1 - t) * (1 + half * ((1 - t) / (2 - t) + t / (1 + t)))) / (m * n)));
  const end = (limit: number): number => {
    let [inside, outside] = [value, limit];
    if (Math.abs(outside - value) <= deviation(outside)) return outside;
    for (let i = 0; i < 60; i++) {
      const middle = (inside + outside) / 2;
      if (Math.abs(middle - value) <= deviation(middle)) inside = middle;
      else outside = middle;
    }
    return (inside + outside) / 2;
  };
  return { low: end(0), high: end(1) };
}

function placementsOf(scores: readonly number[], of: readonly boolean[]): Placements {
  const positive = scores.filter((_, i) => of[i]);
  const negative = scores.filter((_, i) => !of[i]);
  const [m, n] = [positive.length, negative.length];
  const all = midranks([...positive, ...negative]);
  const own = midranks(positive).map((rank, i) => ((all[i] as number) - rank) / n);
  const other = midranks(negative).map((rank, i) => 1 - ((all[m + i] as number) - rank) / m);
  return { value: own.reduce((sum, one) => sum + one, 0) / m, own, other };
}

/** Ranks from 1; equal values have the middle of theirs. */
function midranks(values: readonly number[]): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    const value = values[order[from] as number];
    while (to < order.length && values[order[to] as number] === value) to++;
    for (let i = from; i < to; i++) ranks[order[i] as number] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

/** With n − 1. */
export function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
