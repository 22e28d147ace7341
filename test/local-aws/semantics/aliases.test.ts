import {
  CreateAliasCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { errorName, LOGS, makeFunction, makeRole, withAndWithout } from '../lambda.ts';
import { makeQueue } from '../queue.ts';

/** What Lambda says to weights between versions that differ in memory, role or dead-letter queue. */
async function refusals(aws: LocalAws): Promise<Readonly<Record<string, string | undefined>>> {
  const lambda = new LambdaClient(client(aws.endpoint));
  const sqs = new SQSClient(client(aws.endpoint));
  const send = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' } as const;
  await makeFunction(aws, { name: 'f', code: 'export const handler = async () => 1;', may: [LOGS, send] });
  const publish = async (): Promise<string> =>
    (await lambda.send(new PublishVersionCommand({ FunctionName: 'f' }))).Version ?? '';
  const first = await publish();
  const changed = async (change: Partial<UpdateFunctionConfigurationCommandInput>): Promise<string> => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'f', ...change }));
    const waits = { client: lambda, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };
    await waitUntilFunctionUpdatedV2(waits, { FunctionName: 'f' });
    return publish();
  };
  const memory = await changed({ MemorySize: 512 });
  const { arn: TargetArn } = await makeQueue(sqs, 'dead');
  const queue = await changed({ DeadLetterConfig: { TargetArn } });
  const alike = await changed({ MemorySize: 256 });
  const role = await changed({
    DeadLetterConfig: { TargetArn: '' },
    Role: await makeRole(aws, 'another', [LOGS]),
  });
  const live = { FunctionName: 'f', Name: 'live' };
  await lambda.send(new CreateAliasCommand({ ...live, FunctionVersion: first }));
  const beside = (version: string, FunctionVersion = first): Promise<string | undefined> =>
    errorName(
      lambda.send(
        new UpdateAliasCommand({
          ...live,
          FunctionVersion,
          RoutingConfig: { AdditionalVersionWeights: { [version]: 0.1 } },
        }),
      ),
    );
  const found = {
    memory: await beside(memory),
    queue: await beside(queue),
    role: await beside(role),
    latest: await beside(first, '$LATEST'),
    // All traffic needs no likeness, and two with one queue are alike.
    all: await errorName(
      lambda.send(
        new UpdateAliasCommand({
          ...live,
          FunctionVersion: queue,
          RoutingConfig: { AdditionalVersionWeights: {} },
        }),
      ),
    ),
    alike: await beside(alike, queue),
    created: await errorName(
      lambda.send(
        new CreateAliasCommand({
          FunctionName: 'f',
          Name: 'other',
          FunctionVersion: first,
          RoutingConfig: { AdditionalVersionWeights: { [role]: 0.1 } },
        }),
      ),
    ),
  };
  lambda.destroy();
  sqs.destroy();
  return found;
}

// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
it('an alias splits traffic only between published versions of one role and one dead-letter queue', async () => {
  const { on, off } = await withAndWithout('aliases', refusals);
  const refused = 'InvalidParameterValueException';
  expect(on).toEqual({
    ...{ memory: undefined, queue: refused, role: refused, latest: refused },
    ...{ all: undefined, alike: undefined, created: refused },
  });
  expect(off).toMatchObject({ queue: undefined, role: undefined });
});
