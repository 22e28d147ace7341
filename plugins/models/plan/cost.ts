import { initSeconds } from '../../../core/capacity/environments/init.ts';
import { MONITOR_EVERY } from '../../../core/drift/contract.ts';
import { SWEEP_EVERY } from '../../../core/release/document/worker-contract.ts';
import type { Dollars, Fold, Use } from '../contracts/feature.ts';
import type { Host } from '../contracts/host.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { drifting } from './drift/monitor.ts';
import { FEATURES } from './features.ts';
import { foldOf } from './fold.ts';
import { MONTH, PRICES } from './shared/prices.ts';

/** What models cost, as far as their features say. */

/** Packages that the framework keeps of each function: the five last ones. */
const PACKAGES_KEPT = 5;

/** Versions that the release worker keeps, with their images. */
const VERSIONS_KEPT = 5;

/** What one model costs a month, in dollars by cause; a feature may add causes of its own. */
export type Cost = Dollars & {
  readonly requests: number;
  readonly compute: number;
  /** The INIT phase of those that start an instance, which Lambda bills. */
  readonly coldStarts: number;
  readonly http: number;
  readonly logs: number;
  /** Custom metrics of the endpoint. */
  readonly metrics: number;
};

/** What one model costs a month without a single request, in dollars by cause. */
export type StandingCost = Dollars & {
  readonly alarms: number;
  /** The count of the sweeps that looked at it, which its alarm misses. */
  readonly sweep: number;
  /** The least: scaling may keep more instances warm, and a release keeps those of two versions. */
  readonly provisioned: number;
  /** Lambda asks the queue of batch for objects all the time. */
  readonly queue: number;
};

export const total = (cost: Dollars): number => Object.values(cost).reduce((sum, amount) => sum + amount, 0);

const added = <T extends Dollars>(start: T, more: readonly Dollars[]): T => {
  const sum: Record<string, number> = { ...start };
  for (const each of more)
    for (const [cause, amount] of Object.entries(each)) sum[cause] = (sum[cause] ?? 0) + amount;
  return sum as T;
};

/**
 * @param traffic requests a second, on average
 * @param duration seconds that a request takes, on average
 * @param init seconds of INIT that a cold start is billed for beside that
 */
export function monthlyCost(
  model: Model,
  facts: Facts,
  traffic: number,
  duration: number,
  init = assumedInit(facts),
): Cost {
  const use: Use = { requests: traffic * MONTH, duration, init };
  return added<Cost>(
    { requests: 0, compute: 0, coldStarts: 0, http: 0, logs: 0, metrics: 0 },
    FEATURES.map(({ monthly }) => monthly?.(model, facts, use) ?? {}),
  );
}

/** Seconds of INIT where nobody has measured it. */
export const assumedInit = ({ remote }: Facts): number =>
  initSeconds(remote.reduce((sum, { bytes }) => sum + bytes, 0));

export function standingCost(
  model: Model,
  host: Host,
  known: Parameters<typeof foldOf>[2] = new Map(),
): StandingCost {
  const fold: Fold = foldOf(FEATURES, host, known);
  return added<StandingCost>(
    { alarms: 0, sweep: 0, provisioned: 0, queue: 0 },
    FEATURES.map(({ standing }) => standing?.(model, host, fold) ?? {}),
  );
}

/** GB-seconds of a sweep: a second at most for some models, of half a GB. */
const SWEEP = 0.5;

/** Dollars a month of a service's sweeps, beside the metric of each model. */
export const sweepCost = (): number =>
  (MONTH / SWEEP_EVERY) * (PRICES.scheduled + PRICES.request + SWEEP * PRICES.gbSecond.x86_64);

/** GB-seconds of a run of the monitor: a second, since most find no window that has ended. */
const MONITOR = 1;

/**
 * Dollars a month of the runs of a service's monitor of drift, beside its metrics, which are each model's. A
 * rule of EventBridge with a rate costs nothing.
 */
export const monitorCost = (models: readonly Model[]): number =>
  drifting(models).length === 0
    ? 0
    : (MONTH / MONITOR_EVERY) * (PRICES.request + MONITOR * PRICES.gbSecond.x86_64);

/**
 * Dollars a month without a single request: packages, layers and files in S3. Functions, aliases, routes,
 * roles and topics cost nothing.
 */
export function idleCost(facts: Iterable<Facts>, layerBytes: number): number {
  let bytes = layerBytes;
  for (const { zipBytes, remote, image } of facts) {
    if (image === undefined)
      bytes += zipBytes * PACKAGES_KEPT + remote.reduce((sum, file) => sum + file.bytes, 0);
  }
  return (bytes / 1024 ** 3) * PRICES.s3Gb;
}

/**
 * Dollars a month of images at ECR, without a request and without their bases, whose size nobody knows here:
 * of each model the layer that is its own, in as many versions as are kept, and below it what models share.
 */
export function imagesCost(facts: Iterable<Facts>): number {
  const shared = new Map<string, number>();
  let bytes = 0;
  for (const { image } of facts) {
    const own = image?.layers.at(-1);
    bytes += (own?.bytes ?? 0) * VERSIONS_KEPT;
    for (const layer of image?.layers.slice(0, -1) ?? []) shared.set(layer.diffId, layer.bytes);
  }
  for (const each of shared.values()) bytes += each;
  return (bytes / 1024 ** 3) * PRICES.ecrGb;
}
