import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DeleteRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { makeUser } from '../../journeys/user.ts';
import { errorName, LOGS, makeFunction, withAndWithout } from '../lambda.ts';
import { counts, makeQueue, makeRule, type Queue, receive } from '../queue.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const SPEED = 60;
const redrive = (dead: Queue, maxReceiveCount: number): Record<string, string> => ({
  VisibilityTimeout: '1',
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount }),
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
it('a rule sends to a queue only as its policy lets it', async () => {
  const { on, off } = await withAndWithout('permissions', async (aws, isOn) => {
    const sqs = new SQSClient(client(aws.endpoint));
    const events = new EventBridgeClient(client(aws.endpoint));
    const [open, closed] = [await makeQueue(sqs, 'open'), await makeQueue(sqs, 'closed')];
    const pattern = { source: ['test'] };
    await makeRule(aws, 'one', pattern, open);
    await makeRule(aws, 'two', pattern, closed, false);
    const Entries = [{ Source: 'test', DetailType: 'test', Detail: '{}' }];
    await events.send(new PutEventsCommand({ Entries }));
    const got = [(await receive(sqs, open)).length, (await receive(sqs, closed, 1, isOn ? 1 : 20)).length];
    for (const one of [sqs, events]) one.destroy();
    return got;
  });
  expect([on, off]).toEqual([
    [1, 0],
    [1, 1],
  ]);
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
it('who deletes by the handle of an earlier receive is told that it went well, and the message stays', async () => {
  const { on, off } = await withAndWithout('queues', async (aws) => {
    const sqs = new SQSClient(client(aws.endpoint));
    const { url: QueueUrl } = await makeQueue(sqs, 'queue', { VisibilityTimeout: '0' });
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
    const received = async (): Promise<string | undefined> => {
      const { Messages: [first] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      return first?.ReceiptHandle;
    };
    const [older, newer] = [await received(), await received()];
    const deleted = (ReceiptHandle: string | undefined): Promise<unknown> =>
      errorName(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })));
    const Entries = [{ Id: 'x', ReceiptHandle: older }];
    const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    const stale = [Failed.length, await deleted(older)];
    const left = await received();
    const told = [await deleted(left), await deleted(newer), await deleted('none'), await received()];
    sqs.destroy();
    return [...stale, left !== undefined, ...told];
  });
  const invalid = 'ReceiptHandleIsInvalid';
  expect(on).toEqual([0, undefined, true, undefined, undefined, invalid, undefined]);
  expect(off).toEqual([1, invalid, true, undefined, invalid, invalid, undefined]);
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
it('a queue has metrics: how many messages wait, and how old the oldest is', async () => {
  const { on, off } = await withAndWithout(
    'queues',
    async (aws, isOn) => {
      const sqs = new SQSClient(client(aws.endpoint));
      const cloudWatch = new CloudWatchClient(client(aws.endpoint));
      const dead = await makeQueue(sqs, 'dead');
      const queue = await makeQueue(sqs, 'queue', { ...redrive(dead, 1), VisibilityTimeout: '43200' });
      const QueueUrl = queue.url;
      // Minutes are a second long here, and may end between any two calls: at no time are three visible.
      const began = performance.now();
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
      await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      for (const MessageBody of ['b', 'c']) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      const measured = async (name: string, QueueName: string): Promise<number | undefined> => {
        const { Datapoints = [] } = await cloudWatch.send(
          new GetMetricStatisticsCommand({
            Namespace: 'AWS/SQS',
            MetricName: `Approximate${name}`,
            Dimensions: [{ Name: 'QueueName', Value: QueueName }],
            StartTime: new Date(Date.now() - 3_600_000),
            EndTime: new Date(Date.now() + 3_600_000),
            Period: 86_400,
            Statistics: ['Maximum'],
          }),
        );
        return Datapoints[0]?.Maximum;
      };
      const age = async (): Promise<number> => (await measured('AgeOfOldestMessage', 'queue')) ?? -1;
      // Some minutes of its clock.
      if (isOn) {
        await expect.poll(age, { interval: 500 }).toBeGreaterThan(60);
        await expect.poll(() => measured('NumberOfMessagesVisible', 'queue'), { interval: 500 }).toBe(2);
      } else await pause(4000);
      const found = [
        await measured('NumberOfMessagesVisible', 'queue'),
        await measured('NumberOfMessagesNotVisible', 'queue'),
        await measured('NumberOfMessagesVisible', 'dead'),
        await measured('AgeOfOldestMessage', 'dead'),
        await age(),
        ((performance.now() - began) / 1000) * SPEED,
      ];
      for (const one of [sqs, cloudWatch]) one.destroy();
      return found;
    },
    { speed: SPEED },
  );
  expect(on.slice(0, 4)).toEqual([2, 1, 0, 0]);
  const [, , , , age = 0, most] = on;
  expect(age).toBeGreaterThan(60);
  expect(age).toBeLessThanOrEqual(most ?? 0);
  expect(off.slice(0, 5)).toEqual([undefined, undefined, undefined, undefined, -1]);
});

async function ended(sqs: SQSClient, dead: Queue): Promise<ListMessageMoveTasksResultEntry | undefined> {
  for (let tries = 0; tries < 600; tries++) {
    const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn }));
    if (Results?.[0]?.Status !== 'RUNNING') return Results?.[0];
    await pause(100);
  }
  return undefined;
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
it('what a dead-letter queue holds is moved back as it was sent, if the caller may', async () => {
  const { on, off } = await withAndWithout('redrive', async (aws) => {
    const sqs = new SQSClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const dead = await makeQueue(sqs, 'dead');
    const queue = await makeQueue(sqs, 'queue', redrive(dead, 1));
    const MessageAttributes = { reason: { DataType: 'String', StringValue: 'no csv' } };
    // One that SQS moved, and one that was sent there.
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'poison', MessageAttributes }));
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url }));
    await pause(1200);
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url }));
    const moved = await counts(sqs, dead);

    const user = await makeUser(aws, 'operator');
    const theirs = new SQSClient({ ...client(aws.endpoint), credentials: user.credentials, maxAttempts: 1 });
    const input = { SourceArn: dead.arn, DestinationArn: queue.arn };
    const source = ['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
    const statement = (Sid: string, Action: string[], Resource: string) => ({
      Sid,
      Effect: 'Allow' as const,
      Action,
      Resource,
    });
    await user.may([
      statement(
        'Source',
        source.map((name) => `sqs:${name}`),
        dead.arn,
      ),
    ]);
    const refused = await errorName(theirs.send(new StartMessageMoveTaskCommand(input)));
    await user.may([
      statement(
        'Source',
        source.map((name) => `sqs:${name}`),
        dead.arn,
      ),
      statement('Target', ['sqs:SendMessage'], queue.arn),
    ]);
    const allowed = await errorName(theirs.send(new StartMessageMoveTaskCommand(input)));
    if (allowed) return { moved, refused, allowed };
    const task = await ended(sqs, dead);
    const back = await receive(sqs, queue);

    await sqs.send(new SendMessageCommand({ QueueUrl: dead.url, MessageBody: 'sent there' }));
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    const lost = await ended(sqs, dead);
    const none = await errorName(sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queue.arn })));
    for (const one of [sqs, theirs]) one.destroy();
    return { moved, refused, allowed, task, back, lost, none };
  });
  expect(on).toMatchObject({
    moved: [1, 0, 0],
    refused: 'AccessDeniedException',
    allowed: undefined,
    task: { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 },
    back: [
      {
        Body: 'poison',
        Attributes: { ApproximateReceiveCount: '1' },
        MessageAttributes: { reason: { StringValue: 'no csv' } },
      },
    ],
    lost: { Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' },
    none: 'InvalidParameterValue',
  });
  expect(off.allowed).toBe('AccessDenied');
});

/** A function that may receive from every queue, until its role's policy is deleted. */
async function consumer(aws: LocalAws, timeout: number, may: string[]): Promise<void> {
  await makeFunction(aws, {
    name: 'consumer',
    code: 'export const handler = async () => {};',
    timeout,
    may: may.length > 0 ? [LOGS, { Effect: 'Allow', Action: may, Resource: '*' }] : [LOGS],
  });
}

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
it('a queue feeds a function whose role may receive, and that ends before its messages show again', async () => {
  const { on, off } = await withAndWithout('event_sources', async (aws, isOn) => {
    const sqs = new SQSClient(client(aws.endpoint));
    const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const iam = new IAMClient(client(aws.endpoint));
    const [queue, short] = [
      await makeQueue(sqs, 'queue'),
      await makeQueue(sqs, 'short', { VisibilityTimeout: '9' }),
    ];
    await consumer(aws, 10, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']);
    await makeFunction(aws, { name: 'stranger', code: 'export const handler = async () => {};' });
    const map = (FunctionName: string, EventSourceArn: string): Promise<string> =>
      lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn })).then(
        () => '',
        (error: unknown) => String(error),
      );
    const refusals = [await map('stranger', queue.arn), await map('consumer', short.arn)];
    const made = await map('consumer', queue.arn);
    const send = (): Promise<unknown> =>
      sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'm' }));
    await send();
    await expect.poll(() => counts(sqs, queue)).toEqual([0, 0, 0]);
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'consumer-role', PolicyName: 'own' }));
    await send();
    // With the right it stays; without the addition it goes, however late.
    if (isOn) await pause(2500);
    else await expect.poll(() => counts(sqs, queue)).toEqual([0, 0, 0]);
    const left = await counts(sqs, queue);
    for (const one of [sqs, lambda, iam]) one.destroy();
    return { refusals, made, left };
  });
  expect(on).toEqual({
    refusals: [
      expect.stringContaining('does not have permissions to call ReceiveMessage on SQS'),
      expect.stringContaining(
        'Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds',
      ),
    ],
    made: '',
    left: [1, 0, 0],
  });
  expect(off).toEqual({ refusals: ['', ''], made: '', left: [0, 0, 0] });
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
it('a report of failures that names no message of the batch is of all of them', async () => {
  const { on, off } = await withAndWithout('event_sources', async (aws, isOn) => {
    const sqs = new SQSClient(client(aws.endpoint));
    const lambda = new LambdaClient(client(aws.endpoint));
    const left: number[][] = [];
    const answers = [
      '[]',
      '[{ itemIdentifier: "other" }]',
      '[{ itemIdentifier: null }]',
      '[{ id: Records[0].messageId }]',
    ];
    for (const [n, failures] of answers.entries()) {
      const queue = await makeQueue(sqs, `queue${n}`, { VisibilityTimeout: '600' });
      const ends = await makeQueue(sqs, `ends${n}`);
      const code = `import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
export const handler = async ({ Records }) => {
  await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: ${JSON.stringify(ends.url)}, MessageBody: 'm' }));
  return { batchItemFailures: ${failures} };
};`;
      const may = [LOGS, { Effect: 'Allow', Action: 'sqs:*', Resource: '*' }];
      await makeFunction(aws, { name: `reports${n}`, code, may });
      await lambda.send(
        new CreateEventSourceMappingCommand({
          ...{ FunctionName: `reports${n}`, EventSourceArn: queue.arn },
          FunctionResponseTypes: ['ReportBatchItemFailures'],
        }),
      );
      await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'm' }));
      await receive(sqs, ends, 1);
      // What is kept is kept; what is deleted goes when the function has ended.
      if (isOn && n > 0) await pause(2000);
      else await expect.poll(() => counts(sqs, queue)).toEqual([0, 0, 0]);
      left.push(await counts(sqs, queue));
    }
    for (const one of [sqs, lambda]) one.destroy();
    return left;
  });
  const [none, hidden] = [
    [0, 0, 0],
    [0, 1, 0],
  ];
  expect(on).toEqual([none, hidden, hidden, hidden]);
  expect(off).toEqual([none, none, none, none]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
it('a mapping runs no more at a time than it says, and all of them', async () => {
  const aws = await startAws();
  try {
    const sqs = new SQSClient(client(aws.endpoint));
    const lambda = new LambdaClient(client(aws.endpoint));
    const queue = await makeQueue(sqs, 'queue');
    const ends = await makeQueue(sqs, 'ends');
    const code = `import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
const sqs = new SQSClient({});
export const handler = async () => {
  const began = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const MessageBody = JSON.stringify([began, Date.now()]);
  await sqs.send(new SendMessageCommand({ QueueUrl: ${JSON.stringify(ends.url)}, MessageBody }));
};`;
    const may = [LOGS, { Effect: 'Allow', Action: 'sqs:*', Resource: '*' }];
    await makeFunction(aws, { name: 'slow', code, may });
    for (let n = 0; n < 15; n++)
      await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'm' }));
    await lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: 'slow',
        EventSourceArn: queue.arn,
        BatchSize: 1,
        ScalingConfig: { MaximumConcurrency: 3 },
      }),
    );
    // A second each: all have begun before one that began first could run them by itself.
    const runs = (await receive(sqs, ends, 15)).map(({ Body = '[]' }): number[] => JSON.parse(Body));
    const atOnce = ([began = 0]: number[]): number =>
      runs.filter(([from = 0, to = 0]) => from <= began && began < to).length;
    expect([runs.length, Math.max(...runs.map(atOnce))]).toEqual([15, 3]);
    // The last one's message is deleted after the function has ended.
    await expect.poll(() => counts(sqs, queue)).toEqual([0, 0, 0]);
    for (const one of [sqs, lambda]) one.destroy();
  } finally {
    await aws.stop();
  }
});
