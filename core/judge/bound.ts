import type { Stratum } from './counts.ts';

/** 97.5 % of a normal variable is below. */
export const BOUND_Z = 1.96;

/** Late or double data points may give more errors than requests; a share is a share. */
const share = (x: number, n: number): number => (n > 0 ? Math.min(1, x / n) : 0);

/** The stable version's rate at the candidate's exposure: Σ_s N₁ₛ(X₂ₛ/N₂ₛ)/N₁. */
function standardised(strata: readonly Stratum[], n1: number): number {
  let sum = 0;
  for (const { n1: exposure, x2, n2 } of strata) sum += exposure * share(x2, n2);
  return sum / n1;
}

const exposed = (strata: readonly Stratum[]): number => strata.reduce((sum, { n1 }) => sum + n1, 0);

/** Δ = X₁/N₁ − p₂, a share of requests; 0 without any. */
export function difference(strata: readonly Stratum[]): number {
  const n1 = exposed(strata);
  if (n1 <= 0) return 0;
  return (
    share(
      strata.reduce((sum, { x1 }) => sum + x1, 0),
      n1,
    ) - standardised(strata, n1)
  );
}

/**
 * How much worse the candidate may be: the upper limit of Δ by Newcombe's method 10, from Wilson's limits of
 * both rates, U = Δ + √((u₁−p̂₁)² + (p₂−l₂)²), with n₂ = N₁²/Σ(N₁ₛ²/N₂ₛ). A share of requests; Infinity
 * without data on either side of a step.
 */
export function upperBound(strata: readonly Stratum[]): number {
  const n1 = exposed(strata);
  if (n1 <= 0 || strata.some((step) => step.n1 > 0 && step.n2 <= 0)) return Number.POSITIVE_INFINITY;
  const p1 = share(
    strata.reduce((sum, { x1 }) => sum + x1, 0),
    n1,
  );
  const p2 = standardised(strata, n1);
  let inverse = 0;
  for (const step of strata) if (step.n1 > 0) inverse += step.n1 ** 2 / step.n2;
  const [, upper] = wilson(p1, n1);
  const [lower] = wilson(p2, n1 ** 2 / inverse);
  return p1 - p2 + Math.hypot(upper - p1, p2 - lower);
}

function wilson(p: number, n: number): readonly [lower: number, upper: number] {
  const z2 = BOUND_Z ** 2;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (BOUND_Z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return [middle - half, middle + half];
}
