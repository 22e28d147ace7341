/** Answers that MiniStack gives and AWS does not. The records of calls find these: docs/local-testing.md. */
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  waitUntilChangeSetCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CreateEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { ACCOUNT, makeFunction, withAndWithout, zip } from '../lambda.ts';

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
    ['Active', undefined, 'InProgress', undefined],
    ['Active', undefined, 'Successful', undefined],
  ]);
  expect(off).toEqual([
    ['Pending', 'Updating', 'InProgress', ''],
    ['Active', '', 'Successful', ''],
  ]);
});

/**
 * An answer as it comes: the SDK drops the members that it does not know. This local AWS does not look
 * at signatures.
 */
async function answer({ endpoint }: LocalAws, service: string, path: string, form?: object): Promise<string> {
  const scope = `Credential=test/20261127/us-east-1/${service}/aws4_request`;
  const headers = { authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` };
  const body = form === undefined ? undefined : new URLSearchParams({ ...form });
  const came = await fetch(`${endpoint}${path}`, {
    method: form ? 'POST' : 'GET',
    headers,
    ...(body && { body }),
  });
  return came.text();
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
      const text = await answer(aws, 'cloudformation', '/', { Action: 'DescribeChangeSet', ...names });
      return [...text.matchAll(/<(\w+)>/g)].map(([, name]) => name);
    },
    { auth: false },
  );
  expect(on).toContain('ExecutionStatus');
  expect(on).not.toContain('ChangeSetType');
  expect(off).toContain('ChangeSetType');
});

// https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
it('an event source mapping has no qualifier beside its function’s ARN, and takes a change with 202', async () => {
  const { on, off } = await withAndWithout(
    'event_sources',
    async (aws) => {
      const FunctionName = await makeFunction(aws, {
        name: 'fed',
        code: 'export const handler = async () => 1;',
        may: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
        timeout: 10,
      });
      const sqs = new SQSClient(client(aws.endpoint));
      await sqs.send(new CreateQueueCommand({ QueueName: 'feeds' }));
      const lambda = new LambdaClient(client(aws.endpoint));
      const EventSourceArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:feeds`;
      const { UUID } = await lambda.send(
        new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn }),
      );
      const { $metadata } = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
      for (const one of [sqs, lambda]) one.destroy();
      const [mapping] = JSON.parse(
        await answer(aws, 'lambda', '/2015-03-31/event-source-mappings'),
      ).EventSourceMappings;
      return { names: Object.keys(mapping), status: $metadata.httpStatusCode };
    },
    { auth: false },
  );
  expect(on.names).toContain('FunctionArn');
  expect(on.names).not.toContain('Qualifier');
  expect(off.names).toContain('Qualifier');
  expect([on.status, off.status]).toEqual([202, 200]);
});

// https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionsListItem.html
it('a list of layers has no content', async () => {
  const { on, off } = await withAndWithout(
    'layer_list',
    async (aws) => {
      const lambda = new LambdaClient(client(aws.endpoint));
      const ZipFile = await zip({ 'a.txt': 'a' });
      await lambda.send(new PublishLayerVersionCommand({ LayerName: 'shared', Content: { ZipFile } }));
      lambda.destroy();
      const [layer] = JSON.parse(await answer(aws, 'lambda', '/2018-10-31/layers')).Layers;
      return Object.keys(layer.LatestMatchingVersion);
    },
    { auth: false },
  );
  expect(on).toContain('LayerVersionArn');
  expect(on).not.toContain('Content');
  expect(on).not.toContain('LayerArn');
  expect(off).toContain('Content');
});

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html#API_CreateFunctionUrlConfig_ResponseElements
it('a new function URL has no time of a change', async () => {
  const { on, off } = await withAndWithout(
    'function_urls',
    async (aws) => {
      await makeFunction(aws, { name: 'linked', code: 'export const handler = async () => 1;' });
      const scope = 'Credential=test/20261127/us-east-1/lambda/aws4_request';
      const answer = await fetch(`${aws.endpoint}/2021-10-31/functions/linked/url`, {
        method: 'POST',
        headers: { authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` },
        body: JSON.stringify({ AuthType: 'AWS_IAM' }),
      });
      const text = await answer.text();
      expect(answer.ok, text).toBe(true);
      return Object.keys(JSON.parse(text));
    },
    { auth: false },
  );
  expect(on).toContain('CreationTime');
  expect(on).not.toContain('LastModifiedTime');
  expect(off).toContain('LastModifiedTime');
});
