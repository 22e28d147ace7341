/** Beyond this many terms nothing changes; the series needs the more of them the greater `df` is. */
const TERMS = 10_000;

/**
 * P(chi² of `df` degrees of freedom ≥ x): the regularised incomplete gamma function Q(df/2, x/2), by its
 * series where x is below the middle, else by its continued fraction with Lentz's method, which keeps the
 * digits of a small tail (Numerical Recipes 6.2).
 * @param df whole, at least 1
 */
export function chiTail(df: number, x: number): number {
  if (!(x > 0)) return 1;
  const [a, y] = [df / 2, x / 2];
  // y^a·e^(−y)/Γ(a)
  const front = Math.exp(a * Math.log(y) - y - lnGammaOfHalf(df));
  return y < a + 1 ? 1 - front * series(a, y) : front * fraction(a, y);
}

/** Σ yⁱ / (a(a+1)…(a+i)) */
function series(a: number, y: number): number {
  let term = 1 / a;
  let sum = term;
  for (let i = 1; i < TERMS && term > sum * Number.EPSILON; i++) {
    term *= y / (a + i);
    sum += term;
  }
  return sum;
}

/** 1/(y+1−a − 1(1−a)/(y+3−a − 2(2−a)/(y+5−a − …))). No denominator is near 0 where y ≥ a + 1. */
function fraction(a: number, y: number): number {
  let b = y + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let value = d;
  for (let i = 1; i < TERMS; i++) {
    const by = -i * (i - a);
    b += 2;
    d = 1 / (by * d + b);
    c = b + by / c;
    value *= d * c;
    if (Math.abs(d * c - 1) <= Number.EPSILON) break;
  }
  return value;
}

/** ln Γ(df/2): from Γ(1) = 1 or Γ(½) = √π by Γ(x+1) = x·Γ(x). */
function lnGammaOfHalf(df: number): number {
  let ln = df % 2 === 0 ? 0 : 0.5 * Math.log(Math.PI);
  for (let x = df % 2 === 0 ? 1 : 0.5; x < df / 2; x++) ln += Math.log(x);
  return ln;
}
