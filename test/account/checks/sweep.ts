import { GetScheduleCommand } from '@aws-sdk/client-scheduler';
import { METRICS } from '../../../core/metrics/contract.ts';
import { SWEEP_EVERY, WORKER_METRICS } from '../../../core/release/document/worker-contract.ts';
import { finding, type RunCheck } from '../check.ts';
import { minutesOf } from '../metrics.ts';
import { functionOf, stackOf } from '../names.ts';
import { resourcesOf } from '../stacks.ts';
import { until } from '../wait.ts';

/** Seconds by which a run may be late: the alarm on its absence looks back over two. */
const LATE = 120;

export const sweep: RunCheck = {
  name: 'sweep',
  bullet: 'the sweep: that EventBridge Scheduler runs',
  says: 'A schedule with a rate and no start date begins when it is made; a target is invoked within 60 s of its time.',
  page: 'https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html',
  minutes: 25,
  use: { metricRead: 200 },
  run: async ({ name, clients, signal }) => {
    const found = (await resourcesOf(clients, stackOf(name))).filter(({ type }) =>
      type.startsWith('AWS::Scheduler::'),
    );
    const physical = (type: string): string | undefined => found.find((one) => one.type === type)?.physical;
    const { CreationDate } = await clients.scheduler.send(
      new GetScheduleCommand({
        GroupName: physical('AWS::Scheduler::ScheduleGroup'),
        Name: physical('AWS::Scheduler::Schedule')?.split(/[|/]/).at(-1),
      }),
    );
    const made = CreationDate?.getTime() ?? Number.NaN;
    // A request of CloudFormation counts as an earlier one: what is counted from here on are the sweeps’ own.
    const from = new Date(Math.floor(made / 60_000) * 60_000);
    const looks = await until('two sweeps', { patience: SWEEP_EVERY + 480, every: 15, signal }, async () => {
      const minutes = await minutesOf(
        clients,
        {
          namespace: METRICS.namespace,
          name: WORKER_METRICS.swept,
          dimensions: { [METRICS.model]: functionOf(name) },
        },
        from,
        new Date(Date.now() + 60_000),
      );
      const at = minutes.filter(({ sum }) => sum > 0).map((minute) => (minute.at.getTime() - made) / 1000);
      return at.some((seconds) => seconds > SWEEP_EVERY / 2) ? at : undefined;
    });
    const [first = Number.NaN] = looks;
    const second = looks.find((seconds) => seconds > SWEEP_EVERY / 2) ?? Number.NaN;
    return finding(
      first <= LATE && Math.abs(second - SWEEP_EVERY) <= LATE,
      `By the minute in which it was counted, the first sweep ran ${range(first)} after its schedule was made, the next one ${range(second)}; it is set to every ${SWEEP_EVERY} s.`,
    );
  },
};

/** A minute's count was written within it. */
const range = (seconds: number): string =>
  `${Math.max(0, seconds).toFixed(0)} to ${(seconds + 60).toFixed(0)} s`;
