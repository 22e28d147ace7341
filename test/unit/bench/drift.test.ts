/** The simulation behind docs/drift-bench.md: are its windows as random as they should be? */
import { describe, expect, it } from 'vitest';
import { chiLimit, kolmogorovLimit, psiLimit, statistics } from '../../../bench/drift/detectors.ts';
import { allSumsOf, changed, folded, M, referenceOf, sumsOf, window } from '../../../bench/drift/draws.ts';
import { CHANGES } from '../../../bench/drift/pool.ts';
import { randomOf } from '../../../bench/release/random.ts';
import { PARTS } from '../../../core/drift/contract.ts';

const even = Float64Array.from({ length: PARTS }, (_, i) => (i + 1) / PARTS);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('windows', () => {
  it.each([40, 400, 401, 5000])('of %d rows are multinomial', (n) => {
    const random = randomOf('windows');
    const counts = new Float64Array(PARTS);
    const below = referenceOf(random);
    const p = (below[6] ?? 0) - (below[5] ?? 0);
    const seen: number[] = [];
    for (let i = 0; i < 4000; i++) {
      window(random, n, below, counts);
      expect(counts.reduce((a, b) => a + b, 0)).toBe(n);
      seen.push(counts[6] ?? 0);
    }
    const variance = n * p * (1 - p);
    expect(Math.abs(mean(seen) - n * p)).toBeLessThan(5 * Math.sqrt(variance / 4000));
    const spread = mean(seen.map((x) => (x - n * p) ** 2));
    expect(spread / variance).toBeGreaterThan(0.85);
    expect(spread / variance).toBeLessThan(1.15);
  });

  it('the reference’s parts are as uneven as those of its rows', () => {
    const random = randomOf('reference');
    const parts = Array.from({ length: 2000 }, () => {
      const below = referenceOf(random, 1000);
      expect(below[PARTS - 1]).toBe(1);
      return (below[60] ?? 0) - (below[59] ?? 0);
    });
    const variance = ((1 / PARTS) * (1 - 1 / PARTS)) / 1001;
    expect(mean(parts)).toBeCloseTo(1 / PARTS, 3);
    expect(mean(parts.map((p) => (p - 1 / PARTS) ** 2)) / variance).toBeCloseTo(1, 0);
  });

  it('changed rows lie where a normal variable’s do', () => {
    // Φ(Φ⁻¹(½) − ½)
    expect(changed(even, CHANGES['0.5 σ'])[59]).toBeCloseTo(0.3085375387, 6);
    expect(changed(even, CHANGES['sd × 1.5'])[59]).toBeCloseTo(0.5, 6);
    // ⅚ of the rows are below 0.967 σ; a tenth are 3 σ higher.
    expect(changed(even, CHANGES['10 % of rows + 3 σ'])[99]).toBeCloseTo(0.9 * (5 / 6) + 0.1 * 0.02106, 4);
    expect(changed(even, {})).toBe(even);
  });
});

it('scores of all parts have mean 0, variance 1, and no covariance', () => {
  const sums = allSumsOf(new Float64Array(PARTS).fill(1));
  expect(sums).toMatchObject({ n: PARTS });
  for (const value of [sums.a, sums.b, sums.ab]) expect(value).toBeCloseTo(0, 9);
  for (const value of [sums.aa, sums.bb]) expect(value).toBeCloseTo(PARTS, 9);
  expect(sumsOf(new Float64Array(PARTS).fill(1)).n).toBe(PARTS);
});

it('detectors see nothing in even counts, and a shift in uneven ones', () => {
  const still = statistics(new Float64Array(PARTS).fill(10));
  for (const value of Object.values(still)) expect(value).toBeCloseTo(0, 9);
  const uneven = statistics(Float64Array.from({ length: PARTS }, (_, i) => i));
  for (const value of Object.values(uneven)) expect(value).toBeGreaterThan(0.2);
  expect(
    folded(
      Float64Array.from({ length: PARTS }, (_, i) => i),
      4,
    ),
  ).toEqual([435, 1335, 2235, 3135]);
});

it('limits are those of scipy', () => {
  expect(chiLimit(9, 0.001)).toBeCloseTo(27.877164871, 6);
  expect(kolmogorovLimit(0.001)).toBeCloseTo(1.9494746, 6);
  expect(psiLimit(100, 10, 0.01)).toBeCloseTo((1 / 100 + 1 / M) * 21.665994333, 8);
});
