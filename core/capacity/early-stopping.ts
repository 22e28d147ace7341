/**
 * MLPerf's early stopping: how much a run of n requests can say of a percentile with 99 % confidence, if
 * requests are independent. Where they queue they are not, and it says too much (docs/bench-method.md).
 * https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc#appendix-early-stopping-criterion
 */

/** Chance that it is wrong, of independent requests. */
const DOUBT = 0.01;

/**
 * @returns how many of n may be above a limit for the share p to be within it: the most t with
 * P(at most t of n above | exactly 1 − p are) < 1 %; −1 where even none would not do
 */
export function allowedAbove(n: number, p: number): number {
  let lnTerm = n * Math.log(p);
  const lnOdds = Math.log((1 - p) / p);
  let sum = Math.exp(lnTerm);
  let t = -1;
  while (sum < DOUBT && t < n) {
    t += 1;
    lnTerm += Math.log((n - t) / (t + 1)) + lnOdds;
    sum += Math.exp(lnTerm);
  }
  return t;
}

/** @returns the least n of which t may be above the limit: 459 for p99 and none, 662 for one */
export function requestsFor(t: number, p: number): number {
  let [below, enough] = [t, Math.max(2, 2 * t)];
  while (allowedAbove(enough, p) < t) [below, enough] = [enough, 2 * enough];
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (allowedAbove(middle, p) < t) below = middle;
    else enough = middle;
  }
  return enough;
}

/**
 * The estimate of SingleStream: the t-th largest of n latencies.
 * @param sorted ascending @param failed requests that have none, and are above any
 * @returns undefined where there are too few; `requestsFor(1 + failed, p)` are needed
 */
export function stoppedEarly(sorted: Float64Array, p: number, failed = 0): number | undefined {
  const t = allowedAbove(sorted.length + failed, p);
  return t < 1 ? undefined : sorted[sorted.length + failed - t];
}
