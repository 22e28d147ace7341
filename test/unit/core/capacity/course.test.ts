import { expect, it } from 'vitest';
import { poissonArrivals } from '../../../../core/capacity/arrivals.ts';
import { backlog, mostOutstanding } from '../../../../core/capacity/backlog.ts';
import { ceilingsOf } from '../../../../core/capacity/ceilings.ts';
import { lateness } from '../../../../core/capacity/lateness.ts';
import { seeded } from '../../../../core/capacity/random.ts';
import { sustained } from '../../../../core/capacity/sustained.ts';

/** Requests of a queue with one server that takes `service` milliseconds each, or longer with time. */
function served(rate: number, seconds: number, seed: number, service: (at: number) => number) {
  let free = 0;
  return poissonArrivals(rate, seconds, seed).map((scheduled) => {
    free = Math.max(free, scheduled) + service(scheduled);
    return { scheduled, issued: scheduled, done: free };
  });
}

it('a queue that is loaded to 80 % keeps up, one that is loaded to 150 % does not', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    expect(
      backlog(
        served(40, 60, seed, () => 20),
        60_000,
      ).isGrowing,
    ).toBe(false);
    const { isGrowing, waiting } = backlog(
      served(75, 60, seed, () => 20),
      60_000,
    );
    expect(isGrowing).toBe(true);
    expect(waiting).toBeGreaterThan(1000);
  }
});

it('slow answers alone are no backlog: as many wait half-way as at the end', () => {
  const times = Array.from({ length: 500 }, (_, i) => ({ scheduled: i * 20, done: i * 20 + 2000 }));
  expect(backlog(times, 10_000)).toMatchObject({ isGrowing: false, waiting: 99 });
  // A fifth more than half-way is more than chance, and no queue that grows evenly.
  const waves = [
    ...Array.from({ length: 1000 }, () => ({ scheduled: 0, done: 6000 })),
    ...Array.from({ length: 1200 }, () => ({ scheduled: 7000, done: 11_000 })),
  ];
  expect(backlog(waves, 10_000)).toMatchObject({ isGrowing: false, waiting: 1200 });
  expect(backlog([], 1000).isGrowing).toBe(false);
});

it('the most requests at once', () => {
  const at = (issued: number, done: number) => ({ issued, done });
  expect(mostOutstanding([at(0, 10), at(5, 20), at(9, 11), at(12, 13)])).toBe(3);
  expect(mostOutstanding([at(0, 10), at(10, 20)])).toBe(1);
  expect(mostOutstanding([])).toBe(0);
});

it('throughput that chance alone changes is not falling; one that falls by a fifth is', () => {
  let called = 0;
  for (let seed = 0; seed < 300; seed += 1) {
    const times = poissonArrivals(50, 60, seed);
    if (sustained(times, times, 60_000).isFalling) called += 1;
  }
  expect(called).toBeLessThanOrEqual(2);
  const chance = seeded(5);
  const scheduled = poissonArrivals(200, 60, 1);
  const done = scheduled.filter((at) => at < 20_000 || chance() > 0.2);
  expect(sustained(done, scheduled, 60_000)).toMatchObject({ isFalling: true });
});

it('fewer requests explain fewer answers', () => {
  const times = [...poissonArrivals(200, 20, 1), ...poissonArrivals(50, 40, 2).map((at) => at + 20_000)];
  const { ratio = 1, isFalling } = sustained(times, times, 60_000);
  expect(ratio).toBeLessThan(0.4);
  expect(isFalling).toBe(false);
  expect(sustained(times, [], 60_000).isFalling).toBe(true);
});

it('a generator is too late beyond a millisecond and a tenth of the median', () => {
  const values = [...Array<number>(98).fill(0.1), 4, 4];
  expect(lateness(values, 50).isTooLate).toBe(false);
  expect(lateness(values, 30).isTooLate).toBe(true);
  expect(lateness(values, Number.NaN).isTooLate).toBe(true);
  expect(lateness([...Array<number>(98).fill(0.1), 0.9, 0.9], 1).isTooLate).toBe(false);
  expect(lateness([], 1)).toMatchObject({ p99: 0, isTooLate: false });
});

it('ceilings are shares of what a function may use; what is not known is left out', () => {
  const limits = { memory: 3538, concurrency: 40, payload: 6 * 1024 ** 2 };
  const used = { cpu: 30, seconds: 60, memory: 400, outstanding: 10, request: 2048, answer: 1024 };
  expect(ceilingsOf(used, limits).map(({ name, used, limit }) => [name, used, limit])).toEqual([
    ['cpu', 0.5, 2],
    ['memory', 400, 3538],
    ['concurrency', 10, 40],
    ['request', 2, 6144],
    ['answer', 1, 6144],
  ]);
  const unknown = ceilingsOf({ seconds: 60, request: 1, answer: 1 }, { memory: 128, payload: 1024 });
  expect(unknown.map(({ name }) => name)).toEqual(['request', 'answer']);
});
