import { SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { aliasOf } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

/** Seconds until the version from before has its half of the traffic: its gate is asked first. */
const PATIENCE = 600;

export const alarmWay: RunCheck = {
  name: 'alarm-way',
  bullet: 'the way from an alarm over the topic to the release worker',
  says: 'SetAlarmState performs the alarm’s actions; CloudWatch publishes to the topic that its policy opens, and SNS invokes the function.',
  page: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html',
  minutes: 30,
  use: { notification: 10, lambdaRequest: 50, lambdaGbSecond: 200 },
  run: async ({ name, clients, ensure, signal }) => {
    await ensure({ version: 2 });
    const functionName = functionOf(name);
    const before = await aliasOf(clients, functionName);
    const since = Date.now();
    await clients.cloudWatch.send(
      new SetAlarmStateCommand({
        AlarmName: `${functionName}-${ALARMS.errors}`,
        StateValue: 'ALARM',
        StateReason: 'npm run account: the way to the release worker',
      }),
    );
    const tried = await until(
      'the version from before gets traffic',
      { patience: PATIENCE, every: 1, signal },
      async () => {
        const { version, others } = await aliasOf(clients, functionName);
        const [other] = Object.entries(others);
        return version === before.version && other !== undefined ? { other, at: Date.now() } : undefined;
      },
    );
    const [version, weight] = tried.other;
    return finding(
      weight === 0.5,
      `${((tried.at - since) / 1000).toFixed(0)} s after the alarm was set, version ${version} had ${weight * 100} % of the traffic beside version ${before.version}.`,
    );
  },
};
