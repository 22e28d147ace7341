import type { Dollars, Use } from '../../contracts/feature.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { logCost, MONTH, metricCost, PRICES } from '../shared/prices.ts';
import { lineBytes, metricCount, signalsOf } from '../watch/metrics.ts';

/**
 * Bytes of log a request: Lambda's START, END and REPORT lines; and what CloudWatch adds to each of four, 26.
 */
const LOG_BYTES = 400;

/** What a model's requests cost by themselves. */
export function requestCost(model: Model, facts: Facts, { requests, duration }: Use): Dollars {
  const remote = facts.remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 3;
  const prices = model.concurrency?.provisioned === undefined ? PRICES.gbSecond : PRICES.provisioned.gbSecond;
  const signals = signalsOf(facts.graph ?? facts.signature);
  return {
    requests: requests * PRICES.request,
    compute:
      requests *
      duration *
      ((model.memory / 1024) * prices[model.architecture] + remote * PRICES.storageGbSecond),
    http: model.http === undefined ? 0 : requests * PRICES.httpRequest,
    logs: logCost(requests, LOG_BYTES + lineBytes(signals)),
    metrics: metricCost(metricCount(signals, model.latency !== undefined), requests),
  };
}

/** What instances cost that are kept warm. */
export const warmCost = (model: Model): Dollars => ({
  provisioned:
    ((leastInstances(model) * model.memory) / 1024) * MONTH * PRICES.provisioned.kept[model.architecture],
});

const WEEK = 7 * 24 * 60;

/** Instances that are kept warm at least, on average over a week's schedule. */
export function leastInstances({ concurrency }: Model): number {
  if (concurrency?.provisioned === undefined) return 0;
  const { min } = concurrency.provisioned;
  return concurrency.schedule.reduce(
    (average, window) =>
      average + ((window.min - min) * (window.to - window.from) * window.days.length) / WEEK,
    min,
  );
}
