import { describe, expect, it } from 'vitest';
import { difference, upperBound } from '../../../../core/judge/bound.ts';
import { type Counts, countRows, errorRow, steadiness } from '../../../../core/judge/counts.ts';
import { forecast } from '../../../../core/judge/forecast.ts';
import { outputEvidence, shift } from '../../../../core/judge/output.ts';
import { judge, type Options, type Position } from '../../../../core/judge/verdict.ts';
import { EXAMPLE } from './example.ts';

const OPTIONS: Options = { minRequests: 100, increase: 0.01, expectedShift: 0.2, outputs: [] };

const after = (minutes: number): Counts => countRows(EXAMPLE.slice(0, minutes).map(errorRow));

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
    const verdicts = EXAMPLE.map((_, i) => judge(EXAMPLE.slice(0, i + 1), position, OPTIONS));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([...Array(10).fill('nodata'), 'fail', 'fail']);
    expect(verdicts[6]?.signals[0]?.numbers.lnE).toBeGreaterThan(Math.log(40));
    expect(verdicts[10]?.reason).toMatch(
      /^errors: 34 of 1,172 \(2\.9 %\) of the candidate version’s requests failed, 51 of /,
    );
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
