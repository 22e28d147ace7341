/**
 * P(at least `live` such rows among n | nothing changed): the exact test for what is too rare for chi², as
 * rows without a value or with an unseen category in a column that had hardly any. Each of all such
 * rows, `live` and the `reference`'s among m, lies in the window with probability n/(n+m): a binomial tail.
 * Only more of them counts.
 * @param phi overdispersion: p^(1/φ), as exp(−T/2φ) is of S2
 */
export function rareTail(live: number, n: number, reference: number, m: number, phi: number): number {
  if (live <= 0 || !(n > 0 && m > 0)) return 1;
  const all = live + reference;
  const odds = n / m;
  // ln of C(all, live)·p^live·(1−p)^reference
  let ln = live * Math.log(n / (n + m)) + reference * Math.log(m / (n + m));
  const [few, many] = [Math.min(live, reference), Math.max(live, reference)];
  for (let i = 1; i <= few; i++) ln += Math.log((many + i) / i);
  let [sum, term] = [0, 1];
  for (let i = live; i <= all && term > sum * Number.EPSILON; i++) {
    sum += term;
    term *= ((all - i) / (i + 1)) * odds;
  }
  return Math.min(1, Math.exp((ln + Math.log(sum)) / phi));
}
