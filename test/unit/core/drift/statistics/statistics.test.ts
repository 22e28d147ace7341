/** The figures that scipy gave once, of a worked example (docs/drift.md), and what must hold of any. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chi } from '../../../../../core/drift/chi.ts';
import { PARTS } from '../../../../../core/drift/contract.ts';
import { locationOf, rankOf, spreadOf } from '../../../../../core/drift/score.ts';
import { hochberg } from '../../../../../core/drift/statistics/hochberg.ts';
import { psi } from '../../../../../core/drift/statistics/psi.ts';
import { rareTail } from '../../../../../core/drift/statistics/rare.ts';
import { smooth } from '../../../../../core/drift/statistics/smooth.ts';
import {
  effectFloor,
  effectiveRows,
  smoothThreshold,
} from '../../../../../core/drift/statistics/threshold.ts';
import { shift } from '../../../../../core/judge/output.ts';

const m = 10_000;

describe('the worked example', () => {
  const window = { n: 240, a: 55, b: -31 };
  const threshold = smoothThreshold(effectiveRows(240, m), 0.1, 0.001);

  it('S2, and its threshold with and without overdispersion', () => {
    expect(smooth(window, m, 1)?.t).toBeCloseTo(16.219075520833, 9);
    expect(threshold).toBeCloseTo(15.645300339173, 9);
    const found = smooth(window, m, 1.3);
    expect(found?.t).toBeCloseTo(16.219075520833, 9);
    expect(1.3 * threshold).toBeCloseTo(20.338890440925, 9);
    expect(found?.p).toBeCloseTo(0.001953552108, 9);
    expect(found?.size).toBeCloseTo(0.241056125323, 9);
    expect(found?.shift).toBeCloseTo(55 / 240, 12);
  });

  it('chi² over deciles', () => {
    const live = [14, 20, 22, 24, 26, 24, 26, 28, 28, 28];
    const found = chi({ kind: 'numeric', counts: Array(10).fill(1000), phi: 1 }, live);
    expect(found?.x2).toBeCloseTo(7.196224007595, 9);
    expect(found?.df).toBe(9);
    expect(found?.p).toBeCloseTo(0.616697839904, 9);
  });

  it('R3', () => {
    const sums = { aa: 880, bb: 910, ab: 45 };
    const { ne, q } = shift([
      [
        { n: 100, a: 20, b: -5, ...sums },
        { n: 900, a: 40, b: 10, ...sums },
      ],
    ]);
    expect(ne * q * q).toBeCloseTo(2.656707409294, 9);
  });

  it('mid-ranks and scores of values with ties', () => {
    const values = [1, 1, 2, 2, 2, 3, 4, 5, 6, 9];
    const knots = Array.from({ length: PARTS + 1 }, (_, i) => {
      const at = ((values.length - 1) * i) / PARTS;
      const [low = 0, high = low] = values.slice(Math.floor(at), Math.floor(at) + 2);
      return low + (at - Math.floor(at)) * (high - low);
    });
    const ranks = [0, 1, 2, 3.5, 9].map((x) => rankOf(knots, x));
    for (const [i, u] of [0, 0.054166666667, 0.333333333333, 0.611111111111, 1].entries())
      expect(ranks[i]).toBeCloseTo(u, 9);
    const own = values.map((x) => rankOf(knots, x));
    const average = (of: (u: number) => number): number =>
      own.reduce((sum, u) => sum + of(u), 0) / own.length;
    const mean = average((u) => u);
    const sd = Math.sqrt(average((u) => (u - mean) ** 2));
    const skew = average((u) => ((u - mean) ** 2 * (u - mean)) / sd);
    const spread = Math.sqrt(average((u) => ((u - mean) ** 2 - sd * sd - (skew * (u - mean)) / sd) ** 2));
    const scale = { knots, mean, sd, skew, spread };
    const h1 = locationOf(scale, rankOf(knots, 2));
    expect(h1).toBeCloseTo(-0.528539246479, 9);
    expect(spreadOf(scale, rankOf(knots, 2), h1)).toBeCloseTo(-0.785423019073, 9);
  });
});

const rows = fc.integer({ min: 1, max: 1_000_000 });
const score = fc.double({ min: -3, max: 3, noNaN: true });
const phi = fc.double({ min: 1, max: 50, noNaN: true });
const effect = fc.double({ min: 0, max: 1, noNaN: true });
const alpha = fc.double({ min: 1e-8, max: 0.5, noNaN: true });
const counts = (length: number) => fc.array(fc.nat({ max: 500 }), { minLength: length, maxLength: length });

describe('S2', () => {
  it('is never negative, a probability is one, and only the shift knows a direction', () => {
    fc.assert(
      fc.property(rows, rows, score, score, phi, (n, of, a, b, over) => {
        const found = smooth({ n, a: a * n, b: b * n }, of, over);
        const mirrored = smooth({ n, a: -a * n, b: -b * n }, of, over);
        expect(found?.t).toBeGreaterThanOrEqual(0);
        expect(found?.size).toBeGreaterThanOrEqual(0);
        expect(found?.p).toBeGreaterThanOrEqual(0);
        expect(found?.p).toBeLessThanOrEqual(1);
        expect([mirrored?.t, mirrored?.p, mirrored?.size]).toEqual([found?.t, found?.p, found?.size]);
        expect((mirrored?.shift ?? 1) + (found?.shift ?? 1)).toBe(0);
      }),
    );
  });

  it('of φ times as noisy data, √φ times as far away, says the same', () => {
    fc.assert(
      fc.property(rows, score, score, phi, (n, a, b, over) => {
        const [one, other] = [
          smooth({ n, a: a * n, b: b * n }, m, 1),
          smooth({ n, a: Math.sqrt(over) * a * n, b: Math.sqrt(over) * b * n }, m, over),
        ];
        expect(Math.log(other?.p ?? 2)).toBeCloseTo(Math.log(one?.p ?? 3), 6);
        expect(other?.size).toBeCloseTo(Math.sqrt(over) * (one?.size ?? 9), 6);
      }),
      { examples: [[100, 0, 0, 1]] },
    );
  });

  it('says nothing without rows', () => {
    expect(smooth({ n: 0, a: 0, b: 0 }, m, 1)).toBeUndefined();
    expect(smooth({ n: 10, a: 1, b: 0 }, 0, 1)).toBeUndefined();
  });

  it('asks for more where a greater change is to be overlooked, and for a rarer one', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        effect,
        effect,
        alpha,
        alpha,
        (ne, d, e, p, q) => {
          const [less, more] = [Math.min(d, e), Math.max(d, e)];
          expect(smoothThreshold(ne, more, p)).toBeGreaterThanOrEqual(smoothThreshold(ne, less, p));
          expect(smoothThreshold(ne, d, Math.min(p, q))).toBeGreaterThanOrEqual(
            smoothThreshold(ne, d, Math.max(p, q)),
          );
          expect(smoothThreshold(ne, d, p)).toBeGreaterThanOrEqual(effectFloor(2, ne, d, p));
          expect(smoothThreshold(ne, d, p)).toBeGreaterThanOrEqual(-2 * Math.log(p));
        },
      ),
    );
  });
});

describe('chi²', () => {
  const numeric = { kind: 'numeric', phi: 1 } as const;
  const category = { kind: 'category', phi: 1 } as const;

  it('is never negative, nor what cannot be told, whatever the cells hold', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('numeric', 'category'),
        fc.integer({ min: 1, max: 11 }).chain((length) => fc.tuple(counts(length), counts(length))),
        phi,
        (kind, [reference, live], over) => {
          const found = chi({ kind, counts: reference, phi: over }, live);
          if (found === undefined) return;
          expect(found.x2).toBeGreaterThanOrEqual(0);
          expect(found.df).toBeGreaterThanOrEqual(1);
          expect(found.df).toBeLessThan(reference.length);
          expect(found.p).toBeGreaterThanOrEqual(0);
          expect(found.p).toBeLessThanOrEqual(1);
          const even = chi({ kind, counts: reference, phi: 1 }, live);
          expect(found.x2).toBe(even?.x2);
          // Its last digits are rounding's, where the dispersion is 1 but for its own last one.
          expect(found.p).toBeGreaterThanOrEqual((even?.p ?? 2) * (1 - 1e-12));
        },
      ),
    );
  });

  it('is 0 where the shares are the same', () => {
    expect(chi({ ...numeric, counts: [1000, 3000] }, [10, 30])).toMatchObject({ df: 1, p: 1 });
    expect(chi({ ...numeric, counts: [1000, 3000] }, [10, 30])?.x2).toBeCloseTo(0, 12);
  });

  it('joins categories that expect fewer than five rows to the others, known and unseen', () => {
    // 100 rows are 60, 36, 3 (small), 1 (others) and none (unseen); together 4, so they join the second.
    const found = chi({ ...category, counts: [6000, 3600, 300, 100, 0] }, [50, 40, 5, 3, 2]);
    expect(found).toEqual(chi({ ...numeric, counts: [6000, 4000] }, [50, 50]));
    // 1000 rows leave them alone: 600, 360, 30, 10.
    expect(chi({ ...category, counts: [6000, 3600, 300, 100, 0] }, [500, 400, 50, 30, 20])).toEqual(
      chi({ ...numeric, counts: [6000, 3600, 300, 100] }, [500, 400, 50, 50]),
    );
  });

  it('joins an empty cell of a scale to its neighbour: one row in it is no drift', () => {
    // A column whose greatest value is an atom has a last cell without a row.
    expect(chi({ ...numeric, counts: [4000, 6000, 0] }, [40, 59, 1])).toEqual(
      chi({ ...numeric, counts: [4000, 6000] }, [40, 60]),
    );
    expect(chi({ ...numeric, counts: [0, 4000, 6000] }, [1, 39, 60])?.df).toBe(1);
  });

  it('says nothing of one cell, nor without rows', () => {
    expect(chi({ ...numeric, counts: [10_000] }, [100])).toBeUndefined();
    expect(chi({ ...numeric, counts: [5000, 5000] }, [0, 0])).toBeUndefined();
    expect(chi({ ...category, counts: [10_000, 0, 0] }, [10, 0, 90])).toBeUndefined();
  });
});

describe('what the reference hardly has', () => {
  it('is none by one row, and is by some', () => {
    expect(rareTail(1, 300, 0, m, 1)).toBeCloseTo(300 / 10_300, 12);
    expect(rareTail(5, 300, 0, m, 1)).toBeLessThan(1e-7);
    expect(rareTail(0, 300, 0, m, 1)).toBe(1);
  });

  it('is a probability that falls with every row more, whatever the counts', () => {
    const count = fc.nat({ max: 20_000 });
    fc.assert(
      fc.property(count, rows, count, rows, phi, (live, n, reference, of, over) => {
        const p = rareTail(live, n, reference, of, over);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(rareTail(live + 1, n, reference, of, over)).toBeLessThanOrEqual(p * (1 + 1e-9));
        expect(rareTail(live, n, reference, of, 2 * over)).toBeGreaterThanOrEqual(p * (1 - 1e-9));
      }),
    );
  });
});

describe('false discoveries', () => {
  const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

  it('follow the order of p, and none is lost where q grows or another p falls', () => {
    fc.assert(
      fc.property(ps, alpha, alpha, fc.nat(), (list, p, q, where) => {
        const [few, many] = [hochberg(list, Math.min(p, q)), hochberg(list, Math.max(p, q))];
        few.forEach((is, i) => {
          if (is) expect(many[i]).toBe(true);
        });
        const chosen = list.filter((_, i) => few[i]);
        const rest = list.filter((_, i) => !few[i]);
        if (chosen.length > 0) expect(Math.max(...chosen)).toBeLessThan(Math.min(2, ...rest));
        const lower = hochberg(
          list.map((value, i) => (i === where % list.length ? value / 2 : value)),
          Math.min(p, q),
        );
        few.forEach((is, i) => {
          if (is) expect(lower[i]).toBe(true);
        });
      }),
    );
  });

  it('the example of 1995: four of fifteen', () => {
    const listed = [
      ...[0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344],
      ...[0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1],
    ];
    expect(hochberg(listed, 0.05).filter(Boolean)).toHaveLength(4);
  });
});

it('PSI is never negative, and 0 where the shares are the same', () => {
  fc.assert(
    fc.property(counts(10), counts(10), (reference, live) => {
      expect(psi(reference, live) ?? 0).toBeGreaterThanOrEqual(0);
      expect(psi(reference, reference) ?? 0).toBeCloseTo(0, 12);
    }),
  );
  expect(psi(Array(10).fill(1000), Array(10).fill(0))).toBeUndefined();
});
