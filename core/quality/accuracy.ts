import type { Estimate } from './contract.ts';
import { Z95 } from './t-quantile.ts';

/**
 * A share of rows with Wilson’s score interval (1927), which Brown, Cai and DasGupta (Interval Estimation for
 * a Binomial Proportion, 2001) recommend: of 10 rows that are all right it says 72 to 100 %.
 * @param right 1 or 0 a row
 */
export function shareRight(right: readonly number[]): Estimate {
  const n = right.length;
  const value = right.reduce((sum, one) => sum + one, 0) / n;
  const z2 = Z95 ** 2;
  const middle = (value + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n * n));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/**
 * The difference of two shares of the same rows: Newcombe’s method 10 for paired rows (Improved confidence
 * intervals for the difference between binomial proportions based on paired data, 1998), Wilson’s limits of
 * both put together by how much they go with each other.
 */
export function shareDifference(own: readonly number[], live: readonly number[]): Estimate {
  const n = own.length;
  // Both right, only one of them, none.
  let [a, b, c] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (own[i] === 1) live[i] === 1 ? a++ : b++;
    else if (live[i] === 1) c++;
  }
  const d = n - a - b - c;
  const one = shareRight(own);
  const other = shareRight(live);
  const value = (b - c) / n;
  const phi = together(a, b, c, d);
  const width = (x: number, y: number): number => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  return {
    value,
    low: value - width(one.value - one.low, other.high - other.value),
    high: value + width(one.high - one.value, other.value - other.low),
  };
}

/** The correlation φ̂ of method 10, with its correction for continuity where it is positive. */
function together(a: number, b: number, c: number, d: number): number {
  const product = (a + b) * (c + d) * (a + c) * (b + d);
  if (product === 0) return 0;
  const cross = a * d - b * c;
  const corrected = cross < 0 ? cross : Math.max(0, cross - (a + b + c + d) / 2);
  return corrected / Math.sqrt(product);
}
