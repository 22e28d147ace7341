import { PublishCommand } from '@aws-sdk/client-sns';
import { aliasOf } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { fieldsOf, linesOf } from '../logs.ts';
import { asideOf, newsOf } from '../names.ts';
import { until } from '../wait.ts';

const PATIENCE = 300;

export const triggers: RunCheck = {
  name: 'triggers',
  bullet: 'triggers: that each of the framework’s event kinds',
  says: 'An event source invokes the version or alias that its target names.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/using-aliases.html',
  minutes: 25,
  use: { event: 30, notification: 2, lambdaRequest: 60, lambdaGbSecond: 60 },
  run: async ({ name, account, clients, ensure, signal }) => {
    await ensure({ aside: true });
    const functionName = asideOf(name);
    const { version } = await aliasOf(clients, functionName);
    // Not before: whoever asked it directly left the same line.
    const since = Date.now();
    // A schedule asks what the model can answer; what a topic sends is no request, and is refused.
    const outcome = (wanted: string) =>
      until(`an invocation that is ${wanted}`, { patience: PATIENCE, every: 5, signal }, async () =>
        (await linesOf(clients, functionName, since))
          .map(({ text }) => fieldsOf(text))
          .find((fields) => fields.audit === 1 && fields.outcome === wanted),
      );
    const bySchedule = await outcome('answered');
    const [, partition = 'aws'] = account.arn.split(':');
    await clients.sns.send(
      new PublishCommand({
        TopicArn: `arn:${partition}:sns:${account.region}:${account.id}:${newsOf(name)}`,
        Message: 'hello',
      }),
    );
    const byTopic = await outcome('refused');
    return finding(
      bySchedule.version === version && byTopic.version === version,
      `The alias is version ${version}. A schedule reached version ${bySchedule.version} and was answered; an SNS message reached version ${byTopic.version}, and was refused, since it is no request. The other kinds were not tried.`,
    );
  },
};
