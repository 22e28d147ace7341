import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { invoke, makeFunction, withAndWithout } from '../lambda.ts';

const CODE = `
  const began = Date.now();
  export const handler = async () => ({ type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, age: Date.now() - began });`;

const OLD_MS = 5000;

/** Version 1 of a function gets provisioned concurrency. @returns its state in the end */
async function provide(aws: LocalAws, FunctionName: string, code: string) {
  const lambda = new LambdaClient(client(aws.endpoint));
  await makeFunction(aws, { name: FunctionName, code });
  const version = { FunctionName, Qualifier: '1' };
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(
    new PutProvisionedConcurrencyConfigCommand({ ...version, ProvisionedConcurrentExecutions: 1 }),
  );
  for (;;) {
    const { Status, StatusReason } = await lambda.send(new GetProvisionedConcurrencyConfigCommand(version));
    if (Status !== 'IN_PROGRESS')
      return {
        Status,
        StatusReason,
        remove: async () => {
          await lambda.send(new DeleteProvisionedConcurrencyConfigCommand(version));
          lambda.destroy();
        },
      };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
it('a provisioned environment starts before its first request, knows what it is, and goes with its configuration', async () => {
  const { on, off } = await withAndWithout('initialization', async (aws, isOn) => {
    const { Status, remove } = await provide(aws, 'f', CODE);
    // Longer than a busy machine needs from a start to its first request.
    if (isOn) await new Promise((resolve) => setTimeout(resolve, OLD_MS));
    const warm = await invoke(aws, 'f', {}, '1');
    await remove();
    const [cold, latest] = [await invoke(aws, 'f', {}, '1'), await invoke(aws, 'f')];
    const [{ type, age }, other, third] = [warm, cold, latest].map(({ body }) => body) as [
      { readonly type: string; readonly age: number },
      { readonly type: string },
      { readonly type: string },
    ];
    return {
      Status,
      type,
      early: age >= OLD_MS,
      init: /Init Duration/.test(warm.log),
      after: other.type,
      latest: third.type,
    };
  });
  const onDemand = { after: 'on-demand', latest: 'on-demand' };
  expect(on).toEqual({
    Status: 'READY',
    type: 'provisioned-concurrency',
    early: true,
    init: false,
    ...onDemand,
  });
  expect(off).toEqual({ Status: 'READY', type: 'on-demand', early: false, init: true, ...onDemand });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_GetProvisionedConcurrencyConfig.html
it('provisioned concurrency of a function that does not start fails', async () => {
  const { on, off } = await withAndWithout('initialization', async (aws) => {
    const { Status, StatusReason } = await provide(
      aws,
      'f',
      `throw new Error('no'); export const handler = 1;`,
    );
    return [Status, StatusReason];
  });
  expect(on).toEqual(['FAILED', 'FUNCTION_ERROR_INIT_FAILURE']);
  expect(off).toEqual(['READY', undefined]);
});
