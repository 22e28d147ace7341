import { assert, constantFrom, integer, property } from 'fast-check';
import { expect, it } from 'vitest';
import { allowedAbove, requestsFor, stoppedEarly } from '../../../../core/capacity/early-stopping.ts';
import { mlperfJudged } from '../../../../core/capacity/mlperf.ts';
import { ascending, quantile } from '../../../../core/capacity/order-statistics.ts';

/** https://github.com/mlcommons/inference_policies and LoadGen’s own words: 64, 459 and 662 are its. */
it.each([
  [0.9, [44, 64, 197, 1246]],
  [0.95, [90, 130, 398, 2504]],
  [0.99, [459, 662, 2010, 12_571]],
  [0.999, [4603, 6636, 20_140, 125_826]],
])('requests that p%d needs with 0, 1, 10 and 100 slow ones', (p, needed) => {
  expect([0, 1, 10, 100].map((t) => requestsFor(t, p))).toEqual(needed);
});

/** P(at most t of n), by exact binomial coefficients. */
function binomial(n: number, t: number, q: number): number {
  let sum = 0;
  let choose = 1n;
  for (let k = 0; k <= t; k += 1) {
    sum += Number(choose) * q ** k * (1 - q) ** (n - k);
    choose = (choose * BigInt(n - k)) / BigInt(k + 1);
  }
  return sum;
}

it('as many may be above as leave a doubt of less than 1 %', () => {
  assert(
    property(integer({ min: 1, max: 900 }), constantFrom(0.5, 0.9, 0.95, 0.99), (n, p) => {
      const t = allowedAbove(n, p);
      if (t >= 0) expect(binomial(n, t, 1 - p)).toBeLessThan(0.01);
      expect(binomial(n, t + 1, 1 - p)).toBeGreaterThanOrEqual(0.01 - 1e-12);
    }),
    { numRuns: 200 },
  );
});

it('the estimate is above the percentile, and a value that was measured', () => {
  const sorted = ascending(Array.from({ length: 2000 }, (_, i) => i));
  expect(quantile(sorted, 0.99)).toBe(1980);
  // Nine are allowed above: the tenth would be one too many.
  expect(stoppedEarly(sorted, 0.99)).toBe(2000 - allowedAbove(2000, 0.99));
  expect(stoppedEarly(ascending([1, 2, 3]), 0.5)).toBeUndefined();
});

it('Server may have as many above its objective as early stopping allows', () => {
  const judged = (count: number, above: number) => {
    const latencies = Array.from({ length: count }, (_, i) => (i < above ? 60 : 10));
    return mlperfJudged('Server', ascending(latencies), { percentile: 0.99, ms: 50 });
  };
  expect(judged(661, 1)).toEqual({ isWithin: true, earlyStopping: false, needs: 662 });
  expect(judged(662, 1)).toEqual({ isWithin: true, earlyStopping: true, needs: 662 });
  expect(judged(458, 0)).toMatchObject({ earlyStopping: false, needs: 459 });
  expect(judged(1000, 20)).toMatchObject({ isWithin: false, earlyStopping: false });
  expect(mlperfJudged('Offline', ascending([1]), undefined)).toEqual({});
});

it('a million requests are told in no time, and their share is near the percentile', () => {
  const t = allowedAbove(1_000_000, 0.99);
  expect(t).toBeGreaterThan(9700);
  expect(t).toBeLessThan(9800);
});
