/**
 * The bet against the routing coin. If the version makes no difference, Lambda gives each error to the
 * candidate with probability w (its weight), whatever the rate of errors does. A stake of 1 is bet against
 * that; while the null holds, the chance that it ever grows to s is at most 1/s (Ville), at every look and
 * through any extension.
 */

/** Ratios of the error rates that are bet on, in equal parts. */
export const RATIOS: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 30, 100];

/**
 * One chain of evidence over all minutes of a release, whatever their steps, in order. Per minute with m
 * errors, x of them the candidate's, each component takes
 *
 *   A_j ← (A_j + g_k) · ρ_j^x · ((1 + w(ρ₀−1)) / (1 + w(ρ₀ρ_j−1)))^m,   E = mean_j A_j + 1 − Σg
 *
 * k counts the minutes with errors; g₁ = ½, g_k = 1/(2k(k−1)): fresh stakes that restart the evidence after
 * an outage, and for a regression that comes late. The part not yet staked is 1 − Σg = 1/(2k).
 *
 * @param atMost ρ₀: the null is "at most so many times worse"; 1 is "no worse"
 * @returns a function of a minute's x, m and w that gives ln E so far
 */
export function chain(atMost: number): (x: number, m: number, weight: number) => number {
  const grown = RATIOS.map(() => Number.NEGATIVE_INFINITY);
  let k = 0;
  let lnE = 0;
  return (x, m, weight) => {
    // Every factor is 1 then.
    if (m === 0) return lnE;
    k += 1;
    const lnStake = k === 1 ? -Math.LN2 : -Math.log(2 * k * (k - 1));
    const lnRest = -Math.log(2 * k);
    const lnNull = Math.log1p(weight * (atMost - 1));
    let most = lnRest;
    for (let j = 0; j < RATIOS.length; j++) {
      const ratio = RATIOS[j] ?? 1;
      const lnFactor = x * Math.log(ratio) + m * (lnNull - Math.log1p(weight * (atMost * ratio - 1)));
      const lnA = addLn(grown[j] ?? 0, lnStake) + lnFactor;
      grown[j] = lnA;
      if (lnA > most) most = lnA;
    }
    let sum = 0;
    for (let j = 0; j < RATIOS.length; j++) sum += expOf((grown[j] ?? 0) - most);
    lnE = most + Math.log(sum / RATIOS.length + expOf(lnRest - most));
    return lnE;
  };
}

/** Beyond this many natural logarithms a summand is below the last digit of a double. */
const NEGLIGIBLE = -40;
const expOf = (ln: number): number => (ln < NEGLIGIBLE ? 0 : Math.exp(ln));

/** ln(eᵃ + eᵇ), b finite. */
function addLn(a: number, b: number): number {
  const apart = -Math.abs(a - b);
  return Math.max(a, b) + (apart < NEGLIGIBLE ? 0 : Math.log1p(Math.exp(apart)));
}
