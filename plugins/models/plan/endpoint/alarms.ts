import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { AlarmKind } from '../../contracts/alarm.ts';
import type { Model } from '../../declaration/model.ts';
import { ofAlias, ofFunction, ownMetric } from '../watch/measures.ts';

/** Crashes in a minute below which half of all may be a single client's doing. */
const FEW_CRASHES = 3;

/**
 * Percent of requests. It is nervous on purpose: it only asks, the reversed canary answers (docs/alarms.md).
 */
const ERRORS = 1;

/** Requests in five minutes below which 5 % are fewer than one request. */
const FEW_REQUESTS = 20;

/**
 * Percent of requests. Instances that keep a promise (`sls models plan --capacity`, 0.1 %) leave a few
 * without one in each minute of busy traffic.
 */
const SPILLED = 1;

/** The slow edge that is the objective itself. */
const [, , SLOWER] = OWN.slow;

/**
 * Minutes in which an alarm cannot see a timeout yet. Lambda counts a crash of the minute in which the
 * request began, when it has ended: a timeout of five minutes is never to be seen in the last one.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
 */
const late = ({ timeout }: Model): number => (timeout > 60 ? Math.ceil(timeout / 60) : 0);

export const ENDPOINT_ALARMS: readonly AlarmKind[] = [
  {
    suffix: 'crashes',
    when: () => `more than half of a minute’s invocations crash, and at least ${FEW_CRASHES}`,
    what: 'The model crashes, runs into its timeout or its memory limit, or does not start',
    advice:
      'Within the rollback window the last good version comes back by itself; else roll back. Then read the function’s log.',
    alone: 'No version comes back by itself: roll back. Then read the function’s log.',
    rollsBack: true,
    watch: (model, name) => ({
      metrics: { crashes: ofAlias(name, 'Errors'), invocations: ofAlias(name, 'Invocations') },
      expression: `IF(crashes >= ${FEW_CRASHES} AND crashes > 0.5 * invocations, 1, 0)`,
      above: 0,
      period: 60,
      periods: 1,
      of: 1 + late(model),
    }),
  },
  {
    suffix: 'errors',
    when: (_, of = 5) => `more than ${ERRORS} % of a minute’s requests fail, in 3 of ${of} minutes`,
    what: 'The model fails at requests, by crash or by answer',
    advice:
      'Within the rollback window half of the traffic shows whether the last good version does better. Read the function’s log for what fails.',
    alone: 'No version comes back by itself. Read the function’s log for what fails.',
    rollsBack: true,
    watch: (model, name) => ({
      metrics: {
        crashes: ofAlias(name, 'Errors'),
        errors: ownMetric(name, OWN.errors),
        invocations: ofAlias(name, 'Invocations'),
      },
      // What crashes cannot count itself, what is handled is no error of Lambda's: the two never meet.
      expression: '100 * (FILL(crashes, 0) + FILL(errors, 0)) / invocations',
      above: ERRORS,
      period: 60,
      periods: 3,
      // No longer than a release leaves alarms alone that began before it (`LINGERS_MS`).
      of: Math.max(5, 3 + late(model)),
    }),
  },
  {
    suffix: 'latency',
    when: (p95) =>
      `of at least ${FEW_REQUESTS} requests in five minutes more than 5 % take longer than ${p95} ms, in 2 of 3`,
    what: 'The model misses its latency objective',
    advice:
      'Within the rollback window half of the traffic shows whether the last good version is faster. Look for larger inputs, then for memory.',
    alone: 'No version comes back by itself. Look for larger inputs, then for memory.',
    rollsBack: true,
    watch: ({ latency }, name) =>
      latency && {
        metrics: { slow: ownMetric(name, SLOWER), requests: ownMetric(name, OWN.requests) },
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
    when: () => 'over 90 % of the provisioned instances, two or more, are in use on average, for 10 minutes',
    what: 'Provisioned concurrency is used up, and scaling has had its time',
    advice: 'Raise `concurrency.provisioned.max`, or add a `schedule` for these hours.',
    rollsBack: false,
    watch: ({ concurrency }, name) =>
      concurrency?.provisioned && {
        metrics: {
          // Its average, as scaling looks at it: at some moment of most minutes all of a few are in use.
          use: ofFunction(name, 'ProvisionedConcurrencyUtilization', 'Average'),
          instances: ofFunction(name, 'ProvisionedConcurrentExecutions', 'Maximum'),
        },
        // Any request uses all of one.
        expression: 'IF(instances > 1, use, 0)',
        above: 0.9,
        period: 60,
        periods: 10,
        of: 10,
      },
  },
  {
    suffix: 'spillover',
    when: () =>
      `more than ${SPILLED} % of a minute’s requests find no provisioned instance, in 3 of 5 minutes`,
    what: 'Requests spill over to instances that start cold',
    advice: 'Raise `concurrency.provisioned.min`, or add a `schedule` that begins before the rush.',
    rollsBack: false,
    watch: ({ concurrency }, name) =>
      concurrency?.provisioned && {
        metrics: {
          spilled: ofFunction(name, 'ProvisionedConcurrencySpilloverInvocations', 'Sum'),
          invocations: ofAlias(name, 'Invocations'),
        },
        expression: '100 * spilled / invocations',
        above: SPILLED,
        period: 60,
        periods: 3,
        of: 5,
      },
  },
];
