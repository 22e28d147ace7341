import { type NumericSignal, PARTS } from '../../../core/drift/contract.ts';
import { greatestScores, locationOf, rankOf, type Scale, spreadOf } from '../../../core/drift/score.ts';
import { sortedValues } from './sorted.ts';
import type { SignalValues } from './values.ts';

/** What is told of a signal by its values alone. */
export type NumericPart = Omit<
  NumericSignal,
  'name' | 'label' | 'of' | 'tensor' | 'column' | 'kind' | 'value' | 'components'
>;

/** The spread below which two values are all there are, or nearly all. */
const LEAST_SPREAD = 1e-6;

/** Rows of the reference that a value must be worth by its second score: what fewer say of it is chance. */
const LEAST_WORTH = 10;

/** Rows of a window and windows looked at, for overdispersion. */
const WINDOW = 300;
const WINDOWS = 25;

/**
 * Boils values down to quantiles, score constants, decile cells and overdispersion.
 *
 * @param all a value a row, in the order of the file; what is not finite is no value
 */
export function numericPart(all: SignalValues): NumericPart {
  const values = finiteOf(all);
  const nulls = all.length - values.length;
  const sorted = sortedValues(values);
  const knots = knotsOf(sorted.length, (index) => sorted[index] as number);
  const scale = { knots, ...constantsOf(momentsOf(sorted, knots), sorted.length) };
  const deciles = [...new Set(knots.filter((_, i) => i % (PARTS / 10) === 0 && i > 0 && i < PARTS))];
  // A constant has no scores, which of other values tell what is below the first cell.
  const edges = scale.sd === 0 ? [...deciles.slice(0, 1).flatMap(numberBefore), ...deciles] : deciles;
  return {
    nulls,
    phi: phiOf(values, sorted, scale.spread === 0 ? 1 : 2),
    counts: values.length === 0 ? [0] : countsOf(sorted, edges),
    ...scale,
    edges: values.length === 0 ? [] : edges,
  };
}

function finiteOf(all: SignalValues): SignalValues {
  let count = 0;
  for (let i = 0; i < all.length; i++) if (Number.isFinite(all[i])) count++;
  if (count === all.length) return all;
  const values = all.slice(0, count);
  let next = 0;
  for (let i = 0; i < all.length; i++) if (Number.isFinite(all[i])) values[next++] = all[i] as number;
  return values;
}

/**
 * Quantiles at i/PARTS, linear between neighbours, as numpy's default is.
 * @param at the i-th smallest of `count` values
 */
function knotsOf(count: number, at: (index: number) => number): number[] {
  return Array.from({ length: PARTS + 1 }, (_, i) => {
    if (count === 0) return 0;
    // A whole number stays whole: both factors are exact, and so is a division without rest.
    const h = ((count - 1) * i) / PARTS;
    const index = Math.floor(h);
    const low = at(index);
    const part = h - index;
    // −0 has no text of its own in JSON.
    if (part === 0) return low + 0;
    const high = at(index + 1);
    // The difference of two finite doubles may not be finite.
    const step = high - low;
    return 0 + Math.min(high, Number.isFinite(step) ? low + step * part : low * (1 - part) + high * part);
  });
}

const PART = 1 / PARTS;

/**
 * Sums of (u − ½)ᵏ, k from 1 to 4: about the middle, where mid-ranks have their mean, they lose no digits.
 * By products, which are the same everywhere: the last digit of a power differs between versions of V8, and
 * a baseline is named by its digest.
 */
type Moments = readonly [number, number, number, number];

/**
 * @param sorted ascending, so that values between two knots lie together: a straight line, with nothing to
 * decide for each
 */
function momentsOf(sorted: SignalValues, knots: readonly number[]): Moments {
  const sums = { s1: 0, s2: 0, s3: 0, s4: 0 };
  const add = (d: number, count: number): void => {
    const square = d * d;
    sums.s1 += d * count;
    sums.s2 += square * count;
    sums.s3 += square * d * count;
    sums.s4 += square * square * count;
  };
  let from = 0;
  for (let k = 0; k <= PARTS; k++) {
    const at = knots[k] as number;
    const below = k === 0 ? at : (knots[k - 1] as number);
    if (k > 0 && at === below) continue;
    const to = firstIndex(sorted, at, false, from);
    // Below all knots is 0.
    if (k === 0) add(-0.5, to);
    else addLine(sums, sorted, from, to, below, (k - 1) / PARTS - 0.5, at - below);
    // At a knot: the middle of its jump, for all equal values.
    from = firstIndex(sorted, at, true, to);
    if (from > to) add(rankOf(knots, at) - 0.5, from - to);
  }
  add(0.5, sorted.length - from);
  return [sums.s1, sums.s2, sums.s3, sums.s4];
}

function addLine(
  sums: { s1: number; s2: number; s3: number; s4: number },
  sorted: SignalValues,
  from: number,
  to: number,
  below: number,
  start: number,
  width: number,
): void {
  let { s1, s2, s3, s4 } = sums;
  for (let i = from; i < to; i++) {
    const d = start + (((sorted[i] as number) - below) / width) * PART;
    const square = d * d;
    s1 += d;
    s2 += square;
    s3 += square * d;
    s4 += square * square;
  }
  Object.assign(sums, { s1, s2, s3, s4 });
}

function constantsOf(sums: Moments, count: number): Omit<Scale, 'knots'> {
  if (count === 0) return { mean: 0.5, sd: 0, skew: 0, spread: 0 };
  const [a, b, c, d] = sums.map((sum) => sum / count) as unknown as Moments;
  // Central moments from those about ½.
  const square = a * a;
  const second = b - square;
  const third = c - 3 * a * b + 2 * square * a;
  const fourth = d - 4 * a * c + 6 * square * b - 3 * square * square;
  const sd = Math.sqrt(Math.max(0, second));
  // A constant has a mid-rank of exactly ½; anything else is at least one value in the memory's most.
  if (sd < 1e-9) return { mean: 0.5 + a, sd: 0, skew: 0, spread: 0 };
  const skew = third / sd;
  const spread = Math.sqrt(Math.max(0, fourth - second * second - skew * skew));
  const scale = { mean: 0.5 + a, sd, skew, spread: spread < LEAST_SPREAD ? 0 : spread };
  // Where nearly all have one value, and the few others lie above it, their spread says nothing of one below:
  // that would weigh more than all of them.
  const most = greatestScores({ knots: [], ...scale }).b;
  return { ...scale, spread: scale.spread * Math.max(1, most / Math.sqrt(count / LEAST_WORTH)) };
}

/** The greatest double below `x`; none below all finite ones. */
function numberBefore(x: number): readonly number[] {
  const double = Float64Array.of(x);
  const bits = new BigInt64Array(double.buffer);
  // Doubles of one sign are in the order of their bits.
  if (x === 0) double[0] = -Number.MIN_VALUE;
  else bits[0] = (bits[0] as bigint) + (x > 0 ? -1n : 1n);
  const before = (double[0] as number) + 0;
  return Number.isFinite(before) ? [before] : [];
}

/** A cell is (low, high]. */
function countsOf(sorted: SignalValues, edges: readonly number[]): number[] {
  let before = 0;
  const upTo = [...edges.map((edge) => firstIndex(sorted, edge, true)), sorted.length];
  return upTo.map((end) => {
    const count = end - before;
    before = end;
    return count;
  });
}

/** @returns of the first value that is not below `x`; `after`: that is above it */
function firstIndex(sorted: ArrayLike<number>, x: number, after: boolean, from = 0): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] as number;
    if (value < x || (after && value === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Windows of consecutive values, evenly spaced and apart from one another. */
export function windowsOf(count: number): readonly { readonly start: number; readonly end: number }[] {
  const size = Math.min(WINDOW, Math.floor(count / 4));
  if (size === 0) return [];
  const number = Math.min(WINDOWS, Math.floor(count / size));
  return Array.from({ length: number }, (_, i) => {
    const start = Math.floor((i * (count - size)) / (number - 1));
    return { start, end: start + size };
  });
}

/**
 * Mean of T over windows by its degrees of freedom (one of two values, else two), each scored by all other
 * values: with its own among them a window would look more alike than any later one can. Nothing is sorted
 * again: the others are the sorted values with the window's taken out, by place.
 */
function phiOf(values: SignalValues, sorted: SignalValues, df: 1 | 2): number {
  const windows = windowsOf(values.length);
  if (windows.length === 0) return 1;
  let sum = 0;
  for (const { start, end } of windows) {
    const window = values.slice(start, end).sort();
    const n = window.length;
    const m = values.length - n;
    const knots = knotsOf(m, othersOf(sorted, window));
    const all = momentsOf(sorted, knots);
    const own = momentsOf(window, knots);
    const others = all.map((moment, i) => moment - (own[i] as number)) as unknown as Moments;
    const scale: Scale = { knots, ...constantsOf(others, m) };
    let a = 0;
    let b = 0;
    for (let i = 0; i < n; i++) {
      const u = rankOf(knots, window[i] as number);
      const location = locationOf(scale, u);
      a += location;
      b += spreadOf(scale, u, location);
    }
    sum += (((n * m) / (n + m)) * (a * a + b * b)) / (n * n);
  }
  return Math.max(1, sum / windows.length / df);
}

/** @returns the i-th smallest of `sorted` without `window`, which is sorted, too, and a part of it */
function othersOf(sorted: SignalValues, window: SignalValues): (index: number) => number {
  // Places of the window's values in `sorted`: of equal ones the first places, as any are as good.
  const places = new Float64Array(window.length);
  let run = 0;
  for (let i = 0; i < window.length; i++) {
    const x = window[i] as number;
    run = i > 0 && window[i - 1] === x ? run + 1 : 0;
    places[i] = firstIndex(sorted, x, false) + run;
    // From a place to the number of others before it.
    places[i] = (places[i] as number) - i;
  }
  return (index) => sorted[index + firstIndex(places, index, true)] as number;
}
