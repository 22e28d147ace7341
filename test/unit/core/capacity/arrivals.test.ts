import { assert, double, integer, property } from 'fast-check';
import { expect, it } from 'vitest';
import { evenArrivals, meanRate, poissonArrivals, readArrivals } from '../../../../core/capacity/arrivals.ts';

it('even arrivals are 1/rate apart', () => {
  expect(evenArrivals(4, 1)).toEqual([0, 250, 500, 750]);
  expect(evenArrivals(0.1, 1)).toEqual([0]);
});

it('Poisson arrivals ascend within their time, and the same seed gives the same', () => {
  const rates = double({ min: 0.05, max: 500, noNaN: true });
  assert(
    property(rates, integer({ min: 0, max: 2 ** 31 }), (rate, seed) => {
      const arrivals = poissonArrivals(rate, 5, seed);
      expect(arrivals.length).toBeGreaterThan(0);
      expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
      expect(arrivals.at(-1)).toBeLessThanOrEqual(5000);
      expect(arrivals).toEqual(poissonArrivals(rate, 5, seed));
    }),
    { numRuns: 50 },
  );
});

it('gaps of Poisson arrivals have the mean and the standard deviation of an exponential distribution', () => {
  const arrivals = poissonArrivals(100, 1000, 7);
  const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  // 100,000 of them: four standard errors.
  expect(Math.abs(mean / 10 - 1)).toBeLessThan(0.013);
  expect(Math.abs(Math.sqrt(variance) / mean - 1)).toBeLessThan(0.02);
  expect(poissonArrivals(100, 10, 8)).not.toEqual(poissonArrivals(100, 10, 9));
});

it('a file of times is replayed from its first one', () => {
  expect(readArrivals('# seconds\n10\n10.5\n\n10.5\n12\n')).toEqual([0, 500, 500, 2000]);
  expect(meanRate([0, 500, 500, 2000])).toBe(1.5);
});

it('a file that is none is refused by its line', () => {
  expect(readArrivals('1\n3\n2\n')).toEqual({
    line: 3,
    value: '2',
    fault: 'is before 3, the time of the request before it',
  });
  expect(readArrivals('1\nsoon\n')).toEqual({ line: 2, value: 'soon', fault: 'is no number of seconds' });
  // Milliseconds since the epoch.
  expect(readArrivals('0\n1e300\n')).toEqual({
    line: 2,
    value: '1e300',
    fault: 'is beyond 100,000,000,000 s, the year 5138: divide times in milliseconds by 1,000',
  });
  expect(readArrivals('# nothing\n')).toEqual({ line: 1, value: '', fault: 'has no time at all' });
});
