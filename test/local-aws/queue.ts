import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../local-aws/start.ts';
import { ACCOUNT } from './lambda.ts';

export type Queue = { readonly url: string; readonly arn: string };

export async function makeQueue(
  sqs: SQSClient,
  QueueName: string,
  Attributes: Readonly<Record<string, string>> = {},
): Promise<Queue> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  return { url: QueueUrl, arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${QueueName}` };
}

/** Messages that wait, that are being handled, and that are not yet due, as SQS counts them. */
export async function counts(sqs: SQSClient, queue: Queue): Promise<[number, number, number]> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
  );
  const found = new Map(Object.entries(Attributes ?? {}));
  const [waiting, handled, delayed] = ['', 'NotVisible', 'Delayed'].map((name) =>
    Number(found.get(`ApproximateNumberOfMessages${name}`)),
  );
  return [waiting ?? 0, handled ?? 0, delayed ?? 0];
}

/**
 * Receives and deletes up to `most` messages; gives up after `seconds` without one. As many as shall come are
 * waited for as long as SQS lets anybody wait.
 */
export async function receive(sqs: SQSClient, queue: Queue, most = 1, seconds = 20): Promise<Message[]> {
  const found: Message[] = [];
  while (found.length < most) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        WaitTimeSeconds: seconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    if (Messages.length === 0) break;
    for (const { ReceiptHandle } of Messages)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle }));
    found.push(...Messages);
  }
  return found;
}

/**
 * A rule on the default bus that leads what fits `pattern` into the queue, whose policy lets it in unless
 * `allowed` is false.
 */
export async function makeRule(
  aws: LocalAws,
  Name: string,
  pattern: object,
  queue: Queue,
  allowed = true,
): Promise<void> {
  const events = new EventBridgeClient(client(aws.endpoint));
  const sqs = new SQSClient(client(aws.endpoint));
  const { RuleArn = '' } = await events.send(
    new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }),
  );
  if (allowed) {
    const Statement = {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queue.arn,
      Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { Policy } }));
  }
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn: queue.arn }] }));
  for (const one of [events, sqs]) one.destroy();
}
