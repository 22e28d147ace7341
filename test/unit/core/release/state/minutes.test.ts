import { describe, expect, it } from 'vitest';
import type { WeightShift } from '../../../../../core/release/document/parts-contract.ts';
import { allMinutes, minutesOf } from '../../../../../core/release/state/minutes.ts';

const at = (minute: number, second = 0): number => Date.UTC(2026, 0, 1, 0, minute, second);
const iso = (minute: number, second = 0): string => new Date(at(minute, second)).toISOString();
const shift = (asked: string, done: string, step: number, weight: number): WeightShift => ({
  asked,
  at: done,
  step,
  weight,
});

describe('the minutes of a release', () => {
  const sides = new Map([
    ['4', new Map([[at(2), { invocations: 5 }]])],
    ['3', new Map([[at(2), { invocations: 95 }]])],
  ]);
  const of = (shifts: readonly WeightShift[], to: number) =>
    minutesOf(sides, '4', '3', shifts, at(to)).map(({ at: start, step, weight }) => [
      start.slice(14, 16),
      step,
      weight,
    ]);

  it('have the weight and step that were in force all through them', () => {
    expect(of([shift(iso(1, 10), iso(1, 12), 0, 5), shift(iso(4, 30), iso(4, 31), 1, 25)], 7)).toEqual([
      ['02', 0, 0.05],
      ['03', 0, 0.05],
      ['05', 1, 0.25],
      ['06', 1, 0.25],
    ]);
  });

  it('without those in which the alias may have moved: between a dead worker’s intent and the note of it', () => {
    expect(of([shift(iso(1, 50), iso(4, 10), 0, 5)], 7)).toEqual([
      ['05', 0, 0.05],
      ['06', 0, 0.05],
    ]);
    expect(of([shift(iso(2, 0), iso(2, 0), 0, 5)], 4)).toEqual([['03', 0, 0.05]]);
  });

  it('and without those at no weight', () => {
    expect(of([shift(iso(1, 10), iso(1, 12), 0, 5), shift(iso(3, 10), iso(3, 12), 0, 0)], 6)).toEqual([
      ['02', 0, 0.05],
    ]);
    expect(of([], 6)).toEqual([]);
  });

  it('hold what each version did, and nothing where no data point is', () => {
    const [second, third] = minutesOf(sides, '4', '3', [shift(iso(1), iso(1), 0, 5)], at(4));
    expect(second).toMatchObject({ candidate: { invocations: 5 }, stable: { invocations: 95 } });
    expect(third).toMatchObject({ candidate: {}, stable: {} });
  });

  it('of one version together are sums', () => {
    const minutes = new Map([
      [at(1), { requests: 10, errors: 1, rejected: 3, slow: [4, 3, 2, 1] as const }],
      [at(2), { requests: 20, rejected: 4, coldStarts: 2 }],
    ]);
    expect(allMinutes(new Map([['3', minutes]]), '3')).toEqual({
      invocations: 0,
      crashes: 0,
      requests: 30,
      errors: 1,
      rejected: 7,
      coldStarts: 2,
      slow: [4, 3, 2, 1],
    });
  });
});
