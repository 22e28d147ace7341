import {
  SWEEP_EVERY,
  UNATTENDED,
  WORKER_METRICS as WORKER,
} from '../../../../core/release/document/worker-contract.ts';
import type { AlarmKind } from '../../contracts/alarm.ts';
import { SWEEP } from '../../declaration/naming.ts';
import { ownMetric } from '../watch/measures.ts';

/** Ticks in half an hour. */
const UNREADABLE = 3;

/** Sweeps in the time that the alarm of a release looks back. */
const SWEEPS = 2;

export const RELEASE_ALARMS: readonly AlarmKind[] = [
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
        failed: ownMetric(name, WORKER.failed),
        held: ownMetric(name, WORKER.held),
        unreadable: ownMetric(name, WORKER.unreadable),
        unattended: ownMetric(name, WORKER.unattended),
        swept: ownMetric(name, WORKER.swept),
      },
      // A sweep that is missing is filled with 0, not left missing: CloudWatch would look back for older
      // ones, for hours.
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
      expression: `IF(FILL(swept, 0) < 1 OR FILL(failed, 0) + FILL(held, 0) + FILL(unattended, 0) > 0 OR FILL(unreadable, 0) >= ${UNREADABLE}, 1, 0)`,
      above: 0,
      // What waits is ticked every ten minutes: three ticks fit, and between two the alarm stays on, or each
      // would call somebody anew. The window slides minute by minute, and two sweeps fit.
      period: SWEEPS * SWEEP_EVERY,
      periods: 1,
      of: 1,
      lives: { from: SWEEP },
    }),
  },
];
