import type { RequestTimes } from '../capacity/times.ts';
import type { PlanInput } from '../contracts/input.ts';
import type { Facts, Model } from '../declaration/model.ts';
import type { Cost, StandingCost } from '../plan/cost.ts';
import type { Item } from '../plan/inventory.ts';
import { type Capacity, capacityOf } from '../plan/release/capacity.ts';
import type { Live } from '../releases/ask-live.ts';
import { autoLine, forecastLines, isStepwise } from '../releases/words/forecast.ts';

/** What a deploy would create of one model, and what that costs. */
export type PlannedModel = {
  readonly model: Model;
  readonly facts: Facts;
  readonly standing: StandingCost;
  readonly times: RequestTimes;
  readonly cost?: Cost;
};

/** What is printed, as text or as JSON. */
export type PlanReport = {
  readonly items: readonly Item[];
  readonly lines: readonly PlannedModel[];
  readonly idle: number;
  /** The same of images. */
  readonly images: number;
  /** What is offered against what is live, by model. */
  readonly live: ReadonlyMap<string, Live>;
};

/** What the plan follows from, with what packaging found: a role's policy names the files of a model. */
export const packaged = (plan: PlanInput, { lines }: Pick<PlanReport, 'lines'>): PlanInput => ({
  ...plan,
  built: new Map(lines.map(({ model, facts }) => [model.name, { facts }])),
});

/** What a model's canary sees. */
export function forecastIn(model: Model): readonly string[] {
  const { traffic } = model;
  if (traffic === undefined) return forecastLines(model, { unknown: 'no traffic is declared' });
  const auto = autoLine(model, traffic);
  return [
    ...forecastLines(model, { perSecond: traffic, from: 'declared' }),
    ...(auto === undefined || !isStepwise(model) ? [] : [auto]),
  ];
}

export const capacitiesOf = (models: readonly Model[]): readonly Capacity[] =>
  models.map(capacityOf).filter((capacity) => capacity !== undefined);
