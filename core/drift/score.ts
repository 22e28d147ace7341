import { type NumericSignal, PARTS } from './contract.ts';

/**
 * Where a value lies among the reference data, and what that scores: endpoint and baseline use the same
 * lines.
 */

/** The part of a signal that scoring reads. */
export type Scale = Pick<NumericSignal, 'knots' | 'mean' | 'sd' | 'skew' | 'spread'>;

/**
 * Mid-rank of `x` in the reference, 0 to 1: linear between knots, the middle of an atom's jump at one.
 * @param knots PARTS + 1, ascending; @param x finite
 */
export function rankOf(knots: ArrayLike<number>, x: number): number {
  // The first knot that is not below x, and the first that is above it.
  let low = 0;
  let high = knots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((knots[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  const first = low;
  if (first === knots.length) return 1;
  const at = knots[first] as number;
  if (at !== x) {
    if (first === 0) return 0;
    const below = knots[first - 1] as number;
    return (first - 1 + (x - below) / (at - below)) / PARTS;
  }
  let last = first;
  while (last + 1 < knots.length && knots[last + 1] === x) last++;
  return (first + last) / 2 / PARTS;
}

/** @returns h₁ of a mid-rank: location */
export const locationOf = ({ mean, sd }: Scale, u: number): number => (sd === 0 ? 0 : (u - mean) / sd);

/** @returns the greatest |h₁| and |h₂| that a value can have */
export function greatestScores(scale: Scale): { readonly a: number; readonly b: number } {
  const { mean, sd, skew } = scale;
  // h₂ is a parabola: its greatest is at an end or at its vertex.
  const vertex = sd === 0 ? mean : mean + skew / (2 * sd);
  const ranks = [0, 1, Math.min(1, Math.max(0, vertex))];
  const most = (score: (u: number) => number): number => Math.max(...ranks.map((u) => Math.abs(score(u))));
  return {
    a: most((u) => locationOf(scale, u)),
    b: most((u) => spreadOf(scale, u, locationOf(scale, u))),
  };
}

/** @returns h₂ of a mid-rank: spread */
export function spreadOf({ mean, sd, skew, spread }: Scale, u: number, location: number): number {
  return spread === 0 ? 0 : ((u - mean) * (u - mean) - sd * sd - skew * location) / spread;
}
