import { array, assert, double, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poissonArrivals } from '../../../../../core/capacity/arrivals.ts';
import { atOnce } from '../../../../../core/capacity/environments/at-once.ts';
import { keptFor, restingAt, targetFor } from '../../../../../core/capacity/environments/keep.ts';
import {
  busiest,
  dispersion,
  hourlyRates,
  scattered,
} from '../../../../../core/capacity/environments/minutes.ts';
import { erlangB } from '../../../../../core/capacity/erlang.ts';

describe('what must be kept', () => {
  /** Attainable use of what keeps one of a thousand: the notes of which `target` 0.7 is too much below 50. */
  it.each([
    [1, 6, 0.17],
    [5, 14, 0.36],
    [20, 35, 0.57],
    [50, 71, 0.7],
    [200, 238, 0.84],
  ])('load %d: %d, of which %d is in use', (load, kept, use) => {
    const found = keptFor([{ rate: load, weight: 1 }], 1, 0.001);
    expect(found).toMatchObject({ kept, load, peak: load, isByRate: false });
    expect(found.use).toBeCloseTo(use, 2);
    expect(found.share).toBeLessThanOrEqual(0.001);
  });

  it('is one for each ten requests a second at least, however short they are', () => {
    expect(keptFor([{ rate: 1000, weight: 1 }], 0.002, 0.001)).toMatchObject({ kept: 100, isByRate: true });
    expect(keptFor([{ rate: 100, weight: 1 }], 0.1, 0.001)).toMatchObject({ kept: 21, isByRate: false });
  });

  const rates = array(
    record({
      rate: double({ min: 0, max: 500, noNaN: true }),
      weight: double({ min: 0, max: 9, noNaN: true }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  it('at the use that is proposed as target, scaling keeps what is needed', () => {
    assert(
      property(rates, double({ min: 1e-5, max: 0.5, noNaN: true }), (parts, promised) => {
        const found = keptFor(parts, 0.2, promised);
        if (found.use < 0.1) return;
        const range = { min: 1, max: 100_000, target: targetFor(found.use) };
        // Above nine tenths no target may be; there the range is held by its least.
        if (found.use <= 0.9)
          expect(restingAt(found.load, range)).toBeGreaterThanOrEqual(
            Math.min(found.kept, Math.ceil(found.load / found.use - 1e-6)),
          );
        expect(found.use).toBeLessThanOrEqual(1);
      }),
    );
    expect(restingAt(5, { min: 2, max: 20, target: 0.7 })).toBe(8);
    expect(erlangB(5, 8)).toBeGreaterThan(0.05);
    expect(restingAt(5, { min: 14, max: 20, target: 0.35 })).toBe(15);
    expect(restingAt(50, { min: 14, max: 20, target: 0.7 })).toBe(20);
  });

  it('nothing is needed for nothing', () => {
    expect(keptFor([{ rate: 0, weight: 5 }], 0.2, 0.001)).toMatchObject({ kept: 0, use: 0, load: 0 });
    expect(keptFor([], 0.2, 0.001)).toMatchObject({ kept: 0, use: 0 });
  });
});

describe('many at once', () => {
  const crowd = { requests: 10_000, service: 1, init: 0.5, kept: 0, limit: 1000 };
  it('the account: as many as it may have, and ten turns', () => {
    expect(atOnce(crowd)).toMatchObject({
      served: 1000,
      throttled: 9000,
      meets: 'limit',
      cold: 1000,
      most: 1000,
    });
    expect(atOnce(crowd).seconds).toBeCloseTo(10.5, 3);
  });
  it('the ramp: a thousand at once, and a hundred more each second', () => {
    const found = atOnce({ ...crowd, limit: 100_000 });
    expect(found).toMatchObject({ served: 1000, throttled: 9000, meets: 'ramp' });
    expect(found.seconds).toBeGreaterThan(7);
    expect(found.seconds).toBeLessThan(9);
    // 1,000 · n turns and those that start meanwhile: more of them than at first, fewer than it may start.
    expect(found.cold).toBeGreaterThan(1500);
    expect(found.cold).toBeLessThan(2000);
  });
  it('what is provisioned comes on top, and starts warm', () => {
    expect(atOnce({ ...crowd, kept: 500, limit: 100_000 })).toMatchObject({ served: 1500, throttled: 8500 });
    expect(atOnce({ ...crowd, requests: 500, kept: 500 })).toEqual({
      served: 500,
      throttled: 0,
      cold: 0,
      most: 500,
      seconds: expect.closeTo(1, 3),
    });
  });
  it('an environment gives ten a second at most', () => {
    expect(atOnce({ ...crowd, requests: 10_000, service: 0.001, init: 0 }).seconds).toBeCloseTo(0.901, 3);
  });
  it('of an account without any, nobody is served', () => {
    expect(atOnce({ ...crowd, limit: 0 })).toMatchObject({
      served: 0,
      throttled: 10_000,
      seconds: Number.POSITIVE_INFINITY,
    });
  });
  it('more environments serve no later, and more requests no sooner', () => {
    const count = integer({ min: 1, max: 30_000 });
    assert(
      property(count, count, integer({ min: 0, max: 3000 }), (requests, limit, kept) => {
        const found = atOnce({ ...crowd, requests, limit, kept });
        expect(found.served + found.throttled).toBe(requests);
        expect(found.most).toBeLessThanOrEqual(Math.max(limit, 1));
        expect(atOnce({ ...crowd, requests, kept, limit: limit + 500 }).seconds).toBeLessThanOrEqual(
          found.seconds + 1e-3,
        );
        expect(atOnce({ ...crowd, requests: requests + 100, kept, limit }).seconds).toBeGreaterThanOrEqual(
          found.seconds - 1e-3,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('arrivals of which minutes are known', () => {
  const minute = (index: number, count: number) => ({ at: index * 60_000, count });
  it('lie within their minute, ascending, the same for the same seed', () => {
    const minutes = [minute(0, 5), minute(3, 2), minute(4, 0)];
    const found = scattered(minutes, 1);
    expect(found).toHaveLength(7);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found.filter((at) => at < 60_000)).toHaveLength(5);
    expect(found.filter((at) => at >= 180_000 && at < 240_000)).toHaveLength(2);
    expect(scattered(minutes, 1)).toEqual(found);
    expect(scattered(minutes, 2)).not.toEqual(found);
  });
  it('the busiest minutes in a row are those with the most in their time, of all that have no room for more', () => {
    const minutes = [9, 1, 1, 5, 6, 0, 1].map((count, i) => minute(i, count));
    expect(busiest(minutes, 12).map(({ count }) => count)).toEqual([9, 1, 1]);
    expect(busiest(minutes, 100)).toEqual(minutes);
    // Four quiet minutes have the very number, and two busy ones all but one of it.
    const day = [3, 3, 3, 3, 6, 5, 7, 2].map((count, i) => minute(i, count));
    expect(busiest(day, 12).map(({ count }) => count)).toEqual([5, 7]);
    expect(busiest(day, 11).map(({ count }) => count)).toEqual([6, 5]);
    const gap = [minute(0, 5), minute(60, 5), minute(61, 4), minute(62, 3)];
    expect(busiest(gap, 10).map(({ count }) => count)).toEqual([5, 4]);
    expect(busiest(minutes, 4).map(({ count }) => count)).toEqual([1, 1]);
  });
  it('Poisson varies as its mean; groups vary as much more as they are large', () => {
    const poisson = poissonArrivals(50, 2000, 3);
    expect(dispersion(poisson, 1000)).toBeCloseTo(1, 1);
    const groups = poissonArrivals(10, 2000, 3).flatMap((at) => [at, at, at, at, at]);
    expect(dispersion(groups, 1000)).toBeGreaterThan(4.5);
    expect(dispersion(groups, 1000)).toBeLessThan(5.5);
    expect(dispersion([1, 2, 3], 1000)).toBeUndefined();
  });
  it('rates are those of hours, and of all where there are no two of them', () => {
    const even = Array.from({ length: 7201 }, (_, i) => 5 + i * 1000);
    expect(hourlyRates(even).map(({ rate, weight }) => [Math.round(100 * rate), weight])).toEqual([
      [100, 3600],
      [100, 3600],
    ]);
    expect(hourlyRates([0, 1000, 2000])).toEqual([{ rate: 1.5, weight: 2 }]);
    expect(hourlyRates([7])).toEqual([]);
  });
});
