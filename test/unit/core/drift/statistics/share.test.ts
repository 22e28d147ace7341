import { describe, expect, it } from 'vitest';
import { seeded } from '../../../../../core/capacity/random.ts';
import { rareTail } from '../../../../../core/drift/statistics/rare.ts';
import { shareTest } from '../../../../../core/drift/statistics/share.ts';

const of = 1000;
const among = 10_000;

describe('a share', () => {
  it('of which enough rows are expected is held against the reference by chi², in both directions', () => {
    const same = shareTest({ live: 100, of, before: 1000, among }, 1);
    expect(same).toEqual({ x2: 0, p: 1 });
    const more = shareTest({ live: 150, of, before: 1000, among }, 1);
    // (c√(m/n) − b√(n/m))²/(c + b) of both cells.
    expect(more?.x2).toBeCloseTo((50 * Math.sqrt(10)) ** 2 / 1150 + (50 * Math.sqrt(10)) ** 2 / 9850, 9);
    expect(more?.p).toBeLessThan(1e-6);
    expect(shareTest({ live: 60, of, before: 1000, among }, 1)?.p).toBeLessThan(1e-4);
    expect(shareTest({ live: 150, of, before: 1000, among }, 3)?.p).toBeGreaterThan(more?.p ?? 1);
  });

  it('that the reference hardly has is exact, and says nothing of fewer than five rows', () => {
    expect(shareTest({ live: 4, of, before: 0, among }, 1)).toBeUndefined();
    expect(shareTest({ live: 5, of, before: 0, among }, 1)?.p).toBeCloseTo((1 / 11) ** 5, 12);
    expect(shareTest({ live: 12, of, before: 40, among }, 1)?.p).toBe(rareTail(12, of, 40, among, 1));
  });

  it('that the reference has in all but every row is the same, the other way round', () => {
    expect(shareTest({ live: 996, of, before: among, among }, 1)).toBeUndefined();
    expect(shareTest({ live: 995, of, before: among, among }, 1)?.p).toBeCloseTo((1 / 11) ** 5, 12);
  });

  it('that a small reference has few rows of is exact, in both directions', () => {
    const small = { of: 10_000, among: 300 };
    // 100 of 10,000 where 3 of 300 are expected: nothing. Ten by chance are in one of a thousand references.
    expect(shareTest({ live: 100, before: 3, ...small }, 1)?.p).toBe(1);
    const many = shareTest({ live: 100, before: 10, ...small }, 1);
    // Twice P(at least 10 of all 110 in the reference), each there with probability 300/10300.
    expect(many?.p).toBeCloseTo(2 * rareTail(10, 300, 100, 10_000, 1), 15);
    expect(many?.p).toBeGreaterThan(1e-3);
    expect(shareTest({ live: 0, before: 6, ...small }, 1)?.p).toBeCloseTo(2 * (300 / 10_300) ** 6, 15);
    expect(shareTest({ live: 900, before: 3, ...small }, 1)?.p).toBeLessThan(1e-6);
    expect(shareTest({ live: 900, before: 3, ...small }, 3)?.p).toBeGreaterThan(1e-6);
  });

  it('of references of 300 rows is called different no more often than it says', () => {
    const random = seeded(5);
    const poisson = (mean: number): number => {
      let count = 0;
      for (let left = Math.exp(mean) * random(); left > 1; left *= random()) count += 1;
      return count;
    };
    const LIMIT = 1e-3;
    for (const share of [0.001, 0.002, 0.005, 0.01]) {
      let called = 0;
      for (let i = 0; i < 5000; i++) {
        const found = shareTest(
          { live: poisson(10_000 * share), of: 10_000, before: poisson(300 * share), among: 300 },
          1,
        );
        if ((found?.p ?? 1) <= LIMIT) called += 1;
      }
      // Five are expected at most; one in two thousand runs has more than fourteen.
      expect(called, `${share}`).toBeLessThan(15);
    }
  });

  it('of nothing says nothing', () => {
    expect(shareTest({ live: 0, of: 0, before: 0, among }, 1)).toBeUndefined();
    expect(shareTest({ live: 0, of, before: 0, among: 0 }, 1)).toBeUndefined();
    expect(shareTest({ live: 0, of, before: 0, among }, 1)).toBeUndefined();
  });
});
