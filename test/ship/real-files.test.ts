/** Public data through the product's own baseline, scores and judge: docs/drift-bench.md has the tables. */
import { beforeAll, describe, expect, it } from 'vitest';
import { BUDGETS, isEven, quietRatio, type RealSet, realSets } from '../../bench/drift/real.ts';

const found = new Map<number, ReadonlyMap<string, RealSet>>();
beforeAll(async () => {
  for (const budget of BUDGETS)
    found.set(budget, new Map((await realSets(budget)).map((set) => [set.name, set])));
});
const of = (name: string, budget = 1): RealSet => {
  const set = found.get(budget)?.get(name);
  if (set === undefined) throw new Error(`There is no ${name}.`);
  return set;
};

describe('public data', () => {
  it.each(BUDGETS)('that are quiet alarm no more often than a budget of %i a month', (budget) => {
    const sets = [...(found.get(budget)?.values() ?? [])];
    expect(sets.filter(isEven).map(({ name }) => name)).toEqual([
      'employment_MA',
      'car_loan',
      'car_loan, with gaps',
      'car_price',
      'credit_card',
      'titanic',
    ]);
    expect(sets.reduce((sum, { quiet }) => sum + quiet.windows, 0)).toBeGreaterThan(380);
    expect(quietRatio(sets, budget)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['car_loan', 82, 'car_value'],
    ['car_loan, with gaps', 82, 'car_value'],
    ['car_price', 99, 'door_count'],
    ['credit_card', 99, 'credit_bureau_score'],
    ['employment_MA', 40, 'RELP'],
  ])('of %s that came later are found drifted, by column', (name, windows, column) => {
    const { quiet, live } = of(name);
    expect(quiet.alarms).toBe(0);
    expect(live.alarms).toBeGreaterThanOrEqual(windows);
    expect(live.alarms).toBeLessThanOrEqual(live.windows / 2);
    expect(live.named).toContain(column);
  });

  it.each(['rainfall', 'california_housing'])(
    'in order of season or place, %s, do not alarm window by window, where limits for independent rows do',
    (name) => {
      const { phi, quiet } = of(name);
      expect(phi).toBeGreaterThan(3);
      expect(Math.min(quiet.psi, quiet.plain)).toBeGreaterThan(0.25);
      expect(quiet.scaled).toBeLessThan(0.05);
    },
  );
});
