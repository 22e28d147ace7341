import type { Facts, Model } from '../model.ts';
import { PRICES } from './prices.ts';

/** A month, as on AWS's price pages: 30 days. */
const MONTH = 30 * 86_400;

/** Bytes of log a request: Lambda's START, END and REPORT lines and one of ours. */
const LOG_BYTES = 900;

/** Packages that the framework keeps of each function: the five last ones. */
const PACKAGES_KEPT = 5;

/** What one model costs a month, in dollars by cause. */
export type Cost = {
  readonly requests: number;
  readonly compute: number;
  readonly http: number;
  readonly logs: number;
};

export const total = (cost: Cost): number => cost.requests + cost.compute + cost.http + cost.logs;

/**
 * @param traffic requests a second, on average
 * @param duration seconds that a request is billed for
 */
export function monthlyCost(model: Model, facts: Facts, traffic: number, duration: number): Cost {
  const requests = traffic * MONTH;
  const seconds = requests * duration;
  const remote = facts.remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 3;
  const logs = (requests * LOG_BYTES) / 1024 ** 3;
  return {
    requests: requests * PRICES.request,
    compute:
      seconds *
      ((model.memory / 1024) * PRICES.gbSecond[model.architecture] + remote * PRICES.storageGbSecond),
    http: model.http === undefined ? 0 : requests * PRICES.httpRequest,
    logs: logs * (PRICES.logGb + PRICES.logStoredGb),
  };
}

/** Dollars a month without a single request: packages, layers and files in S3. Functions, aliases, routes and roles cost nothing. */
export function idleCost(facts: Iterable<Facts>, layerBytes: number): number {
  let bytes = layerBytes;
  for (const { zipBytes, remote } of facts) {
    bytes += zipBytes * PACKAGES_KEPT + remote.reduce((sum, file) => sum + file.bytes, 0);
  }
  return (bytes / 1024 ** 3) * PRICES.s3Gb;
}
