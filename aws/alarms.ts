import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { AlarmPort } from '../core/ports/aws.ts';

/**
 * Names in one request:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
 */
const NAMES = 100;

/** CloudWatch's metric alarms. */
export function cloudWatchAlarms(client: CloudWatchClient): AlarmPort {
  return {
    states: async (names) => {
      const found = new Map<
        string,
        { readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; readonly since: number }
      >();
      // Without a name CloudWatch would tell of every alarm of the account: then nothing is asked.
      for (let first = 0; first < names.length; first += NAMES) {
        const { MetricAlarms } = await client.send(
          new DescribeAlarmsCommand({
            AlarmNames: names.slice(first, first + NAMES),
            AlarmTypes: ['MetricAlarm'],
            MaxRecords: NAMES,
          }),
        );
        for (const { AlarmName, StateValue, StateTransitionedTimestamp } of MetricAlarms ?? [])
          if (AlarmName !== undefined && StateValue !== undefined)
            // Not StateUpdatedTimestamp, which moves with every change of EvaluationState, too:
            // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
            // Where it is not told, the alarm counts as older than any release.
            found.set(AlarmName, {
              state: StateValue,
              since: StateTransitionedTimestamp?.getTime() ?? 0,
            });
      }
      return found;
    },
  };
}
