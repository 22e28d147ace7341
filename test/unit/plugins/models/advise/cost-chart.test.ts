import { expect, it } from 'vitest';
import { advise } from '../../../../../core/advice/advise.ts';
import type { AdviceNeeds } from '../../../../../core/advice/contract.ts';
import { costChart } from '../../../../../plugins/models/advise/cost-chart.ts';
import { PRICE_LIST } from '../../../../../plugins/models/plan/shared/prices.ts';

const from = <T>(value: T) => ({ value, from: '--given', isGuess: false });
const chart = (rate: number): string => {
  const needs: AdviceNeeds = {
    ...{ deviceUpdate: from('monthly'), burst: from(1), service: from(0.001), start: from(0.5) },
    ...{ payload: from(2048), memory: from(1769), architecture: 'arm64', http: false, batch: false },
    ...{ size: { weights: [], rest: 1e6 }, traffic: from(rate) },
  };
  return costChart(advise(needs, PRICE_LIST), rate);
};

it.each([
  // As `0/s`, `10/month` and `100000/s` of serverless.yml.
  [0, undefined],
  [10 / 2_592_000, undefined],
  [100_000, undefined],
  [5, '>5/s<'],
])(
  '%d requests a second are marked where they are in the picture, and nothing is drawn beside it',
  (rate, mark) => {
    const svg = chart(rate);
    expect(svg).not.toMatch(/NaN|Infinity/);
    const places = [...svg.matchAll(/ x[12]?="([^"]+)"/g)].map(([, at]) => Number(at));
    for (const at of places) {
      expect(at).toBeGreaterThanOrEqual(0);
      expect(at).toBeLessThanOrEqual(640);
    }
    if (mark === undefined) expect(svg).not.toMatch(/>\d\S*\/(s|month)</);
    else expect(svg).toContain(mark);
  },
);
