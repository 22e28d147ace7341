import { assert, constantFrom, double, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakEvenOf, cheapestBy, curveOf, ratesBetween } from '../../../../core/advice/break-even.ts';
import { coldShareOfDay } from '../../../../core/advice/cold.ts';
import { REAL_TIME } from '../../../../core/advice/contract.ts';
import { formCost } from '../../../../core/advice/form-cost.ts';
import { dayOf, type FormLoad } from '../../../../core/advice/load.ts';
import { slotsFor, waitShare } from '../../../../core/advice/servers.ts';
import { taskFor } from '../../../../core/advice/sizes.ts';
import { seeded } from '../../../../core/capacity/random.ts';
import { PRICE_LIST } from '../../../../plugins/models/plan/shared/prices.ts';

const load = (rate: number, ms: number, more: Partial<FormLoad> = {}): FormLoad => ({
  parts: dayOf(rate, 1),
  ...{ service: ms / 1000, start: 0.5, memory: 1769, payload: 0, architecture: 'arm64', http: false },
  ...more,
});
const dollars = (form: (typeof REAL_TIME)[number], of: FormLoad): number =>
  formCost(form, of, PRICE_LIST)?.total ?? Number.NaN;

describe('the cost of a month', () => {
  /** Figures of a table that was counted by other code, from the same prices. */
  it.each([
    [1, 10, { 'on-demand': 1, fargate: 73, sagemaker: 144, managed: 181 }],
    [100, 10, { 'on-demand': 112, fargate: 73, sagemaker: 144, managed: 232 }],
    [10, 50, { 'on-demand': 35, fargate: 73, sagemaker: 144, managed: 185 }],
    [100, 50, { 'on-demand': 350, fargate: 272, sagemaker: 360, managed: 352 }],
  ])('at %d/s of %d ms is what was counted apart', (rate, ms, known) => {
    for (const [form, most] of Object.entries(known))
      expect(dollars(form as 'fargate', load(rate, ms)) / most, form).toBeCloseTo(1, most < 10 ? 0 : 1);
  });

  it('of kept instances is less than on demand above 60 % of use', () => {
    const busy = load(1000, 100, { architecture: 'x86_64' });
    expect(dollars('provisioned', busy)).toBeLessThan(dollars('on-demand', busy));
    const idle = load(1, 100, { architecture: 'x86_64' });
    expect(dollars('provisioned', idle)).toBeGreaterThan(dollars('on-demand', idle));
  });

  it.each([
    [1769, 1, 2],
    [7000, 1, 7],
    [28_672, 4, 28],
    [31_000, 8, 32],
    [45_000, 8, 44],
    [61_000, 8, 60],
    [62_000, 16, 64],
    [110_000, 16, 112],
    [122_880, 16, 120],
  ])('of a task for %d MB is that of a size which Fargate has', (memory, vcpu, gb) => {
    expect(taskFor(memory)).toMatchObject({ vcpu, gb });
  });

  const anything = record({
    rate: double({ min: 0.001, max: 2000, noNaN: true }),
    burst: double({ min: 1, max: 20, noNaN: true }),
    service: double({ min: 0.0001, max: 5, noNaN: true }),
    memory: double({ min: 128, max: 10_240, noNaN: true }),
    payload: double({ min: 0, max: 5e6, noNaN: true }),
    architecture: constantFrom('x86_64' as const, 'arm64' as const),
    http: constantFrom(true, false),
  });

  it('is the sum of its causes, finite, and no less for more requests', () => {
    assert(
      property(anything, constantFrom(...REAL_TIME), ({ burst, rate, ...more }, form) => {
        const one = formCost(form, { ...load(rate, 1, more), parts: dayOf(rate, burst) }, PRICE_LIST);
        const two = formCost(form, { ...load(rate, 1, more), parts: dayOf(2 * rate, burst) }, PRICE_LIST);
        const sum = Object.values(one?.dollars ?? {}).reduce((all, amount) => all + amount, 0);
        expect(one?.total).toBeCloseTo(sum, 6);
        expect(Number.isFinite(one?.total)).toBe(true);
        expect(Object.values(one?.dollars ?? {}).every((amount) => amount >= 0)).toBe(true);
        // Cold starts are fewer where more come, which is cents.
        expect((two?.total ?? 0) * 1.01 + 1).toBeGreaterThanOrEqual(one?.total ?? 0);
      }),
      { numRuns: 200 },
    );
  });

  it('of a day with a busy part has as many requests, and no less servers', () => {
    assert(
      property(anything, ({ burst, rate }) => {
        const parts = dayOf(rate, burst);
        expect(parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1, 9);
        expect(parts.reduce((sum, part) => sum + part.share * part.rate, 0) / rate).toBeCloseTo(1, 9);
        expect(Math.max(...parts.map((part) => part.rate)) / rate).toBeCloseTo(Math.max(1, burst), 6);
      }),
    );
  });

  it('is not known of what no size holds', () => {
    expect(formCost('fargate', load(1, 10, { memory: 200_000 }), PRICE_LIST)).toBeUndefined();
    expect(formCost('managed', load(1, 10, { memory: 200_000 }), PRICE_LIST)).toBeUndefined();
  });

  it('names the prices that are not certain', () => {
    expect(formCost('on-demand', load(1, 10), PRICE_LIST)?.doubtful).toEqual([]);
    expect(formCost('managed', load(1, 10), PRICE_LIST)?.doubtful).toEqual(['ec2.c7g.large.hour']);
  });
});

describe('break-even rates', () => {
  const costAt = (form: (typeof REAL_TIME)[number] | 'batch' | 'edge', rate: number) =>
    formCost(form, load(rate, 10), PRICE_LIST)?.total;
  const curve = curveOf(['on-demand', 'fargate', 'managed', 'provisioned'], costAt);

  it('are those that were counted apart: 66/s at 10 ms against two tasks, 302/s against three instances', () => {
    const rateOf = (form: 'fargate' | 'managed') => breakEvenOf(form, 'on-demand', curve, costAt).first ?? 0;
    expect(rateOf('fargate') / 66).toBeCloseTo(1, 1);
    expect(rateOf('managed') / 302).toBeCloseTo(1, 0);
  });

  it('are where both cost the same, and from the last on it stays so', () => {
    for (const form of ['fargate', 'managed'] as const) {
      const { first = 0, rate = 0 } = breakEvenOf(form, 'on-demand', curve, costAt);
      expect(costAt(form, first * 0.995)).toBeGreaterThanOrEqual(
        (costAt('on-demand', first * 0.995) ?? 0) * 0.999,
      );
      for (const more of ratesBetween(rate * 1.001, 10_000, 300))
        expect(costAt(form, more)).toBeLessThan(costAt('on-demand', more) ?? 0);
    }
  });

  /** At 50 ms a fourth task makes Fargate dearer again from 36 to 37.3/s, between two rates of the curve. */
  it('are after the last step that makes a form dearer again', () => {
    const more = { latency: 0.2, architecture: 'x86_64', payload: 2048 } as const;
    const cost: typeof costAt = (form, rate) => formCost(form, load(rate, 50, more), PRICE_LIST)?.total;
    const drawn = curveOf(['on-demand', 'fargate'], cost);
    const { rate = 0 } = breakEvenOf('fargate', 'on-demand', drawn, cost);
    for (const at of ratesBetween(rate * 1.001, 10_000, 500))
      expect(cost('fargate', at), `${at}/s`).toBeLessThan(cost('on-demand', at) ?? 0);
    expect(rate).toBeCloseTo(37.3, 0);
  });

  it('leave no form in its place that is more than a tenth too dear', () => {
    const cheapest = cheapestBy(curve, costAt);
    for (const rate of curve.rates) {
      const form = cheapest.findLast(({ from }) => from <= rate)?.form ?? 'on-demand';
      const least = Math.min(...curve.lines.map((line) => costAt(line.form, rate) ?? 0));
      expect((costAt(form, rate) ?? 0) / least).toBeLessThanOrEqual(1.101);
    }
  });

  it('are absent where a form never costs less, and from the lowest rate on where it always does', () => {
    const dear = (form: string, rate: number): number => (form === 'fargate' ? 1 : 2) * rate;
    const drawn = curveOf(['fargate', 'managed'], dear);
    expect(breakEvenOf('managed', 'fargate', drawn, dear)).toEqual({ form: 'managed', against: 'fargate' });
    expect(breakEvenOf('fargate', 'managed', drawn, dear).rate).toBe(0.001);
  });
});

/** Requests of one queue and so many servers, exponential times, and how long each waits. */
function waits(rate: number, service: number, servers: number, count: number): number[] {
  const chance = seeded(7);
  const draw = (mean: number): number => -Math.log(1 - chance()) * mean;
  const free = new Array<number>(servers).fill(0);
  let at = 0;
  return Array.from({ length: count }, () => {
    at += draw(1 / rate);
    let soonest = 0;
    for (let i = 1; i < servers; i += 1) if ((free[i] ?? 0) < (free[soonest] ?? 0)) soonest = i;
    const begun = Math.max(at, free[soonest] ?? 0);
    free[soonest] = begun + draw(service);
    return begun - at;
  });
}

describe('servers for a latency', () => {
  it.each([
    [20, 0.05, 2],
    [100, 0.05, 8],
  ])('wait as often as simulated: %d/s of %d s on %d', (rate, service, servers) => {
    const simulated = waits(rate, service, servers, 200_000).filter((wait) => wait > 0).length / 200_000;
    expect(simulated).toBeCloseTo(waitShare(rate * service, servers), 1);
  });

  it.each([
    [20, 0.05, 0.1],
    [30, 0.02, 0.03],
    [200, 0.05, 0.08],
  ])('keep the 95th percentile: %d/s of %d s within %d s', (rate, service, latency) => {
    const slots = slotsFor(rate * service, service, latency);
    const late = waits(rate, service, slots, 100_000).filter((wait) => wait > latency - service).length;
    expect(late / 100_000).toBeLessThanOrEqual(0.053);
  });
});

describe('the share of cold starts on demand', () => {
  it('is that of requests that come after an idle life, where none come at once', () => {
    // Two in an hour: the gap is longer than five minutes in e^(−1/6) of all cases.
    expect(coldShareOfDay(dayOf(2 / 3600, 1), 0.001)).toBeCloseTo(Math.exp(-1 / 6), 3);
  });

  it('is none where nothing comes', () => {
    expect(coldShareOfDay(dayOf(0, 1), 0.1)).toBe(0);
  });
});
