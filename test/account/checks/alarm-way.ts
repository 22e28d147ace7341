import { aliasOf, ask } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { functionOf } from '../names.ts';
import { DEPLOY } from '../prices.ts';
import type { Known } from '../scene.ts';
import { steadily } from '../steadily.ts';
import { until } from '../wait.ts';

/** Seconds until the version from before has its half: minutes of errors, an alarm, and a gate. */
const PATIENCE = 1200;
/** Milliseconds between two requests. */
const APART = 500;

export const alarmWay: RunCheck = {
  name: 'alarm-way',
  bullet: 'the way from an alarm over the topic to the release worker',
  says: 'CloudWatch publishes an alarm’s change to the topic that its policy opens, and SNS invokes the function that subscribes to it.',
  page: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html',
  minutes: 45,
  use: {
    ...DEPLOY,
    ...{ notification: 10, lambdaRequest: (PATIENCE * 1000) / APART, lambdaGbSecond: 3000, logGb: 0.01 },
  },
  run: async ({ name, clients, known, ensure, signal }) => {
    await ensure({ version: 2 });
    await ensure({ version: 5 });
    const functionName = functionOf(name);
    const before = await aliasOf(clients, functionName);
    const request = bornElsewhere(known.request);
    const since = Date.now();
    let failures = 0;
    const traffic = steadily(APART, signal, async () => {
      const { outputs } = await ask(clients, functionName, 'live', request);
      if (outputs === undefined) failures += 1;
    });
    try {
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
        weight === 0.5 && failures > 0,
        `${((tried.at - since) / 1000).toFixed(0)} s after version ${before.version} began to fail, version ${version} had ${weight * 100} % of the traffic beside it; ${failures} requests had failed by then${traffic.lost() > 0 ? `, and ${traffic.lost()} got no answer of Lambda’s` : ''}. The rollback’s end was not waited for.`,
      );
    } finally {
      await traffic.stop();
    }
  },
};

/** The same people, of whom version 5 knows nothing. */
const bornElsewhere = ({ inputs }: Known['request']): Known['request'] => ({
  inputs: inputs.map((input) =>
    input.name === 'NATIVITY' ? { ...input, data: input.data.map(() => 2) } : input,
  ),
});
