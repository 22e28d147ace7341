import { describe, expect, it } from 'vitest';
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

  it('of nothing says nothing', () => {
    expect(shareTest({ live: 0, of: 0, before: 0, among }, 1)).toBeUndefined();
    expect(shareTest({ live: 0, of, before: 0, among: 0 }, 1)).toBeUndefined();
    expect(shareTest({ live: 0, of, before: 0, among }, 1)).toBeUndefined();
  });
});
