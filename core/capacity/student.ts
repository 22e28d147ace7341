/**
 * P(Student's t of `df` degrees of freedom ≤ t), by the finite series for whole ones: Abramowitz and Stegun
 * 26.7.3 and 26.7.4.
 */
function below(df: number, t: number): number {
  const angle = Math.atan(t / Math.sqrt(df));
  const cos2 = Math.cos(angle) ** 2;
  const isOdd = df % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = df === 1 ? 0 : term;
  for (let i = isOdd ? 3 : 2; i <= df - 2; i += 2) {
    term *= (cos2 * (i - 1)) / i;
    sum += term;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return (1 + within) / 2;
}

/** The t that a variable stays below with probability p (½ to 1). @param df whole, at least 1 */
export function studentQuantile(df: number, p: number): number {
  let [low, high] = [0, 1];
  while (below(df, high) < p) high *= 2;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (below(df, middle) < p) low = middle;
    else high = middle;
  }
  return high;
}
