/**
 * The simulation behind docs/judge-bench.md: are its numbers random as they should be, and is its judge the
 * judge?
 */
import { describe, expect, it } from 'vitest';
import { lnFactorial, lnGamma, type Random, randomOf } from '../../../bench/release/random.ts';
import { type ours, ranks, rulesOf } from '../../../bench/release/rules.ts';
import { incompleteBeta, mannWhitney, normal, quantile } from '../../../bench/release/special.ts';
import { BAKE, erring, planOf, requests, WEIGHTS } from '../../../bench/release/traffic.ts';
import { release, type Scenario, type Seen } from '../../../bench/release/whole.ts';
import type { Minute } from '../../../core/judge/minutes.ts';
import { normal as exactNormal } from '../../../core/judge/power.ts';
import { judge, type Options } from '../../../core/judge/verdict.ts';

describe('random numbers', () => {
  const DRAWS = 40_000;
  /** Mean and variance within five standard errors of what they should be. */
  const moments = (draw: (random: Random) => number, mean: number, variance: number): void => {
    const random = randomOf('moments');
    const values = Array.from({ length: DRAWS }, () => draw(random));
    const found = values.reduce((sum, value) => sum + value, 0) / DRAWS;
    const spread = values.reduce((sum, value) => sum + (value - found) ** 2, 0) / DRAWS;
    const fourth = values.reduce((sum, value) => sum + (value - found) ** 4, 0) / DRAWS;
    expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(variance / DRAWS));
    expect(Math.abs(spread - variance)).toBeLessThan(5 * Math.sqrt((fourth - spread ** 2) / DRAWS) + 1e-12);
  };

  it.each([
    [30, 0.05],
    [600, 0.01],
    [600, 0.25],
    [69_000, 0.5],
    [1000, 0.97],
  ])('binomial %d, %d', (n, p) => moments((random) => random.binomial(n, p), n * p, n * p * (1 - p)));
  it.each([0.7, 9, 11, 600, 69_000])('Poisson %d', (mean) =>
    moments((random) => random.poisson(mean), mean, mean),
  );
  it('the others', () => {
    moments((random) => random.uniform(), 0.5, 1 / 12);
    moments((random) => random.normal(), 0, 1);
    moments((random) => random.gamma(0.3), 0.3, 0.3);
    moments((random) => random.gamma(7), 7, 7);
    moments((random) => random.beta(0.99, 98.01), 0.01, (0.01 * 0.99) / 100);
    moments((random) => random.negativeBinomial(3, 0.1), 27, 270);
  });

  it('every small count comes as often as it should', () => {
    const random = randomOf('counts');
    const [n, p] = [40, 0.3];
    const seen = new Float64Array(n + 1);
    for (let i = 0; i < DRAWS; i++) {
      const x = random.binomial(n, p);
      seen[x] = (seen[x] ?? 0) + 1;
    }
    let chi = 0;
    for (let x = 3; x <= 21; x++) {
      const ln =
        lnFactorial(n) - lnFactorial(x) - lnFactorial(n - x) + x * Math.log(p) + (n - x) * Math.log1p(-p);
      const expected = DRAWS * Math.exp(ln);
      chi += ((seen[x] ?? 0) - expected) ** 2 / expected;
    }
    // 19 cells: 99.99 % of such sums are below 50.
    expect(chi).toBeLessThan(50);
  });

  it('the same seed gives the same release, another seed another', () => {
    const of = (seed: string) => {
      const random = randomOf(seed);
      return erring(random, requests(random, 10, planOf(10)), 0.05, 0.01, 'sick');
    };
    expect(of('one')).toEqual(of('one'));
    expect(of('one')).not.toEqual(of('two'));
  });
});

it('distribution functions', () => {
  expect(lnGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
  expect(lnFactorial(10)).toBeCloseTo(Math.log(3_628_800), 12);
  expect(lnFactorial(2000)).toBeCloseTo(lnGamma(2001), 9);
  // P(Bin(10, .05) ≥ 6) and P(Bin(1000, .3) ≥ 320)
  expect(incompleteBeta(6, 5, 0.05)).toBeCloseTo(2.75458e-6, 10);
  expect(incompleteBeta(320, 681, 0.3)).toBeCloseTo(0.0897843298, 9);
  expect(incompleteBeta(2, 3, 0.4) + incompleteBeta(3, 2, 0.6)).toBeCloseTo(1, 12);
  for (const p of [1e-6, 0.025, 0.3, 0.5, 0.9, 0.999]) expect(exactNormal(quantile(p))).toBeCloseTo(p, 8);
  for (const z of [-4, -1, 0, 0.3, 2.5]) expect(normal(z)).toBeCloseTo(exactNormal(z), 6);
  expect(mannWhitney([4, 5, 6], [1, 2, 3])).toBeCloseTo(0.040427799, 6);
  expect(mannWhitney([1, 1], [1, 1])).toBe(1);
});

it('the rules see what they are about', () => {
  const quiet = { step: 0, weight: 0.05, n1: 30, n2: 570, x1: 0, x2: 0 };
  const bad = { ...quiet, x1: 3 };
  const first = (name: string, minutes: Parameters<typeof ours.first>[0]): number | undefined =>
    rulesOf([{ weight: 0.05, minutes: minutes.length }], 0)
      .find((rule) => rule.name.startsWith(name))
      ?.first(minutes);
  expect(first('any error', [quiet, bad])).toBe(1);
  expect(first('errors > 0, 2 of 2', [bad, quiet, bad, bad])).toBe(3);
  expect(first('rate > 1 %, 3 of 5', [bad, quiet, bad, quiet, bad])).toBe(4);
  expect(first('rate > 1 %, 3 of 5', [bad, quiet, quiet, bad, quiet, bad])).toBe(Number.POSITIVE_INFINITY);
  expect(first('rate > 1 %, 5 failed', [bad, quiet, bad, bad, quiet, bad, bad])).toBe(6);
  expect(first('naive z', [quiet, bad])).toBe(1);
  expect(first('judge', [bad, quiet, bad])).toBe(2);
  expect(ranks(0.05)([bad, bad, bad, bad, { ...quiet, step: 1 }])).toBe(3);
});

/** A release of the bench, given to judge() minute by minute. */
function judged(seen: readonly Seen[]): readonly [verdict: string, minute: number] {
  const options: Options = {
    minRequests: 100,
    increase: 0.01,
    expectedShift: 0.2,
    slow: 2,
    rejected: true,
    outputs: [],
  };
  const minutes: Minute[] = [];
  let [step, since] = [0, 0];
  for (const { weight, n1, n2, x1, x2, slow1, slow2, refused1, refused2 } of seen) {
    since += 1;
    minutes.push({
      at: new Date(Date.UTC(2026, 0, 1, 0, minutes.length)).toISOString(),
      step,
      weight,
      candidate: {
        invocations: n1,
        crashes: 0,
        requests: n1 - refused1,
        errors: x1,
        rejected: refused1,
        slow: [0, 0, slow1, 0],
      },
      stable: {
        invocations: n2,
        crashes: 0,
        requests: n2 - refused2,
        errors: x2,
        rejected: refused2,
        slow: [0, slow2, 0, 0],
      },
    });
    const nextWeight = WEIGHTS[step + 1];
    const position = {
      index: step,
      bakeOver: since >= BAKE,
      ...(nextWeight !== undefined && { nextWeight }),
    };
    const { verdict } = judge(minutes, position, options);
    if (verdict === 'fail') return ['rolledBack', minutes.length];
    if (verdict === 'pass') [step, since] = [step + 1, 0];
    if (step === WEIGHTS.length) return ['promoted', minutes.length];
  }
  return ['held', minutes.length];
}

it.each<[string, Scenario, number]>([
  ['healthy', { perSecond: 1, p1: 0.01, p2: 0.01 }, 12],
  ['twice the errors', { perSecond: 3, p1: 0.02, p2: 0.01 }, 12],
  ['slower', { perSecond: 10, p1: 0.001, p2: 0.001, slow: [0.14, 0.1] }, 12],
  ['mistakes of clients', { perSecond: 3, p1: 0.01, p2: 0.01, refused: [0.1, 0.1] }, 12],
  ['refused requests', { perSecond: 3, p1: 0.01, p2: 0.01, refused: [0.15, 0.1] }, 12],
  ['a shared outage', { perSecond: 10, p1: 0.01, p2: 0.01, outage: true }, 12],
])('the simulated release and judge() agree in verdict and minute: %s', (name, scenario, runs) => {
  const random = randomOf(`agree ${name}`);
  for (let run = 0; run < runs; run++) {
    const seen: Seen[] = [];
    const { end, minutes } = release(random, scenario, (minute) => seen.push(minute));
    expect(judged(seen)).toEqual([end, minutes]);
  }
});
