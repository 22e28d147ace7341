import { BATCH_METRICS } from '../../../../core/batch/contract.ts';
import { METRICS as OWN } from '../../../../core/metrics/contract.ts';
import type { AlarmKind, Metric } from '../../contracts/alarm.ts';
import { arn } from '../../contracts/cloudformation.ts';

/** Alarms of models with `batch`. What failed is kept, so nothing is lost while nobody looks. */

/** Seconds that an object may wait, or be tried again. */
const WAITING = 3600;

/**
 * A metric of a batch function's queue:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
const ofQueue = (queue: string, name: string): Metric => ({
  namespace: 'AWS/SQS',
  name,
  dimensions: { QueueName: queue },
  stat: 'Maximum',
});

/** @param batch what the model's endpoint is called, with `-batch` */
const failures = (batch: string): Readonly<Record<string, Metric>> => ({
  jobs: {
    namespace: OWN.namespace,
    name: BATCH_METRICS.jobsFailed,
    dimensions: { [OWN.model]: batch },
    stat: 'Sum',
  },
  others: {
    namespace: OWN.namespace,
    name: BATCH_METRICS.jobsNotOwned,
    dimensions: { [OWN.model]: batch },
    stat: 'Sum',
  },
  kept: ofQueue(`${batch}-failed`, 'ApproximateNumberOfMessagesVisible'),
  // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
  runs: {
    namespace: 'AWS/States',
    name: 'ExecutionsFailed',
    dimensions: { StateMachineArn: arn('states', `stateMachine:${batch}`) },
    stat: 'Sum',
  },
});

export const BATCH_ALARMS: readonly AlarmKind[] = [
  {
    suffix: 'batchFailed',
    when: () =>
      'an object cannot be scored, more of its rows fail than `tolerate` allows, or such are kept still; or the output belongs to another service or stage',
    what: 'Batch has failed at objects',
    advice:
      'Run `sls models batch --failed`: it lists them with their reasons, and `--redrive` sends them again once that is fixed. `sls models batch --status` tells whose the output is.',
    rollsBack: false,
    watch: ({ batch }, name) =>
      batch && {
        metrics: failures(`${name}-batch`),
        expression: 'IF(FILL(jobs, 0) + FILL(others, 0) + FILL(kept, 0) + FILL(runs, 0) > 0, 1, 0)',
        above: 0,
        period: 300,
        periods: 1,
        of: 1,
      },
  },
  {
    suffix: 'batchWaiting',
    when: () => `an object waits for more than ${WAITING / 3600} h`,
    what: 'Batch does not keep up, or tries an object again',
    advice:
      'Run `sls models batch --status`; then raise `concurrency.batch`, or look into the log of the batch function.',
    rollsBack: false,
    watch: ({ batch }, name) =>
      batch && {
        metrics: { age: ofQueue(`${name}-batch`, 'ApproximateAgeOfOldestMessage') },
        above: WAITING,
        period: 300,
        periods: 1,
        of: 1,
      },
  },
];
