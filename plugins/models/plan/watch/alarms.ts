import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import { staged } from '../../../../core/release/command-text.ts';
import {
  ALARMS,
  SWEEP_EVERY,
  UNATTENDED,
  METRICS as WORKER,
} from '../../../../core/release/document/worker-contract.ts';
import type { Model } from '../../declaration/model.ts';
import { ALIAS, alarmLogicalId, alarmName, SWEEP } from '../../declaration/naming.ts';
import { nameOf } from '../../targets/lambda-zip/endpoint.ts';
import { BATCH_ALARMS } from '../batch/alarms.ts';
import type { Json, Resource } from '../cloudformation.ts';
import type { Host } from '../host.ts';
import type { AlarmKind, Metric, Watch } from './kinds.ts';

/** What the alias was asked, whichever version answered: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
const ofAlias = (functionName: string, name: string): Metric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName, Resource: `${functionName}:${ALIAS}` },
  stat: 'Sum',
});

/** Of the function: provisioned concurrency is on versions, and which one is live the template does not know. */
const ofFunction = (functionName: string, name: string, stat: Metric['stat']): Metric => ({
  namespace: 'AWS/Lambda',
  name,
  dimensions: { FunctionName: functionName },
  stat,
});

const own = (functionName: string, name: string): Metric => ({
  namespace: OWN.namespace,
  name,
  dimensions: { [OWN.model]: functionName },
  stat: 'Sum',
});

/** Crashes in a minute below which half of all may be a single client's doing. */
const FEW_CRASHES = 3;

/** Percent of requests. It is nervous on purpose: it only asks, the reversed canary answers (docs/alarms.md). */
const ERRORS = 1;

/** Requests in five minutes below which 5 % are fewer than one request. */
const FEW_REQUESTS = 20;

/** Ticks in half an hour. */
const UNREADABLE = 3;

/** Sweeps in the time that the alarm of a release looks back. */
const SWEEPS = 2;

export const ALARM_KINDS: readonly AlarmKind[] = [
  {
    suffix: 'crashes',
    when: () => `more than half of a minute’s invocations crash, and at least ${FEW_CRASHES}`,
    what: 'The model crashes, runs into its timeout or its memory limit, or does not start',
    advice:
      'Within the rollback window the last good version comes back by itself; else roll back. Then read the function’s log.',
    rollsBack: true,
    watch: (_, name) => ({
      metrics: { crashes: ofAlias(name, 'Errors'), invocations: ofAlias(name, 'Invocations') },
      expression: `IF(crashes >= ${FEW_CRASHES} AND crashes > 0.5 * invocations, 1, 0)`,
      above: 0,
      period: 60,
      periods: 1,
      of: 1,
    }),
  },
  {
    suffix: 'errors',
    when: () => `more than ${ERRORS} % of a minute’s requests fail, in 3 of 5 minutes`,
    what: 'The model fails at requests, by crash or by answer',
    advice:
      'Within the rollback window half of the traffic shows whether the last good version does better. Read the function’s log for what fails.',
    rollsBack: true,
    watch: (_, name) => ({
      metrics: {
        crashes: ofAlias(name, 'Errors'),
        errors: own(name, OWN.errors),
        invocations: ofAlias(name, 'Invocations'),
      },
      // What crashes cannot count itself, what is handled is no error of Lambda's: the two never meet.
      expression: '100 * (FILL(crashes, 0) + FILL(errors, 0)) / invocations',
      above: ERRORS,
      period: 60,
      periods: 3,
      of: 5,
    }),
  },
  {
    suffix: 'latency',
    when: (p95) =>
      `of at least ${FEW_REQUESTS} requests in five minutes more than 5 % take longer than ${p95} ms, in 2 of 3`,
    what: 'The model misses its latency objective',
    advice:
      'Within the rollback window half of the traffic shows whether the last good version is faster. Look for larger inputs, then for memory.',
    rollsBack: true,
    watch: ({ latency }, name) =>
      latency && {
        metrics: { slow: own(name, SLOWER), requests: own(name, OWN.requests) },
        // A count, as the judge's: shares of requests add up over instances and minutes, percentiles do not.
        expression: `IF(requests >= ${FEW_REQUESTS}, 100 * FILL(slow, 0) / requests, 0)`,
        above: 5,
        period: 300,
        periods: 2,
        of: 3,
      },
  },
  {
    suffix: 'throttles',
    when: () => 'requests are throttled, in 3 of 5 minutes',
    what: 'Lambda turns requests away: the function has as many instances as it may have',
    advice: 'Raise `concurrency.reserved`, or have the account’s limit raised; else make the model faster.',
    rollsBack: false,
    watch: (_, name) => ({
      metrics: { throttles: ofAlias(name, 'Throttles') },
      above: 0,
      period: 60,
      periods: 3,
      of: 5,
    }),
  },
  {
    suffix: 'provisioned',
    when: () => 'over 90 % of the provisioned instances are in use, for 10 minutes',
    what: 'Provisioned concurrency is used up, and scaling has had its time',
    advice: 'Raise `concurrency.provisioned.max`, or add a `schedule` for these hours.',
    rollsBack: false,
    watch: ({ concurrency }, name) =>
      concurrency?.provisioned && {
        metrics: { use: ofFunction(name, 'ProvisionedConcurrencyUtilization', 'Maximum') },
        above: 0.9,
        period: 60,
        periods: 10,
        of: 10,
      },
  },
  {
    suffix: 'spillover',
    when: () => 'requests find no provisioned instance, in 3 of 5 minutes',
    what: 'Requests spill over to instances that start cold',
    advice: 'Raise `concurrency.provisioned.min`, or add a `schedule` that begins before the rush.',
    rollsBack: false,
    watch: ({ concurrency }, name) =>
      concurrency?.provisioned && {
        metrics: { spilled: ofFunction(name, 'ProvisionedConcurrencySpilloverInvocations', 'Sum') },
        above: 0,
        period: 60,
        periods: 3,
        of: 5,
      },
  },
  {
    suffix: 'release',
    when: () =>
      `a release fails or is held, or cannot read or change what it needs ${UNREADABLE} times in half an hour; weights stand that nobody has looked at for ${UNATTENDED / 60} minutes; the release worker’s sweep stays away for ${(SWEEPS * SWEEP_EVERY) / 60} minutes`,
    what: 'A release does not go on by itself, or nobody would see to it',
    advice:
      'Run `sls models status`: it says what happened and what to do. Where it finds nothing, read the log of models-release.',
    rollsBack: false,
    watch: (_, name) => ({
      metrics: {
        failed: own(name, WORKER.failed),
        held: own(name, WORKER.held),
        unreadable: own(name, WORKER.unreadable),
        unattended: own(name, WORKER.unattended),
        swept: own(name, WORKER.swept),
      },
      // A sweep that is missing is filled with 0, not left missing: CloudWatch would look back for older ones, for hours.
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
      expression: `IF(FILL(swept, 0) < 1 OR FILL(failed, 0) + FILL(held, 0) + FILL(unattended, 0) > 0 OR FILL(unreadable, 0) >= ${UNREADABLE}, 1, 0)`,
      above: 0,
      // What waits is ticked every ten minutes: three ticks fit, and between two the alarm stays on, or each would call
      // somebody anew. The window slides minute by minute, and two sweeps fit.
      period: SWEEPS * SWEEP_EVERY,
      periods: 1,
      of: 1,
      lives: { from: SWEEP },
    }),
  },
  ...BATCH_ALARMS,
];

/** The slow edge that is the objective itself. */
const [, , SLOWER] = OWN.slow;

export type Alarm = {
  readonly name: string;
  readonly logicalId: string;
  /** Each is billed: https://aws.amazon.com/cloudwatch/pricing/ */
  readonly metrics: number;
  readonly resource: Resource;
};

/** @param actions ARNs of topics */
export function alarmsOf(
  model: Model,
  host: Host,
  actions: readonly unknown[] = [],
): readonly (Alarm & { readonly kind: AlarmKind })[] {
  const functionName = nameOf(model, host);
  return ALARM_KINDS.flatMap((kind) => {
    const watch = kind.watch(model, functionName);
    if (watch === undefined) return [];
    const name = alarmName(functionName, ALARMS[kind.suffix]);
    return [
      {
        kind,
        name,
        logicalId: alarmLogicalId(model.name, kind.suffix),
        metrics: Object.keys(watch.metrics).length,
        resource: {
          Type: 'AWS::CloudWatch::Alarm',
          ...(watch.lives !== undefined && { DependsOn: watch.lives.from }),
          Properties: {
            AlarmName: name,
            AlarmDescription: staged(
              `${kind.what}: ${kind.when(model.latency?.p95 ?? '')}. ${kind.advice} (${model.name}, ${host.service}-${host.stage})`,
              host.stage,
            ),
            AlarmActions: actions,
            ...watched(watch),
            ComparisonOperator: 'GreaterThanThreshold',
            Threshold: watch.above,
            EvaluationPeriods: watch.of,
            DatapointsToAlarm: watch.periods,
            // No requests, no points: that is no fault.
            TreatMissingData: watch.lives === undefined ? 'notBreaching' : 'breaching',
          },
        },
      },
    ];
  });
}

function watched({ metrics, expression, period }: Watch): Json {
  const entries = Object.entries(metrics);
  if (expression !== undefined) {
    return {
      Metrics: [
        ...entries.map(([id, metric]) => ({
          Id: id,
          MetricStat: {
            Metric: {
              Namespace: metric.namespace,
              MetricName: metric.name,
              Dimensions: dimensionsOf(metric),
            },
            Period: period,
            Stat: metric.stat,
          },
          ReturnData: false,
        })),
        { Id: 'watched', Expression: expression, Label: 'watched', ReturnData: true },
      ],
    };
  }
  const [metric] = Object.values(metrics);
  return metric === undefined
    ? {}
    : {
        Namespace: metric.namespace,
        MetricName: metric.name,
        Dimensions: dimensionsOf(metric),
        Statistic: metric.stat,
        Period: period,
      };
}

const dimensionsOf = ({ dimensions }: Metric) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
