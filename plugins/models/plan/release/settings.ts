import { CASES_AT_ONCE, type GateSettings, LOAD_GRACE } from '../../../../core/gate/contract.ts';
import type { MetricSettings } from '../../../../core/quality/contract.ts';
import type { CapacitySettings, Settings } from '../../../../core/release/document/settings-contract.ts';
import { EXPECTED_SHIFT } from '../../declaration/keys/drift.ts';
import type { Concurrency, Facts, Gate, GateMetric, Model, Window } from '../../declaration/model.ts';
import { nativeSignals } from '../drift/functions.ts';
import { signalsOf } from '../watch/metrics.ts';

/**
 * What the release worker follows, from the declaration: every key in the order that is written here, so that
 * equal settings are equal texts.
 */
export function settingsOf(
  model: Model,
  facts: Pick<Facts, 'cases' | 'labelled' | 'signature' | 'graph' | 'drift'>,
): Settings {
  const { release, gate, latency, concurrency, traffic } = model;
  return {
    strategy: release.strategy,
    steps: release.steps.map(({ weight, bake }) => ({ weight, bake })),
    minRequests: release.minRequests,
    increase: release.increase,
    maxWait: release.maxWait,
    onNoData: release.onNoData,
    rollbackWindow: release.rollbackWindow,
    dryRun: release.dryRun,
    expectedShift: model.drift?.outputs.expectedShift ?? EXPECTED_SHIFT,
    ...(traffic !== undefined && { traffic }),
    ...(latency !== undefined && { p95: latency.p95 }),
    memory: model.memory,
    timeout: model.timeout,
    ...(gate !== undefined && { gate: gateSettings(gate, facts) }),
    ...(concurrency !== undefined && { capacity: capacityOf(concurrency) }),
    signals: signalsOf(facts.graph ?? facts.signature).map(({ name }) => name),
    rejected: true,
    ...(facts.drift !== undefined && { drift: nativeSignals(facts.drift).map(({ name }) => name) }),
  };
}

/** What the gate follows. */
export function gateSettings(
  { reference, tolerance, metric, load }: Gate,
  { cases, labelled }: Pick<Facts, 'cases' | 'labelled'>,
): GateSettings {
  return {
    ...(cases !== undefined && {
      cases: { sha256: cases.sha256, bytes: cases.bytes, count: cases.count },
    }),
    ...(reference !== undefined && { reference }),
    tolerance,
    ...(metric !== undefined && labelled !== undefined && { metric: metricOf(metric, labelled) }),
    ...(load !== undefined && { load: { rate: load.rate, duration: load.duration } }),
  };
}

function metricOf(
  { name, min, max, worseThanLive, onNoData }: GateMetric,
  { sha256, bytes, rows, requests, output }: NonNullable<Facts['labelled']>,
): MetricSettings {
  return {
    cases: { sha256, bytes, rows, requests },
    name,
    output,
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(worseThanLive !== undefined && { worseThanLive: worseThanLive.by }),
    ...(onNoData === 'pass' && { onNoData }),
  };
}

function capacityOf({ provisioned, reserved, schedule }: Concurrency): CapacitySettings {
  return {
    ...(provisioned !== undefined && {
      provisioned: { min: provisioned.min, max: provisioned.max, target: provisioned.target },
    }),
    ...(reserved !== undefined && { reserved }),
    schedules: schedule.map((window, index) => ({
      name: `window-${index + 1}`,
      start: cron(window.from, window.days),
      end: cron(window.to, window.days),
      timezone: window.timezone,
      min: window.min,
      max: window.max,
    })),
  };
}

/**
 * Minutes, hours, day of month, month, day of week, year:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
const cron = (minute: number, days: Window['days']): string =>
  `cron(${minute % 60} ${Math.floor(minute / 60)} ? * ${days.length === 7 ? '*' : days.join(',')} *)`;

/**
 * CloudFormation waits an hour at most:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
 */
const LONGEST = 3600;

/**
 * Provisioned concurrency takes “a minute or two” to come up, more for many instances:
 * https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
 */
const WARMING = 600;

/**
 * Seconds that CloudFormation waits for the worker's answer: gate and warming happen before it. The gate's
 * cases and requests of labelled rows may take their time limit each.
 *
 * @param standard without either
 */
export function serviceTimeout(
  model: Model,
  { cases, labelled }: Pick<Facts, 'cases' | 'labelled'>,
  standard: number,
): number {
  const { gate, concurrency, timeout } = model;
  // The live version is asked, too, where it is compared with.
  const versions = gate?.metric?.worseThanLive === undefined ? 1 : 2;
  const requests = (cases?.count ?? 0) + versions * (labelled?.requests ?? 0);
  const asking = Math.ceil(requests / CASES_AT_ONCE) * timeout;
  const load = gate?.load === undefined ? 0 : gate.load.duration + LOAD_GRACE;
  const warming = concurrency?.provisioned === undefined ? 0 : WARMING;
  return Math.min(LONGEST, Math.ceil(standard + asking + load + warming));
}
