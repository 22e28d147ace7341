import { DescribeAlarmHistoryCommand, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { finding, type RunCheck } from '../check.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

/** Seconds that the alarm has for its first state. */
const PATIENCE = 600;

export const releaseAlarm: RunCheck = {
  name: 'release-alarm',
  bullet: 'what the alarm of a release makes of metric math',
  says: 'FILL takes the place of points that are missing; an alarm is INSUFFICIENT_DATA until it has enough of them.',
  page: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html',
  minutes: 15,
  use: {},
  run: async ({ name, clients: { cloudWatch }, signal }) => {
    const AlarmName = `${functionOf(name)}-${ALARMS.release}`;
    const alarm = await until(
      `${AlarmName} has a state`,
      { patience: PATIENCE, every: 5, signal },
      async () => {
        const { MetricAlarms: [one] = [] } = await cloudWatch.send(
          new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }),
        );
        return one?.StateValue === undefined || one.StateValue === 'INSUFFICIENT_DATA' ? undefined : one;
      },
    );
    const { AlarmHistoryItems = [] } = await cloudWatch.send(
      new DescribeAlarmHistoryCommand({
        AlarmName,
        HistoryItemType: 'StateUpdate',
        ScanBy: 'TimestampAscending',
      }),
    );
    const made = alarm.AlarmConfigurationUpdatedTimestamp?.getTime() ?? Number.NaN;
    const states = AlarmHistoryItems.map(
      ({ HistorySummary = '', Timestamp }) =>
        `${HistorySummary.replace(/^Alarm updated /, '')} after ${(((Timestamp?.getTime() ?? Number.NaN) - made) / 1000).toFixed(0)} s`,
    );
    const rang = AlarmHistoryItems.some(({ HistorySummary = '' }) => /to ALARM/.test(HistorySummary));
    return finding(
      alarm.StateValue === 'OK' && !rang,
      `Since the alarm was made it went ${states.join(', ') || 'through no change that its history has'}; it is ${alarm.StateValue} now.`,
    );
  },
};
