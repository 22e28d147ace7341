import {
  CreateAliasCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { client } from './deployed.ts';
import { errorName, makeFunction, withAndWithout } from './lambda.ts';
import type { LocalAws } from './start.ts';

const WEIGHT = 0.3;
const INVOKES = 300;

/** Two versions behind `live`, 0.3 of it on the second; gives which version answered how often. */
async function spread(aws: LocalAws): Promise<{ executed: number; told: number; seen: string }> {
  const lambda = new LambdaClient(client(aws.endpoint));
  const code = `export const handler = async (event, context) =>
    ({version: process.env.AWS_LAMBDA_FUNCTION_VERSION, arn: context.invokedFunctionArn});`;
  await makeFunction(aws, { name: 'two', code });
  await lambda.send(new PublishVersionCommand({ FunctionName: 'two' }));
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'two', MemorySize: 512 }));
  await waitUntilFunctionUpdatedV2(
    { client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
    { FunctionName: 'two' },
  );
  await lambda.send(new PublishVersionCommand({ FunctionName: 'two' }));
  await lambda.send(new CreateAliasCommand({ FunctionName: 'two', Name: 'live', FunctionVersion: '1' }));
  await lambda.send(
    new UpdateAliasCommand({
      FunctionName: 'two',
      Name: 'live',
      RoutingConfig: { AdditionalVersionWeights: { 2: WEIGHT } },
    }),
  );
  let [executed, told, seen] = [0, 0, ''];
  for (let count = 0; count < INVOKES; count++) {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'two', Qualifier: 'live' }));
    const body = JSON.parse(answer.Payload?.transformToString() ?? '{}');
    executed += Number(body.version === '2');
    told += Number(answer.ExecutedVersion === '2');
    seen = body.arn;
  }
  lambda.destroy();
  return { executed, told, seen };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html */
describe('weights of an alias', () => {
  it('send that share of the invocations to the additional version', async () => {
    const { on, off } = await withAndWithout('weights', spread);
    // Six standard deviations of Binomial(300, 0.3): a fair router is outside once in 10^8 runs.
    const room = 6 * Math.sqrt(INVOKES * WEIGHT * (1 - WEIGHT));
    expect(Math.abs(on.executed - INVOKES * WEIGHT)).toBeLessThan(room);
    expect(on.told).toBe(on.executed);
    expect(on.seen).toMatch(/:function:two:live$/);
    expect(off.executed).toBe(0);
  });
});

async function publishTwice(aws: LocalAws): Promise<{ versions: string[]; after: string | undefined }> {
  const lambda = new LambdaClient(client(aws.endpoint));
  await makeFunction(aws, { name: 'same', code: 'export const handler = async () => 1;' });
  const publish = async (): Promise<string> =>
    (await lambda.send(new PublishVersionCommand({ FunctionName: 'same' }))).Version ?? '';
  const configure = async (size: number): Promise<void> => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'same', MemorySize: size }));
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
      { FunctionName: 'same' },
    );
  };
  const versions = [await publish()];
  await configure(256); // what it was
  versions.push(await publish());
  await configure(300);
  versions.push(await publish());
  const stale = await errorName(
    lambda.send(
      new PublishVersionCommand({ FunctionName: 'same', RevisionId: '00000000-0000-0000-0000-000000000000' }),
    ),
  );
  lambda.destroy();
  return { versions, after: stale };
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html */
describe('PublishVersion', () => {
  it('gives the last version where code and configuration are what they were', async () => {
    const { on, off } = await withAndWithout('publish', publishTwice);
    expect(on.versions).toEqual(['1', '1', '2']);
    expect(on.after).toBe('PreconditionFailedException');
    expect(off.versions).toEqual(['1', '2', '3']);
    expect(off.after).toBeUndefined();
  });
});
