import { GOAL, growths } from './forecast.ts';

/** A step as it will be: the candidate's weight (0 to 1), and how long, in seconds. */
export type PlannedStep = { readonly weight: number; readonly seconds: number };

/**
 * The probability that a whole plan finds errors that rise from `from` to `to`: Φ((G−a)/√V) at the ratio that
 * sees most, G and V the growth and variance of ln E that the errors of every step should bring. Without
 * errors of the stable version every error is the candidate's, and only their number varies.
 *
 * @param perSecond requests of both versions together
 */
export function planPower(
  steps: readonly PlannedStep[],
  perSecond: number,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const parts = steps.map(({ weight, seconds }) => {
    const [bad, good] = [weight * to, (1 - weight) * from];
    const q = bad / (bad + good);
    return { errors: perSecond * seconds * (bad + good), grid: growths(weight, q) };
  });
  if (!parts.some(({ errors }) => errors > 0)) return 0;
  const grid = parts[0]?.grid ?? [];
  return Math.max(
    ...grid.map((_, j) => {
      let [G, V] = [0, 0];
      for (const { errors, grid } of parts) {
        const { g = 0, v = 0 } = grid[j] ?? {};
        G += errors * (g || 0);
        V += errors * (from > 0 ? v : g * g);
      }
      return V > 0 ? normal((G - GOAL) / Math.sqrt(V)) : 0;
    }),
  );
}

/**
 * The share of a normal variable below z: ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …), exact to rounding where it is
 * not 0 or 1.
 */
export function normal(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  let [sum, term] = [z, z];
  for (let odd = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * z * z) * Math.sqrt(1 / (2 * Math.PI));
}
