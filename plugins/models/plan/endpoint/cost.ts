import { billedSeconds } from '../../../../core/advice/lambda-cost.ts';
import { coldShare, IDLE_SECONDS } from '../../../../core/capacity/environments/cold-share.ts';
import { erlangB } from '../../../../core/capacity/erlang.ts';
import type { Dollars, Use } from '../../contracts/feature.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { logCost, MONTH, metricCost, PRICES } from '../shared/prices.ts';
import { billedStorage } from '../shared/storage.ts';
import { lineBytes, metricCount, signalsOf } from '../watch/metrics.ts';

/**
 * Bytes of log a request: Lambda's START, END and REPORT lines; and what CloudWatch adds to each of four, 26.
 */
const LOG_BYTES = 400;

/** What a model's requests cost by themselves. */
export function requestCost(model: Model, facts: Facts, use: Use): Dollars {
  const { requests, duration, init } = use;
  const signals = signalsOf(facts.graph ?? facts.signature);
  const { cold, onDemand } = startsOf(model, use);
  const gb = model.memory / 1024;
  const gbSecond =
    onDemand * PRICES.gbSecond[model.architecture] +
    (1 - onDemand) * PRICES.provisioned.gbSecond[model.architecture];
  const storage = billedStorage(model, facts) * PRICES.storageGbSecond;
  // Metrics are lines of the log, and its own role may write none. What another role may, nobody knows here.
  const isSilent = Boolean(model.function.disableLogs) && !model.function.role;
  return {
    requests: requests * PRICES.request,
    compute: requests * billedSeconds(duration) * (gb * gbSecond + storage),
    // Billed like the request itself, since August 2025 for zips, too:
    // https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
    coldStarts: requests * cold * init * (gb * PRICES.gbSecond[model.architecture] + storage),
    http: model.http === undefined ? 0 : requests * PRICES.httpRequest,
    logs: isSilent ? 0 : logCost(requests, LOG_BYTES + lineBytes(signals)),
    metrics: isSilent ? 0 : metricCost(metricCount(signals, model.latency !== undefined), requests),
  };
}

/**
 * Shares of requests that instances on demand answer, and that start one. The traffic is taken for even; what
 * scaling keeps beyond the least is not counted.
 */
export function startsOf(model: Model, { requests, duration }: Omit<Use, 'init'>) {
  const rate = requests / MONTH;
  let [cold, onDemand] = [0, 0];
  for (const { kept, share } of leastByTime(model)) {
    cold += share * coldShare({ rate, service: duration, idle: IDLE_SECONDS, kept });
    onDemand += share * (kept === 0 ? 1 : erlangB(rate * duration, kept));
  }
  return { cold, onDemand };
}

/** What instances cost that are kept warm. */
export const warmCost = (model: Model): Dollars => ({
  provisioned:
    ((leastInstances(model) * model.memory) / 1024) * MONTH * PRICES.provisioned.kept[model.architecture],
});

const WEEK = 7 * 24 * 60;

/** Instances that are kept warm at least, in the windows of a week's schedule and outside of them. */
function leastByTime({ concurrency }: Model): readonly { readonly kept: number; readonly share: number }[] {
  if (concurrency?.provisioned === undefined) return [{ kept: 0, share: 1 }];
  const windows = concurrency.schedule.map(({ days, from, min, to }) => ({
    kept: min,
    share: ((to - from) * days.length) / WEEK,
  }));
  const outside = Math.max(0, 1 - windows.reduce((sum, { share }) => sum + share, 0));
  return [{ kept: concurrency.provisioned.min, share: outside }, ...windows];
}

/** The same on average. */
export const leastInstances = (model: Model): number =>
  leastByTime(model).reduce((sum, { kept, share }) => sum + kept * share, 0);
