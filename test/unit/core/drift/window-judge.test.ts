import { describe, expect, it } from 'vitest';
import type { Baseline, Signal, SignalWindow } from '../../../../core/drift/contract.ts';
import { categoryTaker, createTally } from '../../../../core/drift/drift-tally.ts';
import { readLine } from '../../../../core/drift/lines.ts';
import { locationOf, rankOf } from '../../../../core/drift/score.ts';
import { createSums, type SignalSums } from '../../../../core/drift/sums.ts';
import { judgeSignals } from '../../../../core/drift/window-judge.ts';
import { categoryPart } from '../../../../plugins/models/baseline/category.ts';
import { numericPart } from '../../../../plugins/models/baseline/numeric.ts';
import { baselineOf, category, constant, digestOf, lineOf, numeric, type Row } from './scene.ts';

const RULE = { q: 0.01, effect: 0.1 };

/** What is found in requests of one row each. */
function found(baseline: Baseline, count: number, row: (n: number) => Row = () => ({})) {
  const digest = digestOf(baseline);
  const adder = createSums(digest, baseline);
  for (let n = 0; n < count; n += 1) {
    const line = readLine(lineOf(baseline, digest, row(n)));
    if (line !== undefined) adder.add(line);
  }
  return judgeSignals(adder.sums(), baseline, RULE);
}
const one = (signal: Signal, count: number, row?: (n: number) => Row): SignalWindow => {
  const [window] = found(baselineOf([signal]), count, row);
  if (window === undefined) throw new Error('nothing was judged');
  return window;
};
const of = (signal: Signal, sums: Omit<SignalSums, 'nulls'>, rule = RULE): SignalWindow => {
  const [window] = judgeSignals({ signals: [{ nulls: 0, ...sums }] }, baselineOf([signal]), rule);
  if (window === undefined) throw new Error('nothing was judged');
  return window;
};
const uniform = (n: number): number => ((n + 0.5) * 0.618_033_988_75) % 1;

/** Values by scipy: docs/drift.md. */
describe('n = 240, a = 55, b = −31', () => {
  const cells = [14, 20, 22, 24, 26, 24, 26, 28, 28, 28];

  it('T, D, shift, X² and both p', () => {
    const window = of(numeric('age'), { n: 240, a: 55, b: -31, cells });
    expect(window.smooth?.t).toBeCloseTo(16.219_075_520_833, 9);
    expect(window.smooth?.p).toBeCloseTo(Math.exp(-16.219_075_520_833 / 2), 12);
    expect(window.shift).toBeCloseTo(55 / 240, 12);
    expect(window.chi?.x2).toBeCloseTo(7.196_224_007_595, 9);
    expect(window.chi?.p).toBeCloseTo(0.616_697_839_904, 9);
    expect(window.chi?.df).toBe(9);
    expect(window.psi).toBeGreaterThan(0);
  });

  it('with φ = 1.3 the p and the size are smaller', () => {
    const window = of(numeric('age', { phi: 1.3 }), { n: 240, a: 55, b: -31, cells });
    expect(window.smooth?.p).toBeCloseTo(0.001_953_552_108, 9);
    expect(window.size).toBeCloseTo(0.241_056_125_323, 9);
  });

  it('drifts where T is past the floor, and not by p alone', () => {
    // floor: 2 + ne·d² + z₀.₀₁·√(4 + 4·ne·d²) = 13.0 at d = 0.1.
    expect(of(numeric('age'), { n: 240, a: 55, b: -31, cells }).drifted).toBe(true);
    expect(of(numeric('age'), { n: 240, a: 48, b: -20, cells }).smooth?.p).toBeLessThan(0.005);
    expect(of(numeric('age'), { n: 240, a: 48, b: -20, cells }).drifted).toBe(false);
    const strict = { q: 0.01, effect: 0.2 };
    expect(of(numeric('age'), { n: 240, a: 55, b: -31, cells }, strict).drifted).toBe(false);
  });
});

describe('a signal', () => {
  it('that did not change has not drifted', () => {
    const window = one(numeric('age'), 3000, (n) => ({ age: uniform(n) }));
    expect(window).toMatchObject({ n: 3000, nulls: 0, drifted: false });
    expect(window.size).toBeLessThan(0.05);
  });

  it('that moved has, and is told which way', () => {
    const window = one(numeric('age'), 300, (n) => ({ age: uniform(n) * 0.85 }));
    expect(window.drifted).toBe(true);
    expect(window.shift).toBeLessThan(-0.2);
  });

  it('of one row, or 99, says nothing; of 100 it does', () => {
    for (const count of [1, 99]) {
      const window = one(numeric('age'), count, () => ({ age: 0.99 }));
      expect(window).toEqual({
        name: 'age',
        label: 'age',
        n: count,
        nulls: 0,
        cells: [0, 0, 0, 0, 0, 0, 0, 0, 0, count],
        drifted: false,
      });
    }
    const window = one(numeric('age'), 100, () => ({ age: 0.99 }));
    expect(window.drifted).toBe(true);
    expect(window).toMatchObject({ n: 100, smooth: { p: expect.any(Number) }, psi: expect.any(Number) });
  });

  it('with 99 values among nulls says nothing about its values', () => {
    const half = one(
      numeric('age', { nulls: 5000, counts: Array.from({ length: 10 }, () => 500) }),
      198,
      (n) => ({
        age: n % 2 === 0 ? null : 0.99,
      }),
    );
    expect(half).toMatchObject({ n: 99, nulls: 99, drifted: false });
    expect(half.smooth ?? half.chi ?? half.size ?? half.psi).toBeUndefined();
  });

  it('lacks no value in rows of the reference that were not looked at for it', () => {
    const some = (rows?: number) =>
      numeric('score', {
        of: 'output',
        value: 'prediction',
        counts: Array.from({ length: 10 }, () => 400),
        nulls: rows === undefined ? 6000 : 0,
        ...(rows !== undefined && { rows }),
      });
    const row = (n: number) => ({ score: uniform(n) });
    expect(one(some(4000), 1000, row)).toMatchObject({ n: 1000, nulls: 0, drifted: false });
    expect(one(some(), 1000, row).drifted).toBe(true);
  });

  it('without any value has drifted, where the reference had values', () => {
    expect(one(numeric('age'), 100, () => ({ age: null }))).toMatchObject({
      n: 0,
      nulls: 100,
      drifted: true,
    });
    expect(one(numeric('age'), 99, () => ({ age: null })).drifted).toBe(false);
    const empty = numeric('age', { nulls: 10_000, counts: Array.from({ length: 10 }, () => 0) });
    expect(one(empty, 100, () => ({ age: null }))).toMatchObject({ n: 0, nulls: 100, drifted: false });
  });

  it('is not called drifted for a null or two, and is for many more of them', () => {
    const nulls = (count: number) =>
      one(numeric('age'), 1000, (n) => ({ age: n < count ? null : uniform(n) })).drifted;
    expect([1, 2, 4, 100].map(nulls)).toEqual([false, false, false, true]);
    const usual = numeric('age', { nulls: 1000, counts: Array.from({ length: 10 }, () => 900) });
    const share = (nth: number) =>
      one(usual, 1000, (n) => ({ age: n % nth === 0 ? null : uniform(n) })).drifted;
    expect([share(10), share(3)]).toEqual([false, true]);
  });

  it('that is constant says nothing while it is, and drifts with what is beyond it', () => {
    const same = one(constant('fee'), 300);
    expect(same).toMatchObject({ n: 300, cells: [300, 0], drifted: false });
    expect(same.smooth ?? same.shift).toBeUndefined();
    const other = one(constant('fee'), 300, (n) => ({ fee: n % 10 === 0 ? 8 : 7 }));
    expect(other.drifted).toBe(true);
    expect(other.size).toBeGreaterThan(0.1);
  });

  it('of a value that the reference hardly has is none for a row or two of it, and is for five', () => {
    // Ones in the reference, and rows of it in a window in which less than one is expected.
    for (const [ones, count] of [
      [5, 100],
      [9, 100],
      [1, 500],
    ] as const) {
      const part = numericPart(
        Float64Array.from({ length: 10_000 }, (_, n) => (n % (10_000 / ones) < 1 ? 1 : 0)),
      );
      const flag = numeric('flag', part);
      const flagged = (live: number) => one(flag, count, (n) => ({ flag: n < live ? 1 : 0 }));
      expect([0, 1, 2, 4].map((live) => flagged(live).drifted)).toEqual([false, false, false, false]);
      expect(flagged(1)).toMatchObject({ size: 0, smooth: { t: 0, p: 1 } });
      expect([6, 20].map((live) => flagged(live).drifted)).toEqual([true, true]);
      expect(flagged(20).size).toBeGreaterThan(0.5);
    }
  });

  it('of which one value is rare drifts all the same with those that are not', () => {
    // Two halves, and a third value in one row of ten thousand: the second score of that is thousands.
    const values = Float64Array.from({ length: 10_000 }, (_, n) => (n === 5000 ? 1 : n % 2 === 0 ? 0 : 2));
    const side = numeric('side', numericPart(values));
    const window = (share: number) => one(side, 1000, (n) => ({ side: uniform(n) < share ? 0 : 2 }));
    expect(window(0.5).drifted).toBe(false);
    expect(window(0.7)).toMatchObject({ drifted: true });
    expect(one(side, 1000, (n) => ({ side: n === 0 ? 1 : n % 2 === 0 ? 0 : 2 })).drifted).toBe(false);
  });

  it.each([
    ['rounded to four levels', (n: number) => Math.round(uniform(n) * 3) / 3],
    ['frozen in 15 % of rows', (n: number) => (n % 20 < 3 ? 0.5 : uniform(n))],
  ])('%s is found by chi²', (_, age) => {
    const window = one(numeric('age'), 1000, (n) => ({ age: age(n) }));
    expect(window.drifted).toBe(true);
    expect(window.chi?.p).toBeLessThan(window.smooth?.p ?? 0);
  });
});

describe('a category', () => {
  it('that did not change has not drifted', () => {
    expect(one(category('plan'), 1000)).toMatchObject({ drifted: false, chi: { df: 2 } });
  });

  it('with other shares has', () => {
    const window = one(category('plan'), 300, (n) => ({ plan: n % 2 === 0 ? 'a' : 'b' }));
    expect(window.drifted).toBe(true);
    expect(window.shift ?? window.smooth).toBeUndefined();
    expect(window.size).toBeGreaterThan(0.1);
  });

  it('with a value that was never seen has, also where it takes the place of the rarest', () => {
    const renamed = (n: number): Row => ({ plan: n % 10 < 6 ? 'a' : n % 10 < 9 ? 'b' : 'C' });
    const window = one(category('plan'), 500, renamed);
    expect(window.chi?.p).toBeGreaterThan(0.5);
    expect(window).toMatchObject({ cells: [300, 150, 0, 0, 50], drifted: true });
    expect(one(category('plan'), 500, (n) => (n === 0 ? { plan: 'C' } : {})).drifted).toBe(false);
  });

  describe('of many values', () => {
    let state = 1;
    const chance = (): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const towns = Array.from({ length: 900 }, (_, i) => `t${i}`);
    /** Windows against a reference of rows that are drawn in the same way. */
    const windows = (rows: number, drawn: () => number) => {
      const part = categoryPart(Float64Array.from({ length: rows }, drawn), towns);
      const town = category('town', { ...part, name: 'town' });
      return (n: number, row = () => `t${drawn()}`): SignalWindow => {
        const tally = createTally([town]);
        const take = categoryTaker(town, 0, tally);
        for (let i = 0; i < n; i += 1) take(row());
        const sums = [{ n, nulls: 0, a: 0, b: 0, cells: [...(tally.cells[0] ?? [])] }];
        const [window] = judgeSignals({ signals: sums }, { ...baselineOf([town]), rows }, RULE);
        if (window === undefined) throw new Error('nothing was judged');
        return window;
      };
    };

    it('has not where later rows have such that the reference lacks by chance', () => {
      // Some 270 of the 2000 rows have a town of 900 that no other row has.
      const drawn = (): number => Math.floor(900 * chance() ** 4);
      const judged = windows(2000, drawn);
      for (let i = 0; i < 20; i += 1) {
        const window = judged(2000);
        expect(window.unseen?.share).toBeGreaterThan(0.01);
        expect(window.drifted).toBe(false);
      }
      expect(judged(2000, () => (chance() < 0.1 ? 'new' : `t${drawn()}`)).drifted).toBe(true);
    });

    it('has not where chance gave the reference few that no other row has', () => {
      // In 10 of 300 rows is a town that no other row has; 30 may have been expected, and 1000 later.
      const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const counts = [30, 25, 20, 20, 20, 20, 20, 20, 115, 10];
      const town = category('town', { values, rare: towns.slice(0, 50), counts });
      const cells = counts.slice(0, 9).map((count) => Math.round((count * 9350) / 290));
      const judged = (unseen: number): boolean | undefined => {
        const sums = [{ n: 10_000, nulls: 0, a: 0, b: 0, cells: [...cells, unseen] }];
        return judgeSignals({ signals: sums }, { ...baselineOf([town]), rows: 300 }, RULE)[0]?.drifted;
      };
      expect([judged(1000), judged(2000)]).toEqual([false, true]);
    });

    it('has not where all are as frequent, and chance gave some of them more rows in the reference', () => {
      for (let i = 0; i < 5; i += 1) {
        const judged = windows(1000, () => Math.floor(600 * chance()));
        for (let j = 0; j < 4; j += 1) expect(judged(5000).drifted).toBe(false);
      }
    });
  });
});

describe('of several signals', () => {
  it('only those that moved have drifted, and outputs are judged among themselves', () => {
    const signals = [
      ...Array.from({ length: 8 }, (_, n) => numeric(`x${n}`)),
      category('plan'),
      numeric('score', { of: 'output', value: 'prediction' }),
    ];
    const windows = found(baselineOf(signals), 500, (n) => ({ x3: uniform(n) ** 2, score: uniform(n) ** 3 }));
    expect(windows.filter(({ drifted }) => drifted).map(({ name }) => name)).toEqual(['x3', 'score']);
  });

  it('outputs that drifted do not lower what an input must reach', () => {
    const even = Array.from({ length: 10 }, () => 24);
    const quiet = { n: 240, nulls: 0, a: 0, b: 0, cells: even };
    // T 13.8, p twice 0.001: below q only once others are called before it.
    const near = { ...quiet, a: 58.2 };
    const moved = { ...quiet, a: 200 };
    const inputs = Array.from({ length: 4 }, (_, n) => numeric(`x${n}`));
    const outputs = Array.from({ length: 8 }, (_, n) => numeric(`y${n}`, { of: 'output' }));
    const rule = { q: 0.01, effect: 0 };
    const judged = (signals: readonly SignalSums[], of: readonly Signal[]) =>
      judgeSignals({ signals }, baselineOf(of), rule).map(({ drifted }) => drifted);
    const sums = [near, quiet, quiet, quiet];
    expect(judged(sums, inputs)).toEqual([false, false, false, false]);
    const both = judged([...sums, ...outputs.map(() => moved)], [...inputs, ...outputs]);
    expect(both).toEqual([...sums.map(() => false), ...outputs.map(() => true)]);
    expect(judged([near, ...sums.slice(1).map(() => moved)], inputs)).toEqual([true, true, true, true]);
  });
});

it('values that are missing in bursts, in the reference as now, are no drift; many more of them are', () => {
  const part = numericPart(Float64Array.from({ length: 9500 }, (_, n) => uniform(n)));
  const absent = (nulls: number, more: object) => {
    const signal = { ...numeric('sensor'), ...part, phi: 1, nulls: 500, ...more };
    const cells = part.counts.map((count) => ((1000 - nulls) * count) / 9500);
    const sums = { n: 1000 - nulls, nulls, a: 0, b: 0, cells };
    const [window] = judgeSignals({ signals: [sums] }, { ...baselineOf([signal]), rows: 10_000 }, RULE);
    return window;
  };
  expect(absent(120, {})).toMatchObject({ drifted: true });
  expect(absent(120, { nullsPhi: 30 })).toMatchObject({ drifted: false });
  expect(absent(120, { nullsPhi: 30 })?.missing?.p).toBeGreaterThan(0.01);
  expect(absent(600, { nullsPhi: 30 })).toMatchObject({ drifted: true });
  // One that is less than that of the values says nothing.
  expect(absent(120, { nullsPhi: 3, phi: 30 })).toEqual(absent(120, { phi: 30 }));
});

describe('a column of two values', () => {
  /** So many rows are 1 and the others 0, in the reference and in the window. */
  const flagged = (ones: readonly [before: number, now: number], among: number, rows: number) => {
    const part = numericPart(Float64Array.from({ length: among }, (_, i) => (i < ones[0] ? 1 : 0)));
    const signal = { ...numeric('flag'), ...part, phi: 1 };
    const score = (value: number): number => locationOf(signal, rankOf(signal.knots, value));
    const sums = { n: rows, nulls: 0, b: 0, cells: [rows - ones[1], ones[1]] };
    const a = ones[1] * score(1) + (rows - ones[1]) * score(0);
    const q = Math.sqrt(1 / 720);
    const [window] = judgeSignals(
      { signals: [{ ...sums, a }] },
      { ...baselineOf([signal]), rows: among },
      { q, effect: 0.1 },
    );
    return { ...window, other: (value: number) => (rows / 2) * (score(0) + score(value)), signal };
  };

  it.each([
    // The reference has 1 by chance, and would have 5 on average, as windows have.
    [1, 7, 1000, 1000, 9 / 256],
    // Both by scipy’s binom.
    [3, 34, 300, 1000, 0.034286],
  ])('%d before and %d now of %d and %d: chance, by the rows of both', (before, now, among, rows, p) => {
    const window = flagged([before, now], among, rows);
    expect(window.smooth?.p).toBeCloseTo(p, 5);
    expect(window.size).toBeGreaterThan(0.1);
    expect(window.drifted).toBe(false);
  });

  it('of which many more come has drifted', () => {
    expect(flagged([20, 60], 1000, 1000)).toMatchObject({ drifted: true });
    expect(flagged([500, 620], 1000, 1000)).toMatchObject({ drifted: true });
    expect(flagged([980, 930], 1000, 1000)).toMatchObject({ drifted: true });
    expect(flagged([5, 40], 10_000, 1000)).toMatchObject({ drifted: true });
  });

  it('is no share where the window has others: half of all are below both', () => {
    const { other, signal } = flagged([20, 20], 1000, 1000);
    const sums = { n: 1000, nulls: 0, a: other(-1), b: 0, cells: [1000, 0] };
    const [window] = judgeSignals({ signals: [sums] }, { ...baselineOf([signal]), rows: 1000 }, RULE);
    expect(window).toMatchObject({ drifted: true });
  });
});
