import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateAliasCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { errorName, LOGS, makeFunction, withAndWithout } from '../lambda.ts';

/** Seconds: without the addition nothing comes; with it, it may come late, and tells that it was one try. */
const [NEVER, LATE] = [8, 120];

const FAILS = `export const handler = () => { throw new Error('no'); };`;

/** It throws at its first event, so that the test sees whether Lambda sends that one again. */
const MOURNER = `let calls = 0;
export const handler = async ({ requestContext: { functionArn, approximateInvokeCount }, requestPayload }) => {
  calls += 1;
  if (calls === 1) throw new Error('not yet');
  console.log('told ' + JSON.stringify([requestPayload, functionArn.split(':').slice(6).join(':'), approximateInvokeCount]));
};`;

// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
it('an event that failed goes where the alias that was invoked says, with who was invoked how often', async () => {
  const { on, off } = await withAndWithout('asynchronous', async (aws, isOn) => {
    const lambda = new LambdaClient(client(aws.endpoint));
    const logs = new CloudWatchLogsClient(client(aws.endpoint));
    const Destination = await makeFunction(aws, {
      name: 'mourner',
      code: MOURNER,
    });
    await makeFunction(aws, {
      name: 'fails',
      code: FAILS,
      may: [LOGS, { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: Destination }],
    });
    await lambda.send(new PublishVersionCommand({ FunctionName: 'fails' }));
    await lambda.send(new CreateAliasCommand({ FunctionName: 'fails', Name: 'live', FunctionVersion: '1' }));
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: 'fails',
        Qualifier: 'live',
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination } },
      }),
    );
    for (const Qualifier of ['live', '1'])
      await lambda.send(
        new InvokeCommand({
          FunctionName: 'fails',
          Qualifier,
          InvocationType: 'Event',
          Payload: JSON.stringify(Qualifier),
        }),
      );
    const told = async (): Promise<string[]> => {
      const { events = [] } = await logs
        .send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/mourner' }))
        .catch(() => ({ events: [] }));
      return events.flatMap(({ message = '' }) => /\btold (.*)/.exec(message)?.[1] ?? []);
    };
    const end = Date.now() + (isOn ? LATE : NEVER) * 1000;
    while (Date.now() < end && (await told()).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 200));
    const found = await told();
    lambda.destroy();
    logs.destroy();
    return found;
  });
  expect([on, off]).toEqual([['["live","fails:live",1]'], []]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
// https://github.com/aws-samples/aws-serverless-ecommerce-platform/issues/41
it('a role must be allowed to send to a dead-letter queue or a destination; the queue gets the event alone', async () => {
  const { on, off } = await withAndWithout('asynchronous', async (aws, isOn) => {
    const lambda = new LambdaClient(client(aws.endpoint));
    const sqs = new SQSClient(client(aws.endpoint));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'dead' }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
    );
    const TargetArn = Attributes?.QueueArn ?? '';
    await makeFunction(aws, { name: 'may-not', code: FAILS });
    const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: TargetArn };
    await makeFunction(aws, { name: 'may', code: FAILS, may: [LOGS, send] });
    const set = (FunctionName: string) =>
      errorName(
        lambda.send(
          new UpdateFunctionConfigurationCommand({ FunctionName, DeadLetterConfig: { TargetArn } }),
        ),
      );
    const refused = [
      await set('may-not'),
      await errorName(
        lambda.send(
          new PutFunctionEventInvokeConfigCommand({
            FunctionName: 'may-not',
            DestinationConfig: { OnFailure: { Destination: TargetArn } },
          }),
        ),
      ),
      await set('may'),
    ];
    const waiter = { client: lambda, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName: 'may' });
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        ...{ FunctionName: 'may', Qualifier: '$LATEST', MaximumRetryAttempts: 0 },
      }),
    );
    const Payload = JSON.stringify({ asked: 1 });
    await lambda.send(new InvokeCommand({ FunctionName: 'may', InvocationType: 'Event', Payload }));
    const end = Date.now() + (isOn ? LATE : NEVER) * 1000;
    let found: unknown;
    while (found === undefined && Date.now() < end) {
      const { Messages: [message] = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'], WaitTimeSeconds: 1 }),
      );
      if (message) found = [message.Body, message.MessageAttributes?.ErrorMessage?.StringValue];
    }
    lambda.destroy();
    sqs.destroy();
    return { refused, found };
  });
  const no = 'InvalidParameterValueException';
  expect(on).toEqual({ refused: [no, no, undefined], found: ['{"asked": 1}', 'no'] });
  expect(off.refused).toEqual([undefined, undefined, undefined]);
  expect(off.found).not.toEqual(on.found);
});
