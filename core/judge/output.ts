import type { Scores } from './contract.ts';
import { successes } from './counts.ts';
import type { Minute } from './minutes.ts';

/** Width of the normal mixture that is bet on, in σ. */
const TAU = 0.5;

/** How far a candidate's outputs are from the stable version's. */
export type OutputShift = {
  /** Answers of either version; one score an answer. */
  readonly n1: number;
  readonly n2: number;
  /** Effective number of pairs, Σ N₁ₛN₂ₛ/(N₁ₛ+N₂ₛ) over the steps. */
  readonly ne: number;
  /** Distance in σ of the stable version's scores. */
  readonly q: number;
};

type Sums = Scores & { readonly n: number };
const NONE: Sums = { n: 0, a: 0, b: 0, aa: 0, bb: 0, ab: 0 };

export const sumsOfBoth = (x: Sums, y: Sums): Sums => ({
  n: x.n + y.n,
  a: x.a + y.a,
  b: x.b + y.b,
  aa: x.aa + y.aa,
  bb: x.bb + y.bb,
  ab: x.ab + y.ab,
});

const sumsWithout = (x: Sums, y: Sums): Sums => ({
  n: x.n - y.n,
  a: x.a - y.a,
  b: x.b - y.b,
  aa: x.aa - y.aa,
  bb: x.bb - y.bb,
  ab: x.ab - y.ab,
});

/** One signal's sums of a minute. */
export type ScoredMinute = { readonly step: number; readonly candidate: Sums; readonly stable: Sums };

export const scoredMinutes = (minutes: readonly Minute[], signal: string): readonly ScoredMinute[] =>
  minutes.map(({ step, candidate, stable }) => ({
    step,
    candidate: { ...(candidate.outputs?.[signal] ?? NONE), n: successes(candidate) },
    stable: { ...(stable.outputs?.[signal] ?? NONE), n: successes(stable) },
  }));

/**
 * The two versions' distance in one output signal: means compared within each step, noise from the stable
 * version.
 */
export const shiftOf = (minutes: readonly ScoredMinute[]): OutputShift =>
  shift([...stepsOf(minutes).values()]);

function stepsOf(minutes: readonly ScoredMinute[]): Map<number, readonly [candidate: Sums, stable: Sums]> {
  const steps = new Map<number, readonly [candidate: Sums, stable: Sums]>();
  for (const { step, candidate, stable } of minutes) {
    const [first, second] = steps.get(step) ?? [NONE, NONE];
    steps.set(step, [sumsOfBoth(first, candidate), sumsOfBoth(second, stable)]);
  }
  return steps;
}

/**
 * δ = ne-weighted mean of the steps' differences, q = √(δᵀC⁻¹δ), C the covariance of the stable version's
 * scores.
 */
export function shift(steps: readonly (readonly [candidate: Sums, stable: Sums])[]): OutputShift {
  let [ne, d1, d2, n1] = [0, 0, 0, 0];
  let all = NONE;
  for (const [candidate, stable] of steps) {
    n1 += candidate.n;
    all = sumsOfBoth(all, stable);
    const pairs = (candidate.n * stable.n) / (candidate.n + stable.n);
    if (!(pairs > 0)) continue;
    ne += pairs;
    d1 += pairs * (candidate.a / candidate.n - stable.a / stable.n);
    d2 += pairs * (candidate.b / candidate.n - stable.b / stable.n);
  }
  const q = ne > 0 ? distance(d1 / ne, d2 / ne, all) : 0;
  return { n1, n2: all.n, ne, q };
}

/**
 * Sums of many doubles are rounded; a variance below this share of the mean square is their rounding, and
 * none.
 */
const ROUNDING = 1e-10;

function variance(n: number, sum: number, squares: number): number {
  const found = squares / n - (sum / n) ** 2;
  return found > (ROUNDING * squares) / n ? found : 0;
}

function distance(d1: number, d2: number, { n, a, b, aa, bb, ab }: Sums): number {
  const v1 = variance(n, a, aa);
  const v2 = variance(n, b, bb);
  const v12 = ab / n - (a / n) * (b / n);
  const determinant = v1 * v2 - v12 * v12;
  // Two-valued outputs: the second score follows from the first. A constant one is measured in the baseline's
  // σ, 1.
  if (determinant <= 0.001 * v1 * v2) return Math.abs(d1) / Math.sqrt(v1 > 0 ? v1 : 1);
  return Math.sqrt(Math.max(0, v2 * d1 * d1 - 2 * v12 * d1 * d2 + v1 * d2 * d2) / determinant);
}

/**
 * ln E of "the outputs differ by at most d σ", by a normal mixture over the shift beyond d:
 * −ln(1+ne·τ²) + ½·ne·τ²/(1+ne·τ²)·ne·(q−d)₊². Asymptotic: not before 100 answers of either.
 */
export function outputEvidence(ne: number, q: number, d: number): number {
  const k = ne * TAU * TAU;
  return -Math.log1p(k) + ((0.5 * k) / (1 + k)) * ne * Math.max(0, q - d) ** 2;
}

/**
 * ln E of all minutes; where no second minute says so, that of the others, which is 0 or less. Among a few
 * hundred answers a single one of a rare value, a class that one in some thousands has for example, moves the
 * mean by more than a new model may, and the asymptotic test is as good as sure of it.
 */
export function borneEvidence(minutes: readonly ScoredMinute[], d: number, enough: number): number {
  const steps = stepsOf(minutes);
  const evidence = (): number => {
    const { ne, q } = shift([...steps.values()]);
    return outputEvidence(ne, q, d);
  };
  const all = evidence();
  if (all < enough) return all;
  let least = all;
  // A step may bake for days: the sums less those of a minute, and not those of all others.
  for (const { step, candidate, stable } of minutes) {
    const [first, second] = steps.get(step) ?? [NONE, NONE];
    steps.set(step, [sumsWithout(first, candidate), sumsWithout(second, stable)]);
    least = Math.min(least, evidence());
    steps.set(step, [first, second]);
  }
  return least > 0 ? all : least;
}
