/** Answers that MiniStack gives and AWS does not. The records of calls find these: docs/local-testing.md. */
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  waitUntilChangeSetCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { makeFunction, withAndWithout } from '../lambda.ts';

// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
// https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
it('a function that is updated stays active, and no reason is empty', async () => {
  const { on, off } = await withAndWithout('states', async (aws) => {
    const name = 'updated';
    await makeFunction(aws, { name, code: 'export const handler = async () => 1;' });
    const lambda = new LambdaClient(client(aws.endpoint));
    const during = await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: name, MemorySize: 256 }),
    );
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 20, minDelay: 0.2 },
      { FunctionName: name },
    );
    const after = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    lambda.destroy();
    return [during, after].map((one) => [
      one.State,
      one.StateReasonCode,
      one.LastUpdateStatus,
      one.LastUpdateStatusReasonCode,
    ]);
  });
  expect(on).toEqual([
    ['Active', undefined, 'InProgress', 'Creating'],
    ['Active', undefined, 'Successful', undefined],
  ]);
  expect(off).toEqual([
    ['Pending', 'Updating', 'InProgress', ''],
    ['Active', '', 'Successful', ''],
  ]);
});

/** Names of the elements of an answer as it comes: the SDK drops those that it does not know. */
async function elements(aws: LocalAws, StackName: string, ChangeSetName: string): Promise<readonly string[]> {
  const answer = await fetch(aws.endpoint, {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ Action: 'DescribeChangeSet', StackName, ChangeSetName }).toString(),
  });
  return [...(await answer.text()).matchAll(/<(\w+)>/g)].map(([, name = '']) => name);
}

// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html#API_DescribeChangeSet_ResponseElements
it('a change set does not tell its type', async () => {
  const { on, off } = await withAndWithout(
    'change_sets',
    async (aws) => {
      const cloudFormation = new CloudFormationClient(client(aws.endpoint));
      const names = { StackName: 'changed', ChangeSetName: 'first' };
      const Resources = { Queue: { Type: 'AWS::SQS::Queue' } };
      await cloudFormation.send(
        new CreateChangeSetCommand({
          ...names,
          ChangeSetType: 'CREATE',
          TemplateBody: JSON.stringify({ Resources }),
        }),
      );
      await waitUntilChangeSetCreateComplete(
        { client: cloudFormation, maxWaitTime: 20, minDelay: 0.2 },
        names,
      );
      cloudFormation.destroy();
      return elements(aws, names.StackName, names.ChangeSetName);
    },
    { auth: false },
  );
  expect(on).toContain('ExecutionStatus');
  expect(on).not.toContain('ChangeSetType');
  expect(off).toContain('ChangeSetType');
});
