/**
 * Windows of live rows as the endpoint counts them: how many fall into each of the reference's PARTS equal
 * parts. The reference is random, too, and exactly so: the true masses between the quantiles of m rows are a
 * Dirichlet's.
 */
import { PARTS } from '../../core/drift/contract.ts';
import { locationOf, rankOf, type Scale, spreadOf } from '../../core/drift/score.ts';
import type { ScoreSums } from '../../core/drift/statistics/smooth.ts';
import type { Random } from '../release/random.ts';
import { normal, quantile } from '../release/special.ts';

/** Rows of the reference, unless a table says otherwise. */
export const M = 10_000;

/** What happens to rows of a normal variable. */
export type Change = {
  /** σ */
  readonly shift?: number;
  readonly scale?: number;
  /** Share of the rows that it happens to; 1 unless given. */
  readonly share?: number;
};

/** The scale of a signal whose parts are equally wide, as ranks are. */
const SCALE: Scale = (() => {
  const knots = Array.from({ length: PARTS + 1 }, (_, i) => i / PARTS);
  const middles = Array.from({ length: PARTS }, (_, i) => rankOf(knots, (i + 0.5) / PARTS));
  const mean = average(middles, (u) => u);
  const sd = Math.sqrt(average(middles, (u) => (u - mean) ** 2));
  const skew = average(middles, (u) => ((u - mean) ** 2 * (u - mean)) / sd);
  const spread = Math.sqrt(
    average(middles, (u) => ((u - mean) ** 2 - sd ** 2 - (skew * (u - mean)) / sd) ** 2),
  );
  return { knots, mean, sd, skew, spread };
})();
function average(values: readonly number[], of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0) / values.length;
}

/** Both scores of a row in the middle of each part. */
const H1 = new Float64Array(PARTS);
const H2 = new Float64Array(PARTS);
for (let i = 0; i < PARTS; i++) {
  const u = rankOf(SCALE.knots, (i + 0.5) / PARTS);
  const location = locationOf(SCALE, u);
  H1[i] = location;
  H2[i] = spreadOf(SCALE, u, location);
}

/** Masses below each part's upper edge, of a reference of m rows: ascending, the last is 1. */
export function referenceOf(random: Random, m = M): Float64Array {
  const below = new Float64Array(PARTS);
  let sum = 0;
  for (let i = 0; i < PARTS; i++) {
    sum += random.gamma(m / PARTS);
    below[i] = sum;
  }
  for (let i = 0; i < PARTS; i++) below[i] = (below[i] ?? 0) / sum;
  below[PARTS - 1] = 1;
  return below;
}

/** The same edges, seen by changed rows. */
export function changed(below: Float64Array, { shift = 0, scale = 1, share = 1 }: Change): Float64Array {
  if (shift === 0 && scale === 1) return below;
  return below.map((p, i) =>
    i === PARTS - 1 ? 1 : share * normal((quantile(p) - shift) / scale) + (1 - share) * p,
  );
}

/** Up to here it is quicker to place row by row. */
const FEW = 400;

/** Rows by part, of a window of `n`: multinomial. The array is the caller's, and overwritten. */
export function window(random: Random, n: number, below: Float64Array, into: Float64Array): void {
  into.fill(0);
  if (n <= FEW) {
    for (let row = 0; row < n; row++) {
      const at = partOf(below, random.uniform());
      into[at] = (into[at] ?? 0) + 1;
    }
    return;
  }
  let [left, before] = [n, 0];
  for (let i = 0; i < PARTS - 1 && left > 0; i++) {
    const upTo = below[i] ?? 1;
    const count = random.binomial(left, Math.min(1, (upTo - before) / (1 - before)));
    into[i] = count;
    left -= count;
    before = upTo;
  }
  into[PARTS - 1] = left + (into[PARTS - 1] ?? 0);
}

/** The first part whose edge is not below u. */
function partOf(below: Float64Array, u: number): number {
  let low = 0;
  let high = PARTS - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((below[middle] ?? 1) < u) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function sumsOf(counts: Float64Array): ScoreSums {
  let [n, a, b] = [0, 0, 0];
  for (let i = 0; i < PARTS; i++) {
    const count = counts[i] ?? 0;
    n += count;
    a += count * (H1[i] ?? 0);
    b += count * (H2[i] ?? 0);
  }
  return { n, a, b };
}

/** Squares and product as well, which the judge of releases reads. */
export function allSumsOf(counts: Float64Array) {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < PARTS; i++) {
    const [count, h1, h2] = [counts[i] ?? 0, H1[i] ?? 0, H2[i] ?? 0];
    aa += count * h1 * h1;
    bb += count * h2 * h2;
    ab += count * h1 * h2;
  }
  return { ...sumsOf(counts), aa, bb, ab };
}

/** Parts brought together to so many cells; a divisor of PARTS. */
export function folded(counts: Float64Array, cells: number): readonly number[] {
  const wide = PARTS / cells;
  return Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let i = cell * wide; i < (cell + 1) * wide; i++) sum += counts[i] ?? 0;
    return sum;
  });
}
