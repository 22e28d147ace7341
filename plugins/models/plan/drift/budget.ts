import { LEAST_ROWS } from '../../../../core/drift/contract.ts';
import {
  effectFloor,
  effectiveRows,
  sharedPart,
  smoothThreshold,
} from '../../../../core/drift/statistics/threshold.ts';

/**
 * From the false alarms that a user accepts to what the alarms are set to, and from that to what is found.
 * Alarms want two windows in a row. Formulas: docs/drift.md.
 */

/** What is watched, and what it may cost in false alarms. */
export type DriftBudget = {
  /** False alarms a month. */
  readonly budget: number;
  /** Signals with an alarm of their own. */
  readonly signals: number;
  /** Windows a month. */
  readonly windows: number;
  /** Rows of the reference with a value. */
  readonly m: number;
  /** d, in σ. */
  readonly effect: number;
  /** Most rows of a window that are expected; unknown where no traffic is declared. */
  readonly rows?: number | undefined;
};

/** A limit that half of the healthy windows exceed says nothing, whatever the budget. */
const MOST_ALPHA = 0.5;
/** The expectation is looked at for so many sizes of windows per factor of ten. */
const PER_DECADE = 8;

/**
 * α of one signal in one window: √(budget/(signals·windows)). What two windows share by the reference's own
 * error is in the limit that α gives, so that it follows from no reference: versions with other ones keep the
 * same budget.
 */
export const alphaOf = ({
  budget,
  signals,
  windows,
}: Pick<DriftBudget, 'budget' | 'signals' | 'windows'>): number =>
  Math.min(MOST_ALPHA, Math.sqrt(budget / (signals * windows)));

/**
 * q of one window, for an alarm on the number of drifted signals: √(budget/windows), lowered until windows of
 * every size from LEAST_ROWS to the expected one keep the budget, since two windows share the reference's own
 * error. There is no formula for Benjamini and Hochberg's rule over these; falseCounts bounds it.
 */
export function discoveryRateOf(watched: DriftBudget): number {
  const { budget, windows } = watched;
  const q = Math.min(MOST_ALPHA, Math.sqrt(budget / windows));
  return lowered(q, (candidate) => mostFalseCounts(watched, candidate) <= budget);
}

/**
 * @returns `most` where it fits, else the largest that does. Two windows exceed a limit no more often than
 * one does: most²/2 fits.
 */
function lowered(most: number, fits: (candidate: number) => boolean): number {
  if (fits(most)) return most;
  let [low, high] = [2 * Math.log(most) - Math.LN2, Math.log(most)];
  while (high - low > 1e-6) {
    const middle = (low + high) / 2;
    if (fits(Math.exp(middle))) low = middle;
    else high = middle;
  }
  return Math.exp(low);
}

/** Expected false alarms a month in windows of `n` rows: S·W·P₂. */
export function falseAlarms(
  { signals, windows, m, effect }: Omit<DriftBudget, 'budget' | 'rows'>,
  alpha: number,
  n: number,
): number {
  const limit = smoothThreshold(effectiveRows(n, m), effect, alpha, sharedPart(n, m));
  return signals * windows * pairChance(limit, n, m);
}

/**
 * Tests that a signal has in a window of the monitor: its values twice, smooth and chi², and as much for what
 * is missing.
 */
const TESTS = 4;

/**
 * Expected false counts of the monitor a month in windows of `n` rows, at most: 4·S·W·P₂ at the limit of α =
 * q/(4S), or at the effect's floor. Any of a signal's tests in one window may meet any in the next; at that α
 * each is significant by itself.
 */
export function falseCounts(
  { signals, windows, m, effect }: Omit<DriftBudget, 'budget' | 'rows'>,
  q: number,
  n: number,
): number {
  const limit = Math.max(
    -2 * Math.log(loneAlpha(q, signals)),
    effectFloor(2, effectiveRows(n, m), effect, q),
  );
  return TESTS * signals * windows * pairChance(limit, n, m);
}

/**
 * α with which a signal of the monitor is called drifted though no other is: Benjamini and Hochberg's first
 * step.
 */
export const loneAlpha = (q: number, signals: number): number => q / (TESTS * signals);

/** The most over windows of all sizes up to the expected one. */
export const mostFalseAlarms = (watched: DriftBudget, alpha: number): number =>
  mostOf(watched, (n) => falseAlarms(watched, alpha, n));
export const mostFalseCounts = (watched: DriftBudget, q: number): number =>
  mostOf(watched, (n) => falseCounts(watched, q, n));

function mostOf(watched: DriftBudget, expected: (n: number) => number): number {
  if (!(watched.m > 0 && watched.m < Number.POSITIVE_INFINITY))
    throw new RangeError('There are no rows to compare with.');
  const rows = Math.max(LEAST_ROWS, watched.rows ?? 100 * watched.m);
  const steps = Math.ceil(PER_DECADE * Math.log10(rows / LEAST_ROWS));
  let most = 0;
  for (let i = 0; i <= steps; i++) {
    const n = steps === 0 ? rows : LEAST_ROWS * (rows / LEAST_ROWS) ** (i / steps);
    most = Math.max(most, expected(n));
  }
  return most;
}

/** Standard deviations of a Poisson number beyond which nothing is left that a sum would show. */
const WIDTH = 8;
/** Terms of P₂ that are worth their time: tens of milliseconds. */
const MOST_TERMS = 20_000;

/**
 * P₂: T exceeds `limit` in both of two windows of n rows though nothing changed. Both are held against one
 * reference of m rows, so their T/2 are correlated exponentials (Kibble's), r = n/(n+m): (1−r²)·Σ_k
 * r^{2k}·Q_k(limit/(2(1−r²)))², Q_k(x) = e^{−x}·Σ_{i≤k} xⁱ/i!. Most of it lies about k = r·x; beyond x each
 * Q_k is taken for 1, which is no less. Where the reference is so small that even these terms are too many,
 * P₂ is what one window alone has, e^{−limit/2}: no less either, and no hundredth more.
 * @param limit for φ = 1
 */
export function pairChance(limit: number, n: number, m: number): number {
  const r = n / (n + m);
  const rest = (m * (2 * n + m)) / (n + m) ** 2;
  const x = limit / (2 * rest);
  const spread = WIDTH * Math.sqrt(x);
  if (spread > MOST_TERMS / 2) return Math.exp(-limit / 2);
  const first = Math.max(0, Math.floor(r * x - spread));
  const last = Math.ceil(x + spread + 40);
  const tail = poissonUpTo(x, first);
  let left = Math.exp(first * Math.log1p(-rest));
  let sum = 0;
  // All later terms together are at most r^{2(k+1)}.
  for (let k = first; k <= last && left > sum * 1e-13 && left > 1e-300; k += 1) {
    sum += left * rest * tail() ** 2;
    left *= 1 - rest;
  }
  return Math.min(Math.exp(-limit / 2), sum + left);
}

/** Probability that both windows exceed. */
const POWER = 0.9;
/** D of a small shift of a normal variable, per σ: the mean of h₁ grows by √12·∫φ². */
const NORMAL_D = Math.sqrt(3 / Math.PI);

/**
 * The smallest shift of a normal variable (in σ) that two windows of `n` rows in a row find with 90 %
 * probability: √(φλ/ne)/√(3/π), λ such that Σ_k e^{−λ/2}(λ/2)^k/k!·Q_k(limit/2) = √0.9.
 * @param watched `alone`: by the monitor, whose limit does not ask what two windows share
 */
export function smallestShift(
  {
    m,
    effect,
    phi = 1,
    alone = false,
  }: { readonly m: number; readonly effect: number; readonly phi?: number; readonly alone?: boolean },
  alpha: number,
  n: number,
): number {
  const ne = effectiveRows(n, m);
  const limit = smoothThreshold(ne, effect, alpha, alone ? 0 : sharedPart(n, m));
  const lambda = noncentrality(limit, Math.sqrt(POWER));
  return Math.sqrt((phi * lambda) / ne) / NORMAL_D;
}

/** λ with which a noncentral chi² of two degrees of freedom exceeds `limit` with probability `power`. */
export function noncentrality(limit: number, power: number): number {
  if (noncentralTail(limit, 0) >= power) return 0;
  let [low, high] = [0, 1];
  while (noncentralTail(limit, high) < power) [low, high] = [high, 2 * high];
  while (high - low > 1e-13 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (noncentralTail(limit, middle) < power) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(noncentral chi² > limit), two degrees of freedom: a Poisson mixture of central ones. */
function noncentralTail(limit: number, lambda: number): number {
  const [tail, weights] = [poissonUpTo(limit / 2), poissonUpTo(lambda / 2)];
  let [sum, before] = [0, 0];
  // Beyond 12 standard deviations no weight is left.
  const last = lambda / 2 + 12 * Math.sqrt(lambda / 2) + 40;
  for (let k = 0; k <= last; k++) {
    const upTo = weights();
    sum += (upTo - before) * tail();
    before = upTo;
  }
  return sum;
}

/**
 * Calls answer Q_k(x) from `first` on: P(Poisson of mean x ≤ k), without what lies below `first`. In
 * logarithms, since e^{−x} alone may be 0.
 */
function poissonUpTo(x: number, first = 0): () => number {
  const lnX = Math.log(x);
  let [k, lnTerm, sum] = [first, lnPoisson(x, first), 0];
  return () => {
    sum += Math.exp(lnTerm);
    k += 1;
    lnTerm += lnX - Math.log(k);
    return Math.min(1, sum);
  };
}

/** ln(e^{−x}·xᵏ/k!), by Stirling's series where k is large. */
function lnPoisson(x: number, k: number): number {
  if (k >= 20)
    return (
      k * Math.log1p((x - k) / k) -
      (x - k) -
      Math.log(2 * Math.PI * k) / 2 -
      1 / (12 * k) +
      1 / (360 * k ** 3)
    );
  let sum = -x;
  for (let i = 1; i <= k; i += 1) sum += Math.log(x / i);
  return sum;
}
