import { RATIOS } from './evidence.ts';
import { ERRORS_AT } from './regression.ts';

/** 80 % of a normal variable is below. */
const Z80 = 0.8416;
/**
 * The stake to reach: half is kept for restarts, and an eighth of the grid does most of the work; half of
 * that counts.
 */
export const GOAL = Math.log(4 * ERRORS_AT);

/** What is asked: error rates (0 to 1) of stable and candidate version, at a weight (0 to 1). */
export type Question = { readonly weight: number; readonly from: number; readonly to: number };

export type Forecast = {
  /**
   * Requests of both versions together, until the regression is found with 80 % probability; Infinity if
   * never.
   */
  readonly requests: number;
  readonly candidateRequests: number;
  /** Errors that it takes if the stable version has none. */
  readonly k: number;
};

/**
 * Growth and variance of ln E per error at each ratio that is bet on; q is the candidate's share of the
 * errors.
 */
export function growths(weight: number, q: number): readonly { readonly g: number; readonly v: number }[] {
  return RATIOS.map((ratio) => {
    const ln = Math.log(ratio);
    return { g: q * ln - Math.log1p(weight * (ratio - 1)), v: q * (1 - q) * ln * ln };
  });
}

/** Requests until errors that rise `from` → `to` are found with 80 % probability. Formula: docs/judge.md. */
export function forecast({ weight, from, to }: Question): Forecast {
  const [bad, good] = [to * weight, from * (1 - weight)];
  const q = bad > 0 ? bad / (bad + good) : 0;
  const needed = growths(weight, q)
    .filter(({ g }) => g > 0)
    .map(({ g, v }) => ((Z80 * Math.sqrt(v) + Math.sqrt(Z80 * Z80 * v + 4 * g * GOAL)) / (2 * g)) ** 2);
  const k = errorsAlone(weight);
  const errors = Math.max(Math.min(...needed), (k + Z80 * Math.sqrt(k)) / q);
  const requests = errors / (bad + good);
  return { requests, candidateRequests: requests * weight, k };
}

/**
 * The least k with ½·mean_j (ρ_j/(1+w(ρ_j−1)))^k ≥ 40. At weight 1 there is no coin, and no number suffices.
 */
function errorsAlone(weight: number): number {
  const best = Math.max(...RATIOS.map((ratio) => ratio / (1 + weight * (ratio - 1))));
  if (!(best > 1)) return Number.POSITIVE_INFINITY;
  for (let k = 1; ; k++) {
    const mean =
      RATIOS.reduce((sum, ratio) => sum + (ratio / (1 + weight * (ratio - 1))) ** k, 0) / RATIOS.length;
    if (mean / 2 >= ERRORS_AT) return k;
  }
}
