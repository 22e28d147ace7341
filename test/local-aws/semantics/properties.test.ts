import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  ListStackResourcesCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { invoke, withAndWithout } from '../lambda.ts';

/** Creates or updates the stack. @returns the reasons of what failed in this operation */
async function apply(aws: LocalAws, resources: object, update: boolean): Promise<readonly string[]> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const TemplateBody = JSON.stringify({ Resources: resources });
  const input = { StackName: 'one', TemplateBody, Capabilities: ['CAPABILITY_IAM' as const] };
  const ClientRequestToken = update ? 'update' : 'create';
  const asked = { ...input, ClientRequestToken };
  await cloudFormation.send(update ? new UpdateStackCommand(asked) : new CreateStackCommand(asked));
  const wait = update ? waitUntilStackUpdateComplete : waitUntilStackCreateComplete;
  await wait({ client: cloudFormation, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 }, input).catch(
    () => {},
  );
  const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand(input));
  cloudFormation.destroy();
  return StackEvents.filter(
    (event) => event.ClientRequestToken === ClientRequestToken && /_FAILED$/.test(event.ResourceStatus ?? ''),
  ).map(({ ResourceStatusReason = '' }) => ResourceStatusReason);
}

const policy = (...actions: readonly string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
});

/** Says whether its role may list its versions. */
const CODE = `const { LambdaClient, ListVersionsByFunctionCommand } = require('@aws-sdk/client-lambda');
exports.handler = () => new LambdaClient({}).send(new ListVersionsByFunctionCommand({ FunctionName: 'one' })).then(() => 'done', (error) => error.name);`;

const resources = (version: object, properties: object = {}) => ({
  Dead: { Type: 'AWS::SQS::Queue', Properties: {} },
  Bound: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: policy('logs:*', 'sqs:*') } },
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      PermissionsBoundary: { Ref: 'Bound' },
      Policies: [
        {
          PolicyName: 'own',
          PolicyDocument: policy('logs:*', 'sqs:SendMessage', 'lambda:ListVersionsByFunction'),
        },
      ],
    },
  },
  Function: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      ...{ FunctionName: 'one', Runtime: 'nodejs24.x', Handler: 'index.handler' },
      ...{ Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, Code: { ZipFile: CODE } },
      ...properties,
    },
  },
  ...version,
});
const version = (id: string, more: object = {}) => ({
  [id]: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Function' }, ...more } },
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
it('a template’s dead-letter queue and key are of the version, and its boundary bounds the role', async () => {
  const { on, off } = await withAndWithout('properties', async (aws) => {
    expect(await apply(aws, resources(version('First')), false)).toEqual([]);
    const lambda = new LambdaClient(client(aws.endpoint));
    const may = (await invoke(aws, 'one')).body;
    const DeadLetterConfig = { TargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] } };
    const changed = resources(version('Second'), {
      DeadLetterConfig,
      KmsKeyArn: 'arn:aws:kms:us-east-1:0:key/a',
    });
    const failed = await apply(aws, changed, true);
    const now = await lambda
      .send(new GetFunctionConfigurationCommand({ FunctionName: 'one', Qualifier: '2' }))
      .catch(() => undefined);
    lambda.destroy();
    const { DeadLetterConfig: dead, KMSKeyArn } = now ?? {};
    return [may, failed, dead?.TargetArn?.split(':')[2], KMSKeyArn];
  });
  expect(on).toEqual(['AccessDeniedException', [], 'sqs', 'arn:aws:kms:us-east-1:0:key/a']);
  expect(off).toEqual([
    'done',
    [expect.stringMatching(/^A version for this Lambda function exists \( 1 \)/)],
    undefined,
    undefined,
  ]);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
it('a version is published of the code that it names only', async () => {
  const { on, off } = await withAndWithout('properties', (aws) =>
    apply(aws, resources(version('First', { CodeSha256: 'of-something-else' })), false),
  );
  expect(on).toEqual([expect.stringMatching(/^CodeSHA256 \(of-something-else\) is different from current/)]);
  expect(off).toEqual([]);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
it('a stack deletes no bucket that has objects, and no version that an alias points to', async () => {
  const { on, off } = await withAndWithout('deletions', async (aws) => {
    const bucket = { Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'kept' } } };
    expect(await apply(aws, resources({ ...version('First'), ...bucket }), false)).toEqual([]);
    const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'a' }));
    s3.destroy();
    const lambda = new LambdaClient(client(aws.endpoint));
    const live = { FunctionName: 'one', Name: 'live', FunctionVersion: '1' };
    await lambda.send(new CreateAliasCommand(live));
    const failed = await apply(aws, resources({}), true);
    const there = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'one' }));
    lambda.destroy();
    return [failed.toSorted(), there.Versions?.map((one) => one.Version)];
  });
  expect(on).toEqual([
    [
      expect.stringContaining('The bucket you tried to delete is not empty'),
      expect.stringContaining('referenced by an alias'),
    ],
    ['$LATEST', '1'],
  ]);
  expect(off).toEqual([[], ['$LATEST']]);
});

// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html
it('a function that somebody deleted is not made again by an update', async () => {
  const { on, off } = await withAndWithout('deletions', async (aws) => {
    expect(await apply(aws, resources({}), false)).toEqual([]);
    const lambda = new LambdaClient(client(aws.endpoint));
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'one' }));
    lambda.destroy();
    return apply(aws, resources({}, { MemorySize: 256 }), true);
  });
  expect(on[0]).toContain('Lambda function one could not be found');
  expect(off).toEqual([]);
});

// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html
it('a log group that a stack left behind is not replaced by an empty one', async () => {
  const group = {
    Group: {
      Type: 'AWS::Logs::LogGroup',
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: { LogGroupName: 'kept' },
    },
  };
  const { on, off } = await withAndWithout('deletions', async (aws) => {
    expect(await apply(aws, resources(group), false)).toEqual([]);
    expect(await apply(aws, resources({}), true)).toEqual([]);
    return apply(aws, resources(group), true);
  });
  expect(on[0]).toContain("with identifier 'kept' already exists");
  expect(off).toEqual([]);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
it('a stack of the same name in another region has roles of its own', async () => {
  const { on, off } = await withAndWithout('properties', async (aws) => {
    const made = await Promise.all(
      ['us-east-1', 'eu-west-1'].map(async (region) => {
        const cloudFormation = new CloudFormationClient({ ...client(aws.endpoint), region });
        const Role = {
          Type: 'AWS::IAM::Role',
          Properties: { AssumeRolePolicyDocument: policy('sts:AssumeRole') },
        };
        const TemplateBody = JSON.stringify({ Resources: { Role } });
        const input = { StackName: 'same', TemplateBody, Capabilities: ['CAPABILITY_IAM' as const] };
        await cloudFormation.send(new CreateStackCommand(input));
        await waitUntilStackCreateComplete(
          { client: cloudFormation, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 },
          input,
        );
        const { StackResourceSummaries = [] } = await cloudFormation.send(
          new ListStackResourcesCommand(input),
        );
        cloudFormation.destroy();
        return StackResourceSummaries.map(({ PhysicalResourceId }) => PhysicalResourceId);
      }),
    );
    return new Set(made.flat()).size;
  });
  expect([on, off]).toEqual([2, 1]);
});
