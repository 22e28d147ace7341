import { canFill, type Plan, stepForecasts } from '../../../../core/judge/feasible.ts';
import { forecastSays } from '../../../../core/judge/forecast-text.ts';
import { duration } from '../../../../core/judge/format.ts';
import { firstJudged } from '../../../../core/judge/minutes.ts';
import { PATIENCE_MS } from '../../../../core/release/state/durations.ts';
import { MINUTE_MS } from '../../../../core/units/time.ts';
import type { Model } from '../../declaration/model.ts';
import { UNJUDGED } from '../../plan/release/unjudged.ts';

/** What a model's canary can see, told before anybody relies on it. Pure. */

/** Requests per second, the share of them that fails, and where that is known from; or why it is not. */
export type RequestRate =
  | { readonly perSecond: number; readonly errorRate?: number; readonly from: 'declared' | 'measured' }
  | { readonly unknown: string };

/** What a forecast follows from. */
type Forecast = Pick<Model, 'name' | 'release' | 'timeout'> & Partial<Pick<Model, 'function'>>;

/** Its own role may write no log then. What another role may, nobody knows here. */
const isSilent = ({ function: given }: Partial<Pick<Model, 'function'>>): boolean =>
  given?.disableLogs === true && !given.role;

const planOf = (
  { release, timeout }: Pick<Forecast, 'release' | 'timeout'>,
  perSecond: number,
  errorRate?: number,
): Plan => ({
  steps: release.steps.map(({ weight, bake }) => ({ weight: weight / 100, bake })),
  perSecond,
  minRequests: release.minRequests,
  increase: release.increase,
  maxWait: release.maxWait,
  timeout,
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
export function forecastLines(model: Forecast, traffic: RequestRate): readonly string[] {
  if (!isStepwise(model)) return [];
  const { name, release } = model;
  if (isSilent(model) && !release.dryRun)
    return [
      `${name}: no step gets a verdict, since \`function.disableLogs\` leaves no log in which the model’s requests are counted; after its bake and maxWait the first one ${UNJUDGED[release.onNoData]}.`,
    ];
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
export function autoLine(model: Forecast, perSecond: number): string | undefined {
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
 * traffic, or at any.
 */
export function forecastWarning(model: Forecast & Pick<Model, 'traffic'>): string | undefined {
  const { name, traffic, release, timeout } = model;
  // A dry run takes its steps by time alone.
  if (!isStepwise(model) || (release.dryRun && release.strategy !== 'auto')) return undefined;
  const lateAt = (perSecond: number): number =>
    stepForecasts(planOf(model, perSecond)).findIndex(({ fits }) => !fits);
  const never = lateAt(Number.POSITIVE_INFINITY);
  const late = never >= 0 || traffic === undefined ? never : lateAt(traffic);
  if (late < 0) return undefined;
  const [minutes, are] = never === 0 ? [1, 'are two minutes'] : [0, 'is a minute'];
  const soonest = duration(firstJudged(timeout) + (minutes * MINUTE_MS) / 1000);
  const [at, why, where] =
    never >= 0
      ? ['', `, since ${soonest} may go by until there ${are} to judge`, '']
      : ['at the declared traffic ', '', ' where the measured traffic is no more'];
  const what =
    release.strategy === 'auto'
      ? `and strategy auto releases all at once${where}`
      : `and ${UNJUDGED[release.onNoData]}`;
  return `models.${name}.release: ${at}step ${late + 1} gets no verdict within its bake and maxWait${why}, ${what}; \`sls models plan\` says what the canary can see.`;
}
