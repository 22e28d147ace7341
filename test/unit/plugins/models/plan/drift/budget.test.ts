import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST_ROWS } from '../../../../../../core/drift/contract.ts';
import { effectiveRows, smoothThreshold } from '../../../../../../core/drift/statistics/threshold.ts';
import {
  alphaOf,
  discoveryRateOf,
  falseAlarms,
  falseCounts,
  mostFalseCounts,
  noncentrality,
  pairChance,
  smallestShift,
} from '../../../../../../plugins/models/plan/drift/budget.ts';

const HOURS = 720;

describe('the worked example', () => {
  it('two windows that share a reference', () => {
    expect(pairChance(-2 * Math.log(0.001), 5000, 10_000) * 1e5).toBeCloseTo(1.012817438768, 9);
  });

  it('what is found', () => {
    const limit = smoothThreshold(effectiveRows(1000, 10_000), 0.1, 0.001);
    expect(noncentrality(limit, Math.sqrt(0.9))).toBeCloseTo(50.342626664, 8);
    expect(smallestShift({ m: 10_000, effect: 0.1 }, 0.001, 1000)).toBeCloseTo(0.240812257, 9);
  });

  it.each([
    [50, 0.76],
    [100, 0.54],
    [300, 0.34],
    [1000, 0.24],
    [5000, 0.18],
  ])('in windows of %d rows', (n, shift) => {
    expect(smallestShift({ m: 10_000, effect: 0.1 }, 0.001, n)).toBeCloseTo(shift, 2);
  });

  it('α of four signals an hour, and q', () => {
    const watched = { budget: 1, signals: 4, windows: HOURS, m: 10_000, effect: 0.1, rows: 1000 };
    expect(alphaOf(watched)).toBeCloseTo(Math.sqrt(1 / 2880), 12);
    expect(discoveryRateOf(watched)).toBeCloseTo(Math.sqrt(1 / 720), 12);
  });
});

describe('two windows that share a reference which is small beside them', () => {
  /** Every term of the sum, until no later one changes it. */
  const exact = (limit: number, n: number, of: number): number => {
    const r2 = (n / (n + of)) ** 2;
    const x = limit / (2 * (1 - r2));
    let [sum, left, upTo, lnTerm] = [0, 1, 0, -x];
    for (let k = 0; left > sum * 1e-13 && left > 1e-300; ) {
      upTo = Math.min(1, upTo + Math.exp(lnTerm));
      sum += left * (1 - r2) * upTo ** 2;
      left *= r2;
      k += 1;
      lnTerm += Math.log(x / k);
    }
    return sum;
  };

  it.each([
    [2, 100, 10_000],
    [15, 5000, 5000],
    [15, 36_000, 300],
    [15, 36_000, 1],
    [0.5, 100_000, 3],
    [600, 3000, 100],
    [1200, 100_000, 300],
    [40, 1_000_000, 20],
  ])('limit %d, %d rows of %d: as of all terms', (limit, n, of) => {
    expect(pairChance(limit, n, of) / exact(limit, n, of)).toBeCloseTo(1, 8);
  });

  it.each([
    [15, 3_600_000, 1],
    [15, 40_000_000, 10],
    [40, 20_000_000, 3],
    [1300, 3_000_000, 300],
  ])('limit %d, %d rows of %d: a bound, which is no less', (limit, n, of) => {
    const [bound, all] = [pairChance(limit, n, of), exact(limit, n, of)];
    expect(bound).toBeGreaterThanOrEqual(all);
    // One window alone exceeds so often, and two no more often.
    expect(bound).toBeLessThanOrEqual(Math.exp(-limit / 2));
    if (limit < 100) expect(bound / all).toBeLessThan(1.01);
  });

  it.each([
    [1e6, 1, 3600],
    [1000, 300, 3600],
    [1e6, 300, 86_400],
    [1e6, 1_000_000, 2_592_000],
  ])('%d requests a second, %d rows, windows of %d s: at once', (traffic, of, window) => {
    const watched = { budget: 1, signals: 11, windows: 2_592_000 / window, m: of, effect: 0.1 };
    const before = performance.now();
    const q = discoveryRateOf({ ...watched, rows: traffic * window });
    // Half a second where nothing else runs; it took minutes.
    expect(performance.now() - before).toBeLessThan(60_000);
    expect(mostFalseCounts({ ...watched, rows: traffic * window }, q)).toBeLessThanOrEqual(1.0001);
  });
});

const budget = fc.double({ min: 0.01, max: 20, noNaN: true });
const signals = fc.integer({ min: 1, max: 200 });
const windows = fc.constantFrom(4, 30, HOURS, 8640);
const m = fc.integer({ min: 300, max: 1_000_000 });
const effect = fc.constantFrom(0, 0.05, 0.1, 0.3);
const rows = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined });

it('the budget is kept in windows of every size up to the expected one', () => {
  fc.assert(
    fc.property(
      fc.record({ budget, signals, windows, m, effect, rows }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (watched, at) => {
        const alpha = alphaOf(watched);
        expect(alpha).toBeGreaterThan(0);
        expect(alpha).toBeLessThanOrEqual(Math.sqrt(watched.budget / (watched.signals * watched.windows)));
        const most = Math.max(LEAST_ROWS, watched.rows ?? 100 * watched.m);
        const n = LEAST_ROWS * (most / LEAST_ROWS) ** at;
        // Sizes between those that were looked at may be a little worse.
        expect(falseAlarms(watched, alpha, n)).toBeLessThanOrEqual(1.02 * watched.budget);
      },
    ),
    { numRuns: 50 },
  );
});

it('the monitor’s, too: no less than q and no more than is expected of independent windows', () => {
  fc.assert(
    fc.property(
      fc.record({ budget, signals, windows, m, effect, rows }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (watched, at) => {
        const q = discoveryRateOf(watched);
        const plain = Math.min(0.5, Math.sqrt(watched.budget / watched.windows));
        expect(q).toBeLessThanOrEqual(plain);
        // With a reference in common, what one window finds by chance the next finds at most.
        expect(q).toBeGreaterThanOrEqual((plain * plain) / 2 / 1.001);
        const most = Math.max(LEAST_ROWS, watched.rows ?? 100 * watched.m);
        const n = LEAST_ROWS * (most / LEAST_ROWS) ** at;
        expect(falseCounts(watched, q, n)).toBeLessThanOrEqual(1.02 * watched.budget);
      },
    ),
    { numRuns: 50 },
  );
});

it('of a reference of 300 rows and windows of 3000 the monitor’s q is a tenth, since nearly all is shared', () => {
  const watched = { budget: 1, signals: 4, windows: HOURS, m: 300, effect: 0.1, rows: 3000 };
  const plain = Math.sqrt(1 / HOURS);
  expect(mostFalseCounts(watched, plain)).toBeGreaterThan(9);
  const q = discoveryRateOf(watched);
  expect(q).toBeCloseTo(0.00373, 5);
  expect(mostFalseCounts(watched, q)).toBeCloseTo(1, 3);
});

it('with an effect of 0.1 and references large enough, sharing one costs a fifth at most', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.oneof(
        fc.tuple(
          fc.integer({ min: 10_000, max: 1_000_000 }),
          fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
        ),
        fc.tuple(fc.integer({ min: 1000, max: 10_000 }), fc.double({ min: 0.008, max: 0.5, noNaN: true })),
      ),
      (n, [of, alpha]) => {
        const limit = smoothThreshold(effectiveRows(n, of), 0.1, alpha);
        expect(pairChance(limit, n, of)).toBeLessThanOrEqual(1.2 * alpha * alpha);
      },
    ),
  );
});

it('two windows exceed a limit at least as often as independent ones, and no more than one does', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      fc.integer({ min: 1, max: 1_000_000 }),
      m,
      (limit, n, of) => {
        const both = pairChance(limit, n, of);
        expect(both).toBeGreaterThanOrEqual(Math.exp(-limit) * (1 - 1e-9));
        expect(both).toBeLessThanOrEqual(Math.exp(-limit / 2) * (1 + 1e-9));
      },
    ),
  );
});

it('more rows find a smaller shift, a greater effect to overlook a larger one, noise a larger one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 50, max: 100_000 }),
      m,
      fc.double({ min: 1e-6, max: 0.1, noNaN: true }),
      (n, of, alpha) => {
        const found = smallestShift({ m: of, effect: 0.1 }, alpha, n);
        expect(smallestShift({ m: of, effect: 0.1 }, alpha, 2 * n)).toBeLessThan(found);
        expect(smallestShift({ m: of, effect: 0.2 }, alpha, n)).toBeGreaterThanOrEqual(found);
        expect(smallestShift({ m: of, effect: 0.1, phi: 4 }, alpha, n)).toBeCloseTo(2 * found, 9);
        // No shift below the effect is promised.
        expect(found * Math.sqrt(3 / Math.PI)).toBeGreaterThan(0.1);
      },
    ),
  );
});
