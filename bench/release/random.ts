/** Seeded random numbers for the simulations: the same seed gives the same table on every machine. */

export type Random = {
  /** Above 0 and below 1, in steps of 2⁻³². */
  uniform(): number;
  normal(): number;
  binomial(n: number, p: number): number;
  poisson(mean: number): number;
  gamma(shape: number): number;
  beta(a: number, b: number): number;
  /** Failures before the `successes`-th success of probability `p`. */
  negativeBinomial(successes: number, p: number): number;
  below(n: number): number;
};

/** @param seed any text; another text gives an independent sequence */
export function randomOf(seed: string): Random {
  const uniform = sfc32(seed);
  let spare: number | undefined;
  const normal = (): number => {
    // Marsaglia's polar method gives two at a time.
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const [u, v] = [2 * uniform() - 1, 2 * uniform() - 1];
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };
  const binomial = (n: number, p: number): number => {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - binomial(n, 1 - p);
    return n * p < 10 ? binomialInverted(uniform, n, p) : binomialRejected(uniform, n, p);
  };
  const poisson = (mean: number): number => {
    if (mean <= 0) return 0;
    return mean < 10 ? poissonInverted(uniform, mean) : poissonRejected(uniform, mean);
  };
  const gamma = (shape: number): number => {
    // Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
    if (shape < 1) return gamma(shape + 1) * uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  const beta = (a: number, b: number): number => {
    const [x, y] = [gamma(a), gamma(b)];
    return x / (x + y);
  };
  const negativeBinomial = (successes: number, p: number): number =>
    poisson((gamma(successes) * (1 - p)) / p);
  const below = (n: number): number => Math.floor(uniform() * n);
  return { uniform, normal, binomial, poisson, gamma, beta, negativeBinomial, below };
}

/** Doty-Humphrey's sfc32 (PractRand), seeded by FNV-1a of the text. */
function sfc32(seed: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of seed) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  let [a, b, c, counter] = [hash, hash ^ 0x9e3779b9, Math.imul(hash, 0x85ebca6b), 1];
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return ((sum >>> 0) + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < 20; i++) next();
  return next;
}

/** Exact: one uniform number, followed up the distribution. */
function binomialInverted(uniform: () => number, n: number, p: number): number {
  const odds = p / (1 - p);
  for (;;) {
    let chance = Math.exp(n * Math.log1p(-p));
    let left = uniform();
    for (let x = 0; x <= n; x++) {
      if (left <= chance) return x;
      left -= chance;
      chance *= (odds * (n - x)) / (x + 1);
    }
  }
}

/**
 * Exact, by rejection: BTRS of Hörmann, "The generation of binomial random variates" (1993). For np ≥ 10, p ≤
 * ½.
 */
function binomialRejected(uniform: () => number, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const middle = n * p + 0.5;
  const quick = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const mode = Math.floor((n + 1) * p);
  const lnOdds = Math.log(p / (1 - p));
  const top = lnFactorial(mode) + lnFactorial(n - mode);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const x = Math.floor(((2 * a) / us + b) * u + middle);
    if (us >= 0.07 && v <= quick) return x;
    if (x < 0 || x > n) continue;
    const lnV = Math.log((v * alpha) / (a / (us * us) + b));
    if (lnV <= top - lnFactorial(x) - lnFactorial(n - x) + (x - mode) * lnOdds) return x;
  }
}

function poissonInverted(uniform: () => number, mean: number): number {
  for (;;) {
    let chance = Math.exp(-mean);
    let left = uniform();
    for (let x = 0; x < 200; x++) {
      if (left <= chance) return x;
      left -= chance;
      chance *= mean / (x + 1);
    }
  }
}

/**
 * Exact, by rejection: PTRS of Hörmann, "The transformed rejection method for generating Poisson random
 * variables" (1993).
 */
function poissonRejected(uniform: () => number, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const lnAlpha = Math.log(1.1239 + 1.1328 / (b - 3.4));
  const quick = 0.9277 - 3.6224 / (b - 2);
  const lnMean = Math.log(mean);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const x = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= quick) return x;
    if (x < 0 || (us < 0.013 && v > us)) continue;
    if (Math.log(v) + lnAlpha - Math.log(a / (us * us) + b) <= x * lnMean - mean - lnFactorial(x)) return x;
  }
}

const FACTORIALS = new Float64Array(1024);
for (let n = 1; n < FACTORIALS.length; n++) FACTORIALS[n] = (FACTORIALS[n - 1] ?? 0) + Math.log(n);

export const lnFactorial = (n: number): number => FACTORIALS[n] ?? lnGamma(n + 1);

/** ln Γ(x), x > 0: Stirling's series above 10, reached by the recurrence. */
export function lnGamma(x: number): number {
  let [y, shift] = [x, 0];
  while (y < 10) {
    shift -= Math.log(y);
    y += 1;
  }
  const i = 1 / (y * y);
  const series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i * (1 / 1680 - i / 1188)))) / y;
  return shift + (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series;
}
