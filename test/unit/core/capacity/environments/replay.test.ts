/** Formulas against the event simulation, with fixed seeds; and the simulation against the smallest cases. */
import { array, assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arrivals, poissonArrivals } from '../../../../../core/capacity/arrivals.ts';
import { coldShare } from '../../../../../core/capacity/environments/cold-share.ts';
import { endings } from '../../../../../core/capacity/environments/endings.ts';
import { keptFor } from '../../../../../core/capacity/environments/keep.ts';
import { leastKept, replay, shareBeyond } from '../../../../../core/capacity/environments/replay.ts';
import { erlangB, leastServers } from '../../../../../core/capacity/erlang.ts';
import { seeded } from '../../../../../core/capacity/random.ts';

const kept = (count: number) => [{ at: 0, count }];
/** Nothing is there from before: whoever finds no provisioned environment starts one. */
const NEVER_WARM = { init: 0, idle: -1 } as const;
const times = array(double({ min: 0, max: 60_000, noNaN: true }), { maxLength: 200 }).map((all) =>
  all.toSorted((a, b) => a - b),
);

describe('one environment after the other', () => {
  const given = { service: 100, init: 500, idle: 1000, kept: [] } as const;
  it('starts, is used again, and ends', () => {
    expect(replay([0, 700, 900, 2001], given)).toEqual({
      ...{ requests: 4, kept: 0, warm: 2, cold: 2, throttled: 0, most: 1 },
    });
    // Busy with its start until 600.
    expect(replay([0, 599], given)).toMatchObject({ cold: 2, most: 2 });
    expect(replay([0, 600], given)).toMatchObject({ cold: 1, warm: 1, most: 1 });
    // Free at 600, there until 1600.
    expect(replay([0, 1600], given)).toMatchObject({ warm: 1 });
    expect(replay([0, 1601], given)).toMatchObject({ warm: 0 });
  });
  it('the one that was used last is used again, so that the others end', () => {
    // Two are there; from then on one is enough, and the second has ended when two come at once again.
    const alone = Array.from({ length: 20 }, (_, i) => 1000 + i * 200);
    expect(replay([0, 0, ...alone, 5000, 5000], given)).toMatchObject({ cold: 3, warm: 21 });
  });
  it('provisioned ones come first, and as many as the schedule says', () => {
    const arrivals = [0, 0, 1000, 1000, 2000, 2000];
    const steps = [
      { at: 0, count: 1 },
      { at: 1000, count: 2 },
      { at: 2000, count: 0 },
    ];
    expect(replay(arrivals, { ...given, kept: steps })).toMatchObject({ kept: 3, warm: 0, cold: 3 });
  });
  it('beyond the limit, and faster than Lambda starts them, requests are refused', () => {
    expect(replay([0, 0, 0, 50], { ...given, limit: 2 })).toMatchObject({ cold: 2, throttled: 2, most: 2 });
    // Those that are provisioned take from the limit, busy or not.
    expect(replay([0, 0, 0], { ...given, kept: kept(2), limit: 2 })).toMatchObject({ kept: 2, throttled: 1 });
    const crowd = Array.from({ length: 1500 }, () => 0);
    expect(replay(crowd, given)).toMatchObject({ cold: 1000, throttled: 500 });
    // A hundred more a second.
    const late = Array.from({ length: 200 }, () => 1000);
    expect(replay([...crowd, ...late], { ...given, service: 5000 })).toMatchObject({ cold: 1100 });
  });
});

it('every request ends in one way, whatever comes', () => {
  assert(
    property(times, integer({ min: 0, max: 5 }), integer({ min: 1, max: 8 }), (arrivals, count, limit) => {
      const found = replay(arrivals, { service: 700, init: 300, idle: 5000, kept: kept(count), limit });
      expect(found.kept + found.warm + found.cold + found.throttled).toBe(arrivals.length);
      expect(found.most).toBeLessThanOrEqual(Math.max(limit, count));
    }),
  );
});

it('what goes beyond is the same by either way of counting, and more are kept by more', () => {
  assert(
    property(times, integer({ min: 0, max: 6 }), (arrivals, count) => {
      const share = shareBeyond(arrivals, 700, count);
      const found = replay(arrivals, { ...NEVER_WARM, service: 700, kept: kept(count) });
      expect(share * arrivals.length).toBeCloseTo(arrivals.length - found.kept, 6);
      expect(shareBeyond(arrivals, 700, count + 1)).toBeLessThanOrEqual(share);
    }),
  );
});

it('the fewest that keep a share do, and one less does not', () => {
  assert(
    property(times, double({ min: 0.01, max: 0.9, noNaN: true }), (arrivals, share) => {
      const least = leastKept(arrivals, 700, share);
      expect(shareBeyond(arrivals, 700, least)).toBeLessThanOrEqual(share);
      if (least > 0) expect(shareBeyond(arrivals, 700, least - 1)).toBeGreaterThan(share);
    }),
  );
  expect(() => leastKept([1], 700, 0)).toThrow(RangeError);
});

it('a heap gives back what was put in, the earliest first', () => {
  assert(
    // A sort tells −0 from 0, and no comparison does.
    property(array(double({ noNaN: true }).map((one) => one + 0)), (all) => {
      const heap = endings();
      for (const one of all) heap.add(one);
      expect(Array.from(all, () => heap.take())).toEqual(Array.from(Float64Array.from(all).sort()));
      expect([heap.size(), heap.first()]).toEqual([0, Number.POSITIVE_INFINITY]);
    }),
  );
});

/** Arrivals whose rate goes up and down by a half, by thinning. */
function wave(mean: number, period: number, seconds: number, seed: number): Arrivals {
  const chance = seeded(seed + 1);
  return poissonArrivals(1.5 * mean, seconds, seed).filter(
    (at) => chance() * 1.5 < 1 + 0.5 * Math.sin((2 * Math.PI * at) / (1000 * period)),
  );
}
const waveRates = (mean: number) =>
  Array.from({ length: 24 }, (_, i) => ({
    rate: mean * (1 + 0.5 * Math.sin((2 * Math.PI * (i + 0.5)) / 24)),
    weight: 1,
  }));

/** Groups that come at once, of geometric size. */
function bursts(rate: number, mean: number, seconds: number, seed: number): Arrivals {
  const chance = seeded(seed + 1);
  return poissonArrivals(rate / mean, seconds, seed).flatMap((at) => {
    const size = 1 + Math.floor(Math.log1p(-chance()) / Math.log1p(-1 / mean));
    return Array.from({ length: size }, () => at);
  });
}

describe('Erlang B against the event simulation', () => {
  const service = 0.1;
  describe.each([1, 5, 20])('load %d', (load) => {
    const rate = load / service;
    it.each(['fixed', 'exponential'] as const)('Poisson, %s service', (kind) => {
      const chance = seeded(9);
      const taken = kind === 'fixed' ? 1000 * service : () => -1000 * service * Math.log1p(-chance());
      const arrivals = poissonArrivals(rate, 400_000 / rate, 17);
      const servers = leastServers([{ load, weight: 1 }], 0.01);
      const found = replay(arrivals, { ...NEVER_WARM, service: taken, kept: kept(servers) });
      const ratio = found.cold / found.requests / erlangB(load, servers);
      expect(ratio).toBeGreaterThan(0.86);
      expect(ratio).toBeLessThan(1.12);
    });
    it('a day that is not even: mixed it is right, at the mean rate it is too low', () => {
      const arrivals = wave(rate, 600, 600 * Math.ceil(400_000 / rate / 600), 31);
      const { kept: servers, share } = keptFor(waveRates(rate), service, 0.01);
      const found = shareBeyond(arrivals, 1000 * service, servers);
      expect(found / share).toBeGreaterThan(0.86);
      expect(found / share).toBeLessThan(1.12);
      expect(found / erlangB(load, servers)).toBeGreaterThan(1.5);
    });
    it('bursts: it is far too low, and the replay says how many are needed', () => {
      const arrivals = bursts(rate, 5, 200_000 / rate, 23);
      const servers = leastServers([{ load, weight: 1 }], 0.001);
      expect(shareBeyond(arrivals, 1000 * service, servers)).toBeGreaterThan(0.018);
      const enough = leastKept(arrivals, 1000 * service, 0.001);
      expect(enough).toBeGreaterThan(1.3 * servers);
      expect(replay(arrivals, { ...NEVER_WARM, service: 100, kept: kept(enough) }).cold).toBeLessThanOrEqual(
        0.001 * arrivals.length,
      );
    });
  });
});

describe('the share of cold starts on demand against the event simulation', () => {
  it.each([
    // Requests a second, seconds of each, provisioned.
    [0.001, 0.05, 0],
    [0.01, 0.2, 0],
    [0.02, 0.05, 0],
    [0.2, 0.05, 0],
    [0.2, 1, 1],
    [2, 0.05, 0],
    [2, 1, 3],
    [0.2, 10, 0],
    [4, 1, 0],
    [8, 1, 0],
    [0.01, 10, 0],
  ])('%d a second of %d s, %d provisioned', (rate, service, count) => {
    const arrivals = poissonArrivals(rate, 600_000 / rate, 5);
    const half = arrivals.slice(0, arrivals.length / 2);
    const given = { service: 1000 * service, init: 0, idle: 300_000, kept: kept(count) };
    // Without the first half: an empty fleet fills up in it.
    const cold = replay(arrivals, given).cold - replay(half, given).cold;
    const ratio =
      cold / (arrivals.length - half.length) / coldShare({ rate, service, idle: 300, kept: count });
    expect(ratio).toBeGreaterThan(0.75);
    expect(ratio).toBeLessThan(1.11);
  });

  it('is a share, 1 where hardly anything comes, and less with more that are kept and a longer life', () => {
    const positive = (max: number) => double({ min: 1e-4, max, noNaN: true });
    assert(
      property(
        positive(200),
        positive(5),
        positive(3600),
        integer({ min: 0, max: 30 }),
        (rate, service, idle, k) => {
          const share = coldShare({ rate, service, idle, kept: k });
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
          expect(coldShare({ rate, service, idle, kept: k + 1 })).toBeLessThanOrEqual(share + 1e-12);
          expect(coldShare({ rate, service, idle: 2 * idle, kept: k })).toBeLessThanOrEqual(share + 1e-12);
        },
      ),
    );
    expect(coldShare({ rate: 1e-7, service: 0.05, idle: 300, kept: 0 })).toBeCloseTo(1, 3);
    expect(coldShare({ rate: 0, service: 0.05, idle: 300, kept: 0 })).toBe(1);
    expect(coldShare({ rate: 0, service: 0.05, idle: 300, kept: 1 })).toBe(0);
  });

  it('is the sum over all numbers in progress, to its last digit, however early it ends', () => {
    const whole = (rate: number, service: number, k: number): number => {
      const load = rate * service;
      let [logarithm, cold] = [-load, 0];
      for (let busy = 0; busy <= 3 * (k + load) + 1000; busy += 1) {
        if (busy > 0) logarithm += Math.log(load / busy);
        const passed = Math.exp(logarithm);
        if (busy >= k) cold += passed * Math.exp(-rate * passed * 300);
      }
      return Math.min(1, cold);
    };
    const logarithms = (least: number, most: number) =>
      double({ min: least, max: most, noNaN: true }).map((power) => 10 ** power);
    assert(
      property(logarithms(-3, 3.5), logarithms(-3, 0.7), integer({ min: 0, max: 60 }), (rate, service, k) => {
        expect(coldShare({ rate, service, idle: 300, kept: k })).toBe(whole(rate, service, k));
      }),
    );
  });
});
