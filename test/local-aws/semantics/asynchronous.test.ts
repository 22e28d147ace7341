import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateAliasCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { makeFunction, withAndWithout } from '../lambda.ts';

/** Seconds: without the addition nothing comes; with it, it may come late, and tells that it was one try. */
const [NEVER, LATE] = [8, 120];

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
    await makeFunction(aws, {
      name: 'fails',
      code: `export const handler = () => { throw new Error('no'); };`,
    });
    const Destination = await makeFunction(aws, {
      name: 'mourner',
      code: MOURNER,
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
