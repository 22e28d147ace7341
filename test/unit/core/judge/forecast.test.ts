import { describe, expect, it } from 'vitest';
import { boundRequests, canFill, type Plan, stepForecasts } from '../../../../core/judge/feasible.ts';
import { forecast } from '../../../../core/judge/forecast.ts';
import { canarySees, forecastSays } from '../../../../core/judge/forecast-text.ts';
import { normal, planPower } from '../../../../core/judge/power.ts';

const steps = [0.05, 0.25, 0.5].map((weight) => ({ weight, bake: 600 }));
const planned = steps.map(({ weight, bake }) => ({ weight, seconds: bake }));
const plan = (perSecond: number, more: Partial<Plan> = {}): Plan => ({
  steps,
  perSecond,
  minRequests: 100,
  increase: 0.01,
  maxWait: 7200,
  ...more,
});

describe('the forecast', () => {
  it.each([
    [0.05, 15_242, 762, 381],
    [0.1, 8082, 808, 202],
    [0.25, 3955, 989, 99],
    [0.5, 3086, 1543, 77],
  ])('of errors that rise from 1 to 3 % at weight %d', (weight, requests, candidateRequests, hours) => {
    const found = forecast({ weight, from: 0.01, to: 0.03 });
    expect(Math.round(found.requests)).toBe(requests);
    expect(Math.round(found.candidateRequests)).toBe(candidateRequests);
    expect(Math.round(found.requests / 40)).toBe(hours);
  });

  it('of a stable version without errors counts candidate errors alone', () => {
    // 3 errors suffice at 5 %, 8 at one half: a small weight makes each of them tell more.
    expect(forecast({ weight: 0.05, from: 0, to: 0.1 }).k).toBe(3);
    expect(forecast({ weight: 0.5, from: 0, to: 0.1 }).k).toBe(8);
    const { requests } = forecast({ weight: 0.05, from: 0, to: 1 });
    expect(requests * 0.05).toBeCloseTo(3 + 0.8416 * Math.sqrt(3), 9);
  });

  it('says when nothing can be seen', () => {
    expect(forecast({ weight: 1, from: 0.01, to: 0.03 }).requests).toBe(Number.POSITIVE_INFINITY);
    expect(forecast({ weight: 0.1, from: 0.03, to: 0.03 }).requests).toBe(Number.POSITIVE_INFINITY);
    expect(forecast({ weight: 0.1, from: 0, to: 0 }).requests).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a plan', () => {
  it('has the power that the formula gives', () => {
    expect(planPower(planned, 10, { from: 0.01, to: 0.02 })).toBeCloseTo(0.896868148095, 9);
    const longer = planned.map(({ weight, seconds }) => ({
      weight,
      seconds: weight === 0.05 ? 2040 : seconds,
    }));
    expect(planPower(longer, 1, { from: 0.01, to: 0.03 })).toBeCloseTo(0.37, 2);
    expect(planPower(planned, 3, { from: 0.001, to: 0.01 })).toBeGreaterThan(0.85);
    expect(planPower(planned, 10, { from: 0, to: 0.1 })).toBeGreaterThan(0.999);
    expect(planPower(planned, 10, { from: 0, to: 0 })).toBe(0);
    expect(planPower([], 10, { from: 0.01, to: 0.02 })).toBe(0);
  });

  it('fills its steps when traffic brings the requests and the bound in time', () => {
    expect(canFill(plan(10))).toBe(true);
    expect(canFill(plan(1))).toBe(true);
    // The first step needs 100 candidate requests of a twentieth of the traffic, in 130 minutes. What comes
    // in the minute of the change does not count, nor what comes in the last two.
    const least = 100 / 0.05 / (7800 - 180);
    expect(canFill(plan(least * 1.001))).toBe(true);
    expect(canFill(plan(least * 0.999))).toBe(false);
    expect(canFill(plan(40 / 3600))).toBe(false);
    expect(canFill(plan(0))).toBe(false);
    // A tighter bound: 0.1 % of all requests after the last step needs 3,838 of the candidate's.
    expect(boundRequests(0.001, 0)).toBe(3838);
    expect(canFill(plan(0.4, { increase: 0.001 }))).toBe(false);
    expect(canFill(plan(40, { increase: 0.001 }))).toBe(true);
    // Nearly all traffic on the candidate leaves too little for the other side.
    expect(canFill(plan(1, { steps: [{ weight: 0.99, bake: 600 }] }))).toBe(false);
  });

  it('does not fill a step whose requests come in time, but are counted later', () => {
    // 100 candidate requests take 8 minutes: of a step of 10 they are counted after 11.
    const first = (maxWait: number, more: Partial<Plan> = {}) =>
      stepForecasts(plan(100 / 0.05 / 480, { maxWait, ...more }))[0];
    expect(first(0)).toMatchObject({ seconds: 660, fits: false });
    expect(first(60)).toMatchObject({ fits: true });
    // Requests of up to 15 minutes are waited for.
    expect(first(600, { timeout: 900 })).toMatchObject({ seconds: 480 + 60 + 960, fits: false });
  });

  it('does not fill a step that is over before it can be judged, whatever the traffic', () => {
    const short = (bake: number, maxWait: number, more: Partial<Plan> = {}) =>
      canFill(plan(1000, { steps: [{ weight: 0.25, bake }], maxWait, ...more }));
    // The rest of the minute of the change, two minutes, and two in which their points come.
    expect([short(60, 239), short(60, 240), short(240, 0), short(300, 0)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    // Requests that take longer settle later.
    expect([short(300, 0, { timeout: 300 }), short(300, 240, { timeout: 300 })]).toEqual([false, true]);
    expect(stepForecasts(plan(1000, { steps: [{ weight: 0.25, bake: 60 }] }))[0]?.seconds).toBe(300);
    // A later step has the minutes of those before it.
    const steps = [600, 60].map((bake) => ({ weight: 0.25, bake }));
    expect(stepForecasts(plan(1000, { steps }))[1]?.seconds).toBe(240);
  });

  it('passes when bake, requests and bound allow it', () => {
    expect([0.04, 0.02, 0.01].map((limit) => boundRequests(limit, 0))).toEqual([93, 189, 381]);
    expect(boundRequests(0.01, 0.01)).toBe(1040);
    const found = stepForecasts(plan(1));
    expect(found.map(({ limit }) => limit)).toEqual([0.04, 0.02, 0.01]);
    expect(found.map(({ seconds }) => Math.round(seconds))).toEqual([2180, 600, 600]);
    expect(found.map(({ candidateRequests }) => Math.round(candidateRequests))).toEqual([109, 259, 559]);
    expect(stepForecasts(plan(1, { errorRate: 0.01 })).map(({ seconds }) => Math.round(seconds))).toEqual([
      2180, 784, 1650,
    ]);
  });

  it('is told in words', () => {
    expect(canarySees(40 / 3600, { weight: 0.1, from: 0.01, to: 0.03 })).toBe(
      'at 40 req/h a 10 % canary needs 202 h to see errors rise from 1 % to 3 %',
    );
    expect(canarySees(10, { weight: 1, from: 0.01, to: 0.03 })).toBe(
      'at 10 req/s a 100 % canary cannot see errors rise from 1 % to 3 %',
    );
    expect(forecastSays(plan(10))).toEqual([
      'at 10 req/s a 5 % canary needs 26 min to see errors rise from 1 % to 3 %',
      'step 1 (5 %) can pass after 10 min, when errors may have risen by less than 4 percentage points',
      'step 2 (25 %) can pass after 10 min, when errors may have risen by less than 2 percentage points',
      'step 3 (50 %) can pass after 10 min, when errors may have risen by less than 1 percentage point',
      'the whole plan sees errors rise from 1 % to 3 % in over 99 % of releases',
    ]);
    const quiet = forecastSays(plan(40 / 3600));
    expect(quiet[1]).toMatch(
      /^step 1 \(5 %\) can pass after 50 h, .*; its bake and maxWait end after 2.2 h$/,
    );
    expect(quiet.at(-1)).toMatch(/^that is little/);
    expect(forecastSays(plan(0))).toEqual(['without traffic a canary sees nothing']);
  });
});

it('the normal distribution, to rounding', () => {
  expect(normal(0)).toBe(0.5);
  expect(normal(1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(normal(-3)).toBeCloseTo(0.0013498980316301, 14);
  expect(normal(-40)).toBe(0);
  expect(normal(40)).toBe(1);
});
