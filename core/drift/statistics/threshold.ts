import { normalQuantile } from './normal.ts';

/** How large a statistic must be to be called drift: build side, monitor and reports use the same lines. */

/**
 * Rows that live data and a reference of `m` are worth together: n·m/(n+m). For R3: those of two live
 * versions.
 */
export const effectiveRows = (n: number, m: number): number => (n * m) / (n + m);

/**
 * The effect floor: what a chi²-like statistic exceeds with probability about `alpha` if the true change is
 * exactly `effect`; df + λ + z_α·√(2df + 4λ), λ = ne·d². Without it any change is found that has rows enough.
 * @param ne effective rows @param effect d, in σ; 0 asks for none
 * @returns for φ = 1; the statistic of overdispersed data is held against φ times as much
 */
export function effectFloor(df: number, ne: number, effect: number, alpha: number): number {
  const lambda = ne * effect * effect;
  return df + lambda - normalQuantile(alpha) * Math.sqrt(2 * df + 4 * lambda);
}

/**
 * Share of the variance of a window's sums that is the reference's own error: n/(n+m). Two windows have so
 * much in common.
 */
export const sharedPart = (n: number, m: number): number => n / (n + m);

/**
 * R2: max(−2(1+r) ln α, floor). What S2's T is held against in one window, for φ = 1. Two windows, of any
 * sizes, that are held against one reference then exceed together with a probability of α² at most, whatever
 * its rows: for r = 0 they are independent, for r = 1 they are the same, and between them less is spent.
 * Parameters as of effectFloor.
 * @param shared r, of sharedPart; 0 where one window is looked at by itself
 */
export function smoothThreshold(ne: number, effect: number, alpha: number, shared = 0): number {
  return Math.max(-2 * (1 + shared) * Math.log(alpha), effectFloor(2, ne, effect, alpha));
}
