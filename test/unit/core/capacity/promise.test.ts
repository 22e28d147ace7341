import { expect, it } from 'vitest';
import { correlationTime } from '../../../../core/capacity/correlation.ts';
import { promised } from '../../../../core/capacity/promise.ts';
import { seeded } from '../../../../core/capacity/random.ts';
import { studentQuantile } from '../../../../core/capacity/student.ts';

it.each([
  // Published tables: https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm
  [1, 0.975, 12.706],
  [4, 0.99, 3.747],
  [4, 0.995, 4.604],
  [5, 0.95, 2.015],
  [9, 0.995, 3.25],
  [30, 0.99, 2.457],
])('Student’s t of %d degrees of freedom at %d', (df, p, t) => {
  expect(studentQuantile(df, p)).toBeCloseTo(t, 3);
});

const chance = seeded(11);
const noise = (length: number): Float64Array => Float64Array.from({ length }, () => -Math.log1p(-chance()));
/** x ← φ·x + noise: its correlation time is (1 + φ)/(1 − φ). */
const autoregressive = (length: number, phi: number): Float64Array => {
  let x = 0;
  return Float64Array.from({ length }, () => {
    x = phi * x + chance() - 0.5;
    return x;
  });
};

it('independent values count one each, correlated ones by their correlation time', () => {
  expect(correlationTime([noise(4000), noise(4000)])).toBeLessThan(1.3);
  const found = correlationTime([autoregressive(9000, 0.9), autoregressive(9000, 0.9)]);
  expect(found).toBeGreaterThan(15);
  expect(found).toBeLessThan(24);
  // Ten times as many are grouped first.
  const grouped = correlationTime([autoregressive(90_000, 0.9), autoregressive(90_000, 0.9)]);
  expect(grouped).toBeGreaterThan(14);
  expect(grouped).toBeLessThan(30);
});

it('equal values are no reason to fail', () => {
  expect(correlationTime([new Float64Array(50).fill(3)])).toBe(1);
  const runs = Array.from({ length: 5 }, () => Array<number>(500).fill(20));
  const { upper, lower } = promised(runs, 0.9);
  expect(upper).toBeCloseTo(20, 9);
  expect(lower).toBeCloseTo(20, 9);
});

it('five runs of enough independent values give a bound above what they show', () => {
  const runs = Array.from({ length: 5 }, () => [...noise(2000)]);
  const found = promised(runs, 0.99);
  expect(found.runs).toHaveLength(5);
  // p99 of the exponential distribution.
  expect(found.upper).toBeGreaterThan(Math.log(100));
  expect(found.lower).toBeLessThan(Math.log(100));
});

it('nothing is promised of fewer runs, or of shorter ones than the correlation asks for', () => {
  const four = promised(
    Array.from({ length: 4 }, () => [...noise(2000)]),
    0.99,
  );
  expect(four).not.toHaveProperty('upper');
  const short = promised(
    Array.from({ length: 5 }, () => [...autoregressive(1000, 0.95)].map((x) => x + 9)),
    0.99,
  );
  expect(short).not.toHaveProperty('upper');
  // 39 in a row count as one; 800 of a run are kept, 3900 are needed.
  expect(short.longer).toBeGreaterThan(2);
  expect(short.longer).toBeLessThan(9);
  expect(promised([[], [], [], [], []], 0.99).longer).toBe(Number.POSITIVE_INFINITY);
});

it('the start of a run, when the queue was empty, is left out', () => {
  const runs = Array.from({ length: 5 }, () => [
    ...Array<number>(100).fill(1),
    ...Array<number>(400).fill(9),
  ]);
  expect(promised(runs, 0.1).runs).toEqual([9, 9, 9, 9, 9]);
});
