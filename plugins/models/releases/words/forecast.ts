import { canFill, type Plan, stepForecasts } from '../../../../core/judge/feasible.ts';
import { forecastSays } from '../../../../core/judge/forecast-text.ts';
import { PATIENCE_MS } from '../../../../core/release/state/durations.ts';
import type { Model } from '../../declaration/model.ts';

/** What a model's canary can see, told before anybody relies on it. Pure. */

/** Requests per second, the share of them that fails, and where that is known from; or why it is not. */
export type RequestRate =
  | { readonly perSecond: number; readonly errorRate?: number; readonly from: 'declared' | 'measured' }
  | { readonly unknown: string };

const planOf = ({ release }: Pick<Model, 'release'>, perSecond: number, errorRate?: number): Plan => ({
  steps: release.steps.map(({ weight, bake }) => ({ weight: weight / 100, bake })),
  perSecond,
  minRequests: release.minRequests,
  increase: release.increase,
  maxWait: release.maxWait,
  ...(errorRate !== undefined && { errorRate }),
});

/** Does this strategy give a version its traffic by steps, if it can? */
export const isStepwise = ({ release }: Pick<Model, 'release'>): boolean => release.steps.length > 0;

/**
 * Lines for people, the first one a heading; none for a model without steps.
 *
 *     churn: what the canary can see at the declared traffic:
 *       at 5 req/s a 5 % canary needs 12 min to see errors rise from 1 % to 3 %
 *       step 1 (5 %) can pass after 10 min, when errors may have risen by less than 4 percentage points
 */
export function forecastLines(
  model: Pick<Model, 'name' | 'release'>,
  traffic: RequestRate,
): readonly string[] {
  if (!isStepwise(model)) return [];
  const { name } = model;
  if ('unknown' in traffic)
    return [
      `${name}: what the canary can see is not known: ${traffic.unknown}; declare \`traffic\` to have it told.`,
    ];
  const at = traffic.from === 'declared' ? 'the declared traffic' : 'the traffic of the last 24 hours';
  return [
    `${name}: what the canary can see at ${at}:`,
    ...forecastSays(planOf(model, traffic.perSecond, traffic.errorRate)).map((line) => `  ${line}`),
  ];
}

/** What strategy `auto` will make of traffic like this; undefined for the other strategies. */
export function autoLine(model: Pick<Model, 'name' | 'release'>, perSecond: number): string | undefined {
  if (model.release.strategy !== 'auto') return undefined;
  const fills = perSecond > 0 && canFill(planOf(model, perSecond));
  return fills
    ? `${model.name}: with this traffic strategy auto takes the steps`
    : `${model.name}: with this traffic strategy auto cannot fill the steps, and releases all at once`;
}

/** Milliseconds beyond a release's own deadline in which its worker takes its weight away and says so. */
const ENDING = 10 * 60_000;

/**
 * How long a release of these models may be followed, in milliseconds: until the deadline of the slowest, at
 * which its worker rolls back what is not over, and a margin. What is still not over then goes on, or stands,
 * without this command.
 */
export const longestRelease = (models: readonly Pick<Model, 'release'>[]): number =>
  Math.max(
    0,
    ...models.map(({ release: { steps, maxWait } }) =>
      steps.reduce((sum, { bake }) => sum + (bake + maxWait) * 1000, 0),
    ),
  ) +
  PATIENCE_MS +
  ENDING;

/**
 * What a person should know when packaging: that a step will not get its data in time at the declared
 * traffic.
 */
export function forecastWarning(model: Pick<Model, 'name' | 'release' | 'traffic'>): string | undefined {
  const { name, traffic, release } = model;
  if (traffic === undefined || !isStepwise(model)) return undefined;
  const late = stepForecasts(planOf(model, traffic)).findIndex(({ fits }) => !fits);
  if (late < 0) return undefined;
  const then = { hold: 'is held', pass: 'passes without a verdict', rollback: 'is rolled back' }[
    release.onNoData
  ];
  const what =
    release.strategy === 'auto'
      ? 'and strategy auto releases all at once where the measured traffic is no more'
      : `and ${then}`;
  return `models.${name}.release: at the declared traffic step ${late + 1} gets no verdict within its bake and maxWait, ${what}; \`sls models plan\` says what the canary can see.`;
}
