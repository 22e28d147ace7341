import {
  CloudWatchClient,
  type DescribeAlarmsCommandInput,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { expect, it } from 'vitest';
import { cloudWatchAlarms } from '../../../aws/alarms.ts';

/**
 * CloudWatch, of which every alarm is in ALARM since a minute of 1970: the client’s own steps stay, only the
 * wire is taken away.
 */
function alarms(told: Partial<MetricAlarm>) {
  const asked: DescribeAlarmsCommandInput[] = [];
  const client = new CloudWatchClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  client.middlewareStack.add(
    () => async (args) => {
      const input = args.input as DescribeAlarmsCommandInput;
      asked.push(input);
      const MetricAlarms = input.AlarmNames?.map((AlarmName) => ({
        AlarmName,
        StateValue: 'ALARM',
        ...told,
      }));
      return { response: {}, output: { $metadata: {}, MetricAlarms } };
    },
    { step: 'initialize', name: 'answer' },
  );
  return { port: cloudWatchAlarms(client), asked };
}

it('alarms are asked for by name, 100 at a time; for no name nothing is asked', async () => {
  const { port, asked } = alarms({
    StateTransitionedTimestamp: new Date(60_000),
    StateUpdatedTimestamp: new Date(90_000),
  });
  expect(await port.states([])).toEqual(new Map());
  expect(asked).toEqual([]);
  const names = Array.from({ length: 201 }, (_, index) => `a${index}`);
  const states = await port.states(names);
  expect(asked.map(({ AlarmNames }) => AlarmNames?.length)).toEqual([100, 100, 1]);
  expect([...states.keys()]).toEqual(names);
  expect(states.get('a200')).toEqual({ state: 'ALARM', since: 60_000 });
});

it('an alarm of which nobody knows since when is older than any release', async () => {
  const { port } = alarms({ StateUpdatedTimestamp: new Date(90_000) });
  expect((await port.states(['a'])).get('a')).toEqual({ state: 'ALARM', since: 0 });
});
