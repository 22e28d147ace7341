import { SWEEP_EVERY } from '../../../core/release/document/worker-contract.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { auditBytes } from './audit.ts';
import { classSignals, nativeSignals } from './drift/functions.ts';
import type { Host } from './host.ts';
import { PRICES } from './prices.ts';
import { allAlarms, type KnownFacts } from './watch/alerts.ts';
import { lineBytes, metricCount, signalsOf } from './watch/metrics.ts';

/** A month, as on AWS's price pages: 30 days. */
const MONTH = 30 * 86_400;

/** Bytes of log a request: Lambda's START, END and REPORT lines; and what CloudWatch adds to each of four, 26. */
const LOG_BYTES = 400;

/** Packages that the framework keeps of each function: the five last ones. */
const PACKAGES_KEPT = 5;

/** What one model costs a month, in dollars by cause. */
export type Cost = {
  readonly requests: number;
  readonly compute: number;
  readonly http: number;
  readonly logs: number;
  /** Custom metrics of the endpoint. */
  readonly metrics: number;
};

/** What one model costs a month without a single request, in dollars by cause. */
export type StandingCost = {
  readonly alarms: number;
  /** The count of the sweeps that looked at it, which its alarm misses. */
  readonly sweep: number;
  /** At the least: scaling may keep more instances warm, and a release keeps those of two versions. */
  readonly provisioned: number;
  /** Lambda asks the queue of batch for objects all the time. */
  readonly queue: number;
};

/**
 * Requests a month to a queue that is empty: five pollers, each of which waits for 20 seconds at most:
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const POLLS = (5 * MONTH) / 20;

export const total = (cost: Readonly<Record<string, number>>): number =>
  Object.values(cost).reduce((sum, amount) => sum + amount, 0);

/**
 * @param traffic requests a second, on average
 * @param duration seconds that a request is billed for
 */
export function monthlyCost(model: Model, facts: Facts, traffic: number, duration: number): Cost {
  const requests = traffic * MONTH;
  const seconds = requests * duration;
  const remote = facts.remote.reduce((sum, { bytes }) => sum + bytes, 0) / 1024 ** 3;
  const prices = model.concurrency?.provisioned === undefined ? PRICES.gbSecond : PRICES.provisioned.gbSecond;
  const signals = signalsOf(facts.graph ?? facts.signature);
  const counted = metricCount(signals, model.latency !== undefined) + driftMetrics(facts.drift);
  const drift = (model.drift?.sample ?? 1) * driftBytes(facts.drift);
  const bytes = LOG_BYTES + lineBytes(signals) + drift + auditBytes(model, facts.signature);
  const logs = (requests * bytes) / 1024 ** 3;
  return {
    requests: requests * PRICES.request,
    compute: seconds * ((model.memory / 1024) * prices[model.architecture] + remote * PRICES.storageGbSecond),
    http: model.http === undefined ? 0 : requests * PRICES.httpRequest,
    logs: logs * (PRICES.logGb + PRICES.logStoredGb),
    metrics: counted * PRICES.metric * Math.min(1, traffic * 3600),
  };
}

/** Two sums a natively watched signal, of inputs two counts and of outputs one, and the monitor's three, or four with classes. */
const driftMetrics = (drift: Facts['drift']): number =>
  drift === undefined
    ? 0
    : 2 * nativeSignals(drift).length +
      (nativeSignals(drift).some(({ of }) => of === 'input') ? 2 : 0) +
      (nativeSignals(drift).some(({ of }) => of === 'output') ? 1 : 0) +
      (classSignals(drift).length > 0 ? 4 : 3);

/** Of the line that the monitor counts: digest and names around two sums and a cell a signal; native sums once more as metrics, and what they are over. */
export function driftBytes(drift: Facts['drift']): number {
  if (drift === undefined) return 0;
  const native = nativeSignals(drift);
  const sides = new Set(native.map(({ of }) => of)).size;
  return 130 + 15 * drift.signals.length + 125 * native.length + 100 * sides;
}

export function standingCost(model: Model, host: Host, facts: KnownFacts = new Map()): StandingCost {
  const metrics = allAlarms(model, host, facts).reduce((sum, alarm) => sum + alarm.metrics, 0);
  const gigabytes = (leastInstances(model) * model.memory) / 1024;
  return {
    alarms: metrics * PRICES.alarmMetric,
    sweep: PRICES.metric,
    provisioned: gigabytes * MONTH * PRICES.provisioned.kept[model.architecture],
    queue: model.batch === undefined ? 0 : POLLS * PRICES.queueRequest,
  };
}

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

/** GB-seconds of a sweep: a second at most for some models, of half a GB. */
const SWEEP = 0.5;

/** Dollars a month of a service's sweeps, beside the metric of each model. */
export const sweepCost = (): number =>
  (MONTH / SWEEP_EVERY) * (PRICES.scheduled + PRICES.request + SWEEP * PRICES.gbSecond.x86_64);

/** Dollars a month without a single request: packages, layers and files in S3. Functions, aliases, routes, roles and topics cost nothing. */
export function idleCost(facts: Iterable<Facts>, layerBytes: number): number {
  let bytes = layerBytes;
  for (const { zipBytes, remote } of facts) {
    bytes += zipBytes * PACKAGES_KEPT + remote.reduce((sum, file) => sum + file.bytes, 0);
  }
  return (bytes / 1024 ** 3) * PRICES.s3Gb;
}
