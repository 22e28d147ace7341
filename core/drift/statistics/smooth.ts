import { effectiveRows } from './threshold.ts';

/** A signal's rows in a window, and the sums of their scores h₁ and h₂. */
export type ScoreSums = { readonly n: number; readonly a: number; readonly b: number };

export type Smooth = {
  /** Effective rows, n·m/(n+m). */
  readonly ne: number;
  /** T = ne(a²+b²)/n²: chi² with two degrees of freedom, times φ, where nothing changed. */
  readonly t: number;
  /** P(T or more | nothing changed) = exp(−T/2φ). */
  readonly p: number;
  /** All change, in σ: D = √(max(0, T−2φ)/ne), what noise alone would bring taken off. */
  readonly size: number;
  /** Mean of h₁, a/n: how far the values moved, in σ of their ranks, and where to. */
  readonly shift: number;
};

/**
 * Neyman's smooth test of two components against the reference (S2): sums are all that it needs, so rows of a
 * fleet add up without being brought together.
 * @param m rows of the reference with a value @param phi overdispersion, at least 1
 * @returns nothing where there are no rows on either side
 */
export function smooth({ n, a, b }: ScoreSums, m: number, phi: number): Smooth | undefined {
  if (!(n > 0 && m > 0)) return undefined;
  const ne = effectiveRows(n, m);
  const t = (ne * (a * a + b * b)) / (n * n);
  return {
    ne,
    t,
    p: Math.exp(-t / (2 * phi)),
    size: Math.sqrt(Math.max(0, t - 2 * phi) / ne),
    shift: a / n,
  };
}
