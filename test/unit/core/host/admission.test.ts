import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterRefusal,
  bodiesToDrop,
  hasRoom,
  NO_REFUSALS,
  RETRY_SECONDS,
  requestsAhead,
  restartDelay,
  smoothed,
} from '../../../../core/host/admission.ts';

describe('room for one more request', () => {
  it('is four for each process beside the one that it has', () => {
    expect(hasRoom({ workers: 2, places: 9, seconds: 0 })).toBe(true);
    expect(hasRoom({ workers: 2, places: 10, seconds: 0 })).toBe(false);
    expect(hasRoom({ workers: 2, places: 10, seconds: 3 })).toBe(false);
  });

  it('is as much as is answered within a quarter of a second, where requests are short', () => {
    expect(hasRoom({ workers: 1, places: 100, seconds: 0.0025 })).toBe(true);
    expect(hasRoom({ workers: 1, places: 101, seconds: 0.0025 })).toBe(false);
  });

  it('ends, however short they are', () => {
    const load = fc.record({
      workers: fc.integer({ min: 1, max: 64 }),
      seconds: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(load, ({ workers, seconds }) => {
        expect(hasRoom({ workers, seconds, places: workers * 5 - 1 })).toBe(true);
        expect(hasRoom({ workers, seconds, places: workers * 5 + 1024 })).toBe(false);
      }),
    );
  });

  it('follows what requests take', () => {
    let seconds = 0;
    for (let count = 0; count < 200; count++) seconds = smoothed(seconds, 0.5);
    expect(seconds).toBeCloseTo(0.5);
    expect(smoothed(0.5, 10)).toBeLessThan(1);
    expect(smoothed(0.5, 0.001)).toBeLessThan(0.3);
  });
});

it.each([
  ['none was answered yet', 0, 1, 1],
  ['they take so long that a wake is nothing', 0.06, 1, 1],
  ['they take longer than another one may wait for them', 0.01, 1, 2],
  ['they take a millisecond', 0.001, 7, 7],
  ['they take no time', 0.000_01, 17, 17],
])('so many lie with a process where %s', (_, seconds, many, full) => {
  expect(requestsAhead(seconds, false)).toBe(many);
  expect(requestsAhead(seconds, true)).toBe(full);
});

describe('bodies that are given up', () => {
  const body = (id: number, bytes: number, slow = false) => ({ id, bytes, slow });

  it('are none while there is room', () =>
    expect(bodiesToDrop([body(1, 50, true), body(2, 50)], 100, 2)).toEqual([]));

  it('are the slow ones, oldest first, and no more than needed', () =>
    expect(bodiesToDrop([body(1, 40), body(2, 40, true), body(3, 40, true), body(4, 20)], 100, 4)).toEqual([
      2,
    ]));

  it('are that which came last, where none is slow', () =>
    expect(bodiesToDrop([body(1, 90), body(2, 20)], 100, 2)).toEqual([2]));

  it('leave what there is room for, and never one that is on its way and quick', () => {
    const bodies = fc.array(fc.record({ bytes: fc.nat(100), slow: fc.boolean() }), { minLength: 1 });
    fc.assert(
      fc.property(bodies, fc.nat(200), (list, room) => {
        const all = list.map((one, id) => ({ ...one, id }));
        const last = all.length - 1;
        const given = new Set(bodiesToDrop(all, room, last));
        const left = all.filter(({ id }) => !given.has(id));
        const quick = all.filter(({ id, slow }) => id !== last && !slow);
        expect(left.filter((one) => quick.includes(one))).toHaveLength(quick.length);
        const bytes = (of: typeof all) => of.reduce((sum, one) => sum + one.bytes, 0);
        expect(bytes(left) <= room || left.length === quick.length).toBe(true);
      }),
    );
  });
});

it('a process is started again at once, then ever later, and at most after ten seconds', () => {
  expect([1, 2, 3, 4].map(restartDelay)).toEqual([0, 100, 200, 400]);
  expect(restartDelay(50)).toBe(10_000);
});

describe('a connection that was refused', () => {
  /** Pauses of refusals at these times, in milliseconds. */
  const pauses = (times: readonly number[], random = 0, turn = 1): number[] => {
    let refusals = NO_REFUSALS;
    return times.map((at) => {
      const after = afterRefusal(refusals, at, turn, random);
      refusals = after.refusals;
      return after.pause;
    });
  };
  const every = (ms: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => 5000 + index * ms);

  it('is read at once while refusals are few, however long that goes on', () => {
    expect(new Set(pauses(every(0, 100)))).toEqual(new Set([0]));
    // 500 a second.
    expect(new Set(pauses(every(2, 5000)))).toEqual(new Set([0]));
  });

  it('waits the longer the more there are, but never longer than its caller was told to wait', () => {
    const times = every(0.1, 20_000);
    const found = pauses(times);
    expect(found[150]).toBeGreaterThan(0);
    expect(found[600]).toBeGreaterThan(found[300] ?? Number.NaN);
    expect(Math.max(...found)).toBe(RETRY_SECONDS * 1000);
    expect(Math.min(...found.slice(1000))).toBeGreaterThan(RETRY_SECONDS * 1000 - 26);
  });

  it('ends at a step of the clock, with others, and not with all who began with it', () => {
    const times = every(0.1, 20_000);
    const ends = pauses(times).map((pause, index) => pause + (times[index] ?? 0));
    for (const end of ends.slice(1000)) expect(end % 25).toBeCloseTo(0, 3);
    const begun = Array.from({ length: 1000 }, () => 5000);
    const last = (random: number): number => pauses(begun, random).at(-1) ?? Number.NaN;
    expect(last(0)).toBe(1000);
    expect(last(0.5)).toBe(950);
    expect(last(1)).toBe(900);
    const again = (random: number): number => pauses(begun, random, 2).at(-1) ?? Number.NaN;
    expect([again(0), again(0.5), again(0.99)]).toEqual([1000, 500, 1]);
    expect(pauses(begun, 0.99, 3).at(-1)).toBe(1000);
  });

  it('is read at once again when they have become few', () => {
    const times = every(0.1, 20_000);
    const last = times.at(-1) ?? 0;
    expect(pauses([...times, last + 1500, last + 1501]).slice(-2)).toEqual([0, 0]);
  });

  it('has callers that began together and ask again at once come evenly, once a second each', () => {
    // Each of them asks again once it is read.
    let refusals = NO_REFUSALS;
    let random = 1;
    const callers = Array.from({ length: 1500 }, () => ({ at: 0, turn: 0 }));
    const steps: number[] = [];
    for (let now = 0; now < 10_000; now++)
      for (const caller of callers) {
        if (caller.at > now) continue;
        random = (random * 48_271) % 2_147_483_647;
        const after = afterRefusal(refusals, now, ++caller.turn, random / 2_147_483_647);
        refusals = after.refusals;
        caller.at = now + Math.max(1, after.pause);
        if (now >= 3000) steps.push(Math.floor(now / 25));
      }
    expect(steps.length / 7).toBeLessThan(1530);
    // 37 or 38 are each step’s share.
    const counts = new Map<number, number>();
    for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
    expect(Math.max(...counts.values())).toBeLessThan(75);
  });
});
