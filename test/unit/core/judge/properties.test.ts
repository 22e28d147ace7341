import fc from 'fast-check';
import { expect, it } from 'vitest';
import { difference, upperBound } from '../../../../core/judge/bound.ts';
import { countRows, type Row } from '../../../../core/judge/counts.ts';
import { chain, RATIOS } from '../../../../core/judge/evidence.ts';
import type { Minute } from '../../../../core/judge/minutes.ts';
import { errorsFail } from '../../../../core/judge/regression.ts';
import { reversed } from '../../../../core/judge/reversed.ts';
import { judge, type Options } from '../../../../core/judge/verdict.ts';

const OPTIONS: Options = {
  minRequests: 100,
  increase: 0.01,
  expectedShift: 0.2,
  slow: 2,
  rejected: true,
  outputs: ['score', 'label'],
};
const weight = fc.constantFrom(0.01, 0.05, 0.25, 0.5, 0.9);
const natural = (max: number) => fc.oneof(fc.nat({ max: 5 }), fc.nat({ max }));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 8 });
const score = fc.double({ min: -1e4, max: 1e4, noNaN: true });
const scores = fc.record({ a: score, b: score, aa: natural(1e6), bb: natural(1e6), ab: score });
/** Anything that metrics may say, even what cannot be: more errors than requests, points that are missing. */
const side = fc.record({
  invocations: maybe(natural(1e6)),
  crashes: maybe(natural(1e6)),
  requests: maybe(natural(1e6)),
  errors: maybe(natural(1e6)),
  rejected: maybe(natural(1e6)),
  coldStarts: maybe(natural(1e6)),
  slow: maybe(fc.tuple(natural(1e6), natural(1e6), natural(1e6), natural(1e6))),
  outputs: maybe(fc.record({ score: scores, label: scores }, { requiredKeys: [] })),
});
type Arbitrary = { candidate: object; stable: object };
const bare = <T extends object>(value: T): object =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
const at = (i: number): string => new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString();
const minutesOf = (parts: readonly (Arbitrary & { weight: number; step: number })[]): Minute[] =>
  parts.map((part, i) => ({
    at: at(i),
    step: part.step,
    weight: part.weight,
    candidate: bare(part.candidate),
    stable: bare(part.stable),
  }));
const anything = fc
  .array(
    fc.record({
      weight: fc.oneof(weight, fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
      step: fc.nat({ max: 2 }),
      candidate: side,
      stable: side,
    }),
    { maxLength: 8 },
  )
  .map(minutesOf);
const position = fc.record({ index: fc.nat({ max: 2 }), nextWeight: weight, bakeOver: fc.boolean() });

/** Minutes as metrics are, m errors of which the coin gave x to the candidate. */
const row = fc
  .record({
    weight,
    step: fc.nat({ max: 2 }),
    n1: natural(5000),
    n2: natural(50_000),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .chain(({ share, ...rest }) =>
    fc.record({
      weight: fc.constant(rest.weight),
      step: fc.constant(rest.step),
      n1: fc.constant(rest.n1),
      n2: fc.constant(rest.n2),
      x1: fc.nat({ max: Math.ceil(rest.n1 * share * 0.2) }).map((x) => Math.min(x, rest.n1)),
      x2: fc.nat({ max: Math.ceil(rest.n2 * share * 0.2) }).map((x) => Math.min(x, rest.n2)),
    }),
  );
const rows = fc.array(row, { minLength: 1, maxLength: 20 });
const minuteOf = ({ x1, n1, x2, n2, ...rest }: Row, i: number): Minute => ({
  at: at(i),
  ...rest,
  candidate: { invocations: n1, crashes: 0, requests: n1, errors: x1 },
  stable: { invocations: n2, crashes: 0, requests: n2, errors: x2 },
});
/** The same, but what failed was refused instead. */
const refusing = ({ x1, n1, x2, n2, ...rest }: Row, i: number): Minute => ({
  at: at(i),
  ...rest,
  candidate: { invocations: n1, crashes: 0, requests: n1 - x1, rejected: x1 },
  stable: { invocations: n2, crashes: 0, requests: n2 - x2, rejected: x2 },
});

it('no figure is ever NaN or endless, whatever the metrics say', () => {
  fc.assert(
    fc.property(anything, position, (minutes, where) => {
      for (const finding of [
        judge(minutes, where, OPTIONS),
        reversed(minutes, { minRequests: 100, over: false }),
      ]) {
        for (const { signal, numbers } of finding.signals)
          for (const [name, value] of Object.entries(numbers))
            expect(Number.isFinite(value), `${signal} ${name}: ${value}`).toBe(true);
        expect(finding.reason).not.toMatch(/NaN|Infinity|undefined/);
      }
    }),
    { numRuns: 2000 },
  );
});

/** The mean of E over every way in which the coin can share out the errors, computed outright. */
function mean(errors: readonly number[], weights: readonly number[], atMost: number): number {
  const paths = (i: number, xs: readonly number[], chance: number): number => {
    const m = errors[i];
    const w = weights[i] ?? 0.5;
    if (m === undefined) {
      const add = chain(atMost);
      return chance * Math.exp(xs.reduce((_, x, j) => add(x, errors[j] ?? 0, weights[j] ?? 0.5), 0));
    }
    const p = (atMost * w) / (1 + w * (atMost - 1));
    let [sum, ways] = [0, 1];
    for (let x = 0; x <= m; x++) {
      sum += paths(i + 1, [...xs, x], chance * ways * p ** x * (1 - p) ** (m - x));
      ways = (ways * (m - x)) / (x + 1);
    }
    return sum;
  };
  return paths(0, [], 1);
}

it('under its null the stake is a fair bet: E has mean 1, through outages and changes of weight', () => {
  const minutes = fc.array(fc.tuple(fc.nat({ max: 4 }), weight), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(minutes, fc.constantFrom(1, 1.25), (pairs, atMost) => {
      const [errors, weights] = [pairs.map(([m]) => m), pairs.map(([, w]) => w)];
      expect(mean(errors, weights, atMost)).toBeCloseTo(1, 10);
    }),
  );
});

it('the chain is the sum over all minutes at which the bet may have begun', () => {
  fc.assert(
    fc.property(rows, (list) => {
      const bad = list.map(({ x1, x2, weight }) => ({ x: x1, m: x1 + x2, weight })).filter(({ m }) => m > 0);
      let rest = 1;
      const parts = bad.map((_, start) => {
        const k = start + 1;
        const stake = k === 1 ? 0.5 : 1 / (2 * k * (k - 1));
        rest -= stake;
        const grown = RATIOS.map((ratio) =>
          bad
            .slice(start)
            .reduce(
              (ln, { x, m, weight }) => ln + x * Math.log(ratio) - m * Math.log(1 + weight * (ratio - 1)),
              0,
            ),
        );
        return { stake, grown };
      });
      const most = Math.max(0, ...parts.flatMap(({ grown }) => grown));
      const sum = parts.reduce(
        (total, { stake, grown }) =>
          total + (stake * grown.reduce((all, ln) => all + Math.exp(ln - most), 0)) / RATIOS.length,
        rest * Math.exp(-most),
      );
      expect(countRows(list).lnE).toBeCloseTo(most + Math.log(sum), 7);
    }),
  );
});

it('what both versions suffer alike, and requests without errors, are no evidence', () => {
  fc.assert(
    fc.property(rows, fc.nat({ max: 1e6 }), fc.nat({ max: 20 }), (list, more, where) => {
      const busier = list.map((one) => ({ ...one, n1: one.n1 + more, n2: one.n2 + 3 * more }));
      expect(countRows(busier).lnE).toBe(countRows(list).lnE);
      const quiet: Row = { step: 0, weight: 0.05, x1: 0, n1: 50, x2: 0, n2: 950 };
      const index = Math.min(where, list.length);
      expect(countRows([...list.slice(0, index), quiet, ...list.slice(index)]).lnE).toBe(countRows(list).lnE);
    }),
  );
  // An outage that hits w of the candidate and 1 − w of the stable version, however large, wins nothing.
  for (const size of [4, 40, 4000, 400_000]) {
    const outage: Row = { step: 0, weight: 0.25, x1: size / 4, n1: size, x2: (3 * size) / 4, n2: 3 * size };
    expect(countRows([outage]).lnE).toBeLessThan(0.05);
  }
});

it('more errors of the candidate never speak for it', () => {
  fc.assert(
    fc.property(rows, fc.nat({ max: 19 }), fc.integer({ min: 1, max: 50 }), (list, where, more) => {
      const index = Math.min(where, list.length - 1);
      const chosen = list[index];
      // A first error makes its minute a new start for later stakes; there the sums may differ either way.
      fc.pre(chosen !== undefined && chosen.x1 + chosen.x2 > 0 && chosen.x1 + more <= chosen.n1);
      const worse = list.map((one, i) => (i === index ? { ...one, x1: one.x1 + more } : one));
      const [before, after] = [countRows(list), countRows(worse)];
      expect(after.lnE).toBeGreaterThanOrEqual(before.lnE - 1e-9);
      expect(after.lnE125).toBeGreaterThanOrEqual(before.lnE125 - 1e-9);
      expect(difference(after.strata)).toBeGreaterThan(difference(before.strata));
      expect(upperBound(after.strata)).toBeGreaterThanOrEqual(upperBound(before.strata));
    }),
  );
});

it('with the labels exchanged, difference and trend change their sign, and never do both versions fail', () => {
  fc.assert(
    fc.property(rows, (list) => {
      const one = list.map((minute) => ({ ...minute, step: 0 }));
      const exchanged = one.map(({ weight, x1, n1, x2, n2 }) => ({
        step: 0,
        weight: 1 - weight,
        x1: x2,
        n1: n2,
        x2: x1,
        n2: n1,
      }));
      const [ours, theirs] = [countRows(one), countRows(exchanged)];
      expect(theirs.S).toBeCloseTo(-ours.S, 6);
      expect(theirs.V).toBeCloseTo(ours.V, 6);
      if (ours.total.n1 > 0 && ours.total.n2 > 0)
        expect(difference(theirs.strata)).toBeCloseTo(-difference(ours.strata), 12);
      expect(errorsFail(ours) && errorsFail(theirs)).toBe(false);
    }),
  );
});

it('refused requests are the same evidence as failed ones, at another stake, and are no evidence of errors', () => {
  let convinced = 0;
  fc.assert(
    fc.property(rows, position, (list, where) => {
      const options = { ...OPTIONS, slow: undefined, outputs: [] };
      const [failing, refused] = [list.map(minuteOf), list.map(refusing)];
      const errors = judge(failing, where, options).signals[0]?.numbers ?? {};
      const found = judge(refused, where, options);
      const { lnLimit, ...numbers } =
        found.signals.find(({ signal }) => signal === 'rejected')?.numbers ?? {};
      expect(errors).toMatchObject(numbers);
      expect(lnLimit).toBeCloseTo(Math.log(160), 12);
      expect(found.signals[0]?.numbers).toMatchObject({ x1: 0, x2: 0, lnE: 0 });
      if ((numbers.lnE ?? 0) >= (lnLimit ?? 0)) convinced += 1;
      // Where a version does not count them by itself, they change nothing.
      const unaware = judge(refused, where, { ...options, rejected: false });
      expect(unaware.verdict).not.toBe('fail');
      expect(unaware.signals.map(({ signal }) => signal)).toEqual(['errors']);
    }),
    { numRuns: 1000 },
  );
  expect(convinced).toBeGreaterThan(0);
});

it('without data of a version nothing passes, and nothing fails', () => {
  fc.assert(
    fc.property(rows, position, fc.constantFrom('candidate', 'stable', 'both'), (list, where, missing) => {
      const minutes = list.map(minuteOf).map((minute) => ({
        ...minute,
        ...(missing !== 'stable' && { candidate: {} }),
        ...(missing !== 'candidate' && { stable: {} }),
      }));
      const { verdict } = judge(minutes, where, { ...OPTIONS, outputs: [] });
      if (missing === 'stable') expect(['nodata', 'error', 'fail']).toContain(verdict);
      else expect(['nodata', 'error']).toContain(verdict);
    }),
  );
  expect(judge([], { index: 0, bakeOver: true }, OPTIONS).verdict).toBe('nodata');
});

it('a pass had its requests in the step, on both sides, and a bound below the limit', () => {
  let passes = 0;
  fc.assert(
    fc.property(rows, position, (list, where) => {
      const finding = judge(list.map(minuteOf), where, {
        ...OPTIONS,
        minRequests: 50,
        increase: 0.1,
        outputs: [],
      });
      if (finding.verdict !== 'pass') return;
      passes += 1;
      const ofStep = list.filter(({ step }) => step === where.index);
      expect(where.bakeOver).toBe(true);
      expect(ofStep.reduce((sum, { n1 }) => sum + n1, 0)).toBeGreaterThanOrEqual(50);
      expect(ofStep.reduce((sum, { n2 }) => sum + n2, 0)).toBeGreaterThanOrEqual(50);
      const { bound = 1, limit = 0 } = finding.signals[0]?.numbers ?? {};
      expect(bound).toBeLessThan(limit);
    }),
    { numRuns: 3000 },
  );
  expect(passes).toBeGreaterThan(0);
});
