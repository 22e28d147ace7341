import { assert, double, property } from 'fast-check';
import { expect, it } from 'vitest';
import { type CurvePoint, capacityWithin, knee, nextRate } from '../../../../core/capacity/curve.ts';

/** M/M/1: latency 1/(μ − λ); its p99 is ln 100 times the mean. */
const point = (mu: number, rate: number): CurvePoint => {
  const mean = rate < mu ? 1000 / (mu - rate) : 1e6;
  const latency = mean * Math.log(100);
  return { rate, answered: Math.min(rate, mu), mean, latency, upper: latency, keptUp: rate < mu };
};

function measured(mu: number, start: number, objective?: number): readonly CurvePoint[] {
  const points: CurvePoint[] = [];
  for (;;) {
    const next = nextRate(points, start, { objective, lowest: start / 1000, highest: start * 1000 });
    if (next === undefined) return points;
    points.push(point(mu, next));
    expect(points.length).toBeLessThan(60);
  }
}

it('finds the capacity to 5 %, wherever it begins', () => {
  const starts = double({ min: 2, max: 400, noNaN: true });
  const objectives = double({ min: 60, max: 2000, noNaN: true });
  assert(
    property(starts, objectives, (start, objective) => {
      const points = measured(100, start, objective);
      const truth = 100 - (1000 * Math.log(100)) / objective;
      const found = capacityWithin(points, objective) ?? 0;
      expect(found).toBeLessThanOrEqual(truth * 1.0001);
      expect(found).toBeGreaterThan(truth / 1.051);
    }),
    { numRuns: 100 },
  );
});

it('without an objective it goes to where the target does not keep up', () => {
  const kept = measured(100, 10).filter(({ keptUp }) => keptUp);
  expect(Math.max(...kept.map(({ rate }) => rate))).toBeGreaterThan(95);
});

it('a rate without a bound keeps nothing, and one that breaks ends the capacity below it', () => {
  const { upper: _, ...unbounded } = point(100, 30);
  expect(capacityWithin([point(100, 20), unbounded, point(100, 40)], 500)).toBe(20);
  expect(capacityWithin([point(100, 20), { ...point(100, 30), upper: 900 }, point(100, 40)], 500)).toBe(20);
  expect(capacityWithin([point(100, 99)], 500)).toBeUndefined();
  expect(capacityWithin([{ ...point(100, 20), keptUp: false }], 500)).toBeUndefined();
});

it('goes up from rates with too few requests for a bound, which lower ones have even less', () => {
  // 0.8 · 12 s · rate requests of a run: a p99 needs a hundred of them.
  const short = (points: readonly CurvePoint[]): CurvePoint => {
    const next = nextRate(points, 5, { objective: 60, lowest: 10 / 64, highest: 1000 }) ?? Number.NaN;
    const { upper, ...measured } = point(100, next);
    return next * 9.6 < 100 || upper === undefined ? measured : { ...measured, upper };
  };
  const points: CurvePoint[] = [];
  while (points.length < 16 && !Number.isNaN(points.at(-1)?.rate)) points.push(short(points));
  const found = points.filter(({ rate }) => !Number.isNaN(rate));
  expect(found.slice(0, 3).map(({ rate }) => rate)).toEqual([5, expect.closeTo(10), expect.closeTo(20)]);
  const truth = 100 - (1000 * Math.log(100)) / 60;
  expect(capacityWithin(found, 60)).toBeLessThanOrEqual(truth);
  expect(capacityWithin(found, 60)).toBeGreaterThan(truth / 1.051);
  // One that is broken above one that is unsure: what is between them, not what is below.
  const { upper: _, ...unsure } = point(100, 10);
  const next = nextRate([unsure, point(100, 90)], 10, { objective: 60, lowest: 1, highest: 100 });
  expect(next).toBeCloseTo(30);
  expect(capacityWithin([unsure, point(100, 90)], 60)).toBeUndefined();
});

it('ends at the bounds of the rates', () => {
  expect(nextRate([point(1e9, 90)], 90, { objective: 500, lowest: 1, highest: 100 })).toBeUndefined();
  expect(nextRate([point(1, 1)], 1, { objective: 500, lowest: 0.9, highest: 100 })).toBeUndefined();
});

it('the knee of M/M/1 is at half of its capacity', () => {
  // Kleinrock: power is largest where one request is in the system on average.
  const points = Array.from({ length: 99 }, (_, i) => point(100, i + 1));
  expect(knee(points)).toBe(50);
  expect(knee([])).toBeUndefined();
});
