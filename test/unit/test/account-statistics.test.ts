import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timesIn } from '../../account/ask.ts';
import { shareInterval } from '../../account/binomial.ts';
import { quantile, quantilesText } from '../../account/quantiles.ts';

test('quantiles are values that were measured', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([0.5, 0.9, 0.99, 1].map((share) => quantile(values, share))).toEqual([50, 90, 99, 100]);
  expect(quantile([7], 0.5)).toBe(7);
  expect(quantilesText(values)).toBe('p50 50 ms, p90 90 ms, p99 99 ms, n = 100');
  expect(quantilesText([])).toBe('n = 0');
  expect(quantilesText([1234.5678, 0.012345])).toBe('p50 0.0123 ms, p90 1235 ms, p99 1235 ms, n = 2');
});

test('the exact interval is that of R: binom.test(x, n, conf.level = …)', () => {
  const close = (found: { low: number; high: number }, low: number, high: number): void => {
    expect(found.low).toBeCloseTo(low, 6);
    expect(found.high).toBeCloseTo(high, 6);
  };
  // With no hit, or nothing but hits, it is a formula: 1 − (α/2)^(1/n).
  close(shareInterval(0, 10, 0.95), 0, 0.3084971);
  close(shareInterval(10, 10, 0.95), 0.6915029, 1);
  close(shareInterval(1, 2, 0.95), 0.0125791, 0.9874209);
  close(shareInterval(3, 10, 0.95), 0.06673951, 0.6524529);
});

test('it holds the share that was seen, and one of more tries is narrower', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (tries, part) => {
        const hits = Math.round(part * tries);
        const { low, high } = shareInterval(hits, tries, 0.99);
        const more = shareInterval(4 * hits, 4 * tries, 0.99);
        expect(low).toBeLessThanOrEqual(hits / tries);
        expect(high).toBeGreaterThanOrEqual(hits / tries);
        expect(more.high - more.low).toBeLessThan(high - low);
      },
    ),
    { numRuns: 30 },
  );
});

test('times are those of Lambda’s own lines; a start that failed is none that was warm', () => {
  const report =
    'REPORT RequestId: 5f2b\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 1769 MB\tMax Memory Used: 90 MB\t';
  expect(timesIn(`START RequestId: 5f2b\n${report}Init Duration: 456.78 ms\t\n`)).toEqual({
    durationMs: 12.34,
    initMs: 456.78,
  });
  expect(timesIn(`INIT_REPORT Init Duration: 9999.99 ms\tPhase: init\tStatus: timeout\n${report}\n`)).toEqual(
    { durationMs: 12.34, failedInit: 'timeout' },
  );
});
