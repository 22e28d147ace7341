import { describe, expect, it } from 'vitest';
import { difference, upperBound } from '../../functions/release/judge/bound.ts';
import { counting, errorRow, steadiness } from '../../functions/release/judge/counts.ts';
import { forecast } from '../../functions/release/judge/forecast.ts';
import type { Minute } from '../../functions/release/judge/minutes.ts';
import { outputEvidence, shift } from '../../functions/release/judge/output.ts';
import { judge, type Options, type Position } from '../../functions/release/judge/verdict.ts';

const START = Date.parse('2026-01-01T12:00:00Z');
const OPTIONS: Options = { minRequests: 100, increase: 0.01, expectedShift: 0.2, outputs: [] };

/** Step 1 at 5 %, then step 2 at 25 %: candidate's requests and errors, stable's requests and errors. */
const EXAMPLE: readonly (readonly [number, number, number, number])[] = [
  [31, 0, 569, 5],
  [28, 1, 572, 6],
  [30, 0, 570, 7],
  [33, 2, 567, 5],
  [148, 3, 452, 4],
  [152, 6, 448, 5],
  [150, 5, 450, 3],
  [149, 4, 451, 4],
  [151, 5, 449, 5],
  [147, 3, 453, 4],
  [153, 5, 447, 3],
  [150, 4, 450, 4],
];
const side = (n: number, x: number) => ({ invocations: n, crashes: 0, requests: n, errors: x });
const example: readonly Minute[] = EXAMPLE.map(([n1, x1, n2, x2], i) => ({
  at: new Date(START + i * 60_000).toISOString(),
  step: i < 4 ? 0 : 1,
  weight: i < 4 ? 0.05 : 0.25,
  candidate: side(n1, x1),
  stable: side(n2, x2),
}));
const after = (minutes: number) => {
  const add = counting();
  return (
    example
      .slice(0, minutes)
      .map((minute) => add(errorRow(minute)))
      .at(-1) ?? add(errorRow(example[0] as Minute))
  );
};

describe('the worked example', () => {
  it.each([
    [1, -0.304706871582, -0.327397952663, -0.008787346221, -1, 0.101586251296],
    [4, 0.286928036965, -0.014252584953, 0.014493587991, 0.931594261397, 0.059836820724],
    [7, 4.330612355996, 2.582647329575, 0.020573807229, 1.860389988641, 0.038237981449],
    [12, 10.372118389758, 6.419201499923, 0.019743987192, 2.842252370672, 0.030482149164],
  ])('after %d minutes', (minutes, lnE, lnE125, delta, steady, bound) => {
    const counts = after(minutes);
    expect(counts.lnE).toBeCloseTo(lnE, 9);
    expect(counts.lnE125).toBeCloseTo(lnE125, 9);
    expect(difference(counts.strata)).toBeCloseTo(delta, 9);
    expect(steadiness(counts)).toBeCloseTo(steady, 9);
    expect(upperBound(counts.strata)).toBeCloseTo(bound, 9);
  });

  it('fails at minute 11: before it the evidence suffices, but the minutes do not agree', () => {
    const position: Position = { index: 1, nextWeight: 0.5, bakeOver: false };
    const verdicts = example.map((_, i) => judge(example.slice(0, i + 1), position, OPTIONS));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...Array(10).fill('nodata'), 'fail', 'fail']);
    expect(verdicts[6]?.signals[0]?.numbers.lnE).toBeGreaterThan(Math.log(40));
    expect(verdicts[10]?.reason).toMatch(/^errors: 34 of 1,172 \(2\.9 %\) of the candidate’s and 51 of /);
  });

  it.each([
    [92, 0.040082803292],
    [188, 0.020024853838],
    [380, 0.010008295088],
  ])('the bound without an error among %d requests', (n1, bound) => {
    expect(upperBound([{ n1, x1: 0, n2: n1 * 10, x2: 0 }])).toBeCloseTo(bound, 9);
    const limit = Number(bound.toFixed(2));
    expect(upperBound([{ n1: n1 + 1, x1: 0, n2: n1 * 10, x2: 0 }])).toBeLessThan(limit);
  });

  it('the outputs’ evidence', () => {
    expect(outputEvidence(150, 0.7, 0.2)).toBeCloseTo(14.612328771693, 9);
    const candidate = { n: 100, a: 20, b: -5, aa: 0, bb: 0, ab: 0 };
    const { ne, q } = shift([[candidate, { n: 900, a: 40, b: 10, aa: 880, bb: 910, ab: 45 }]]);
    expect(ne * q * q).toBeCloseTo(2.656707409294, 9);
  });

  it('the forecast', () => {
    const { requests, k } = forecast({ weight: 0.1, from: 0.01, to: 0.03 });
    expect(requests).toBeCloseTo(8082.380296749, 8);
    expect(k).toBe(3);
  });
});
