import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { LambdaClient, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import { everythingLeft } from '../journeys/service.ts';
import { ACCOUNT } from './lambda.ts';
import { counts, receive } from './queue.ts';

/** The kinds of resources that batch is made of, in one stack, with every policy in force. */
const arn = (id: string): object => ({ 'Fn::GetAtt': [id, 'Arn'] });
const allow = (Action: string[], Resource: unknown): object => ({ Effect: 'Allow', Action, Resource });
const role = (service: string, Statement: object[]): object => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        { ...allow(['sts:AssumeRole'], undefined), Principal: { Service: `${service}.amazonaws.com` } },
      ],
    },
    Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement } }],
  },
});
const CODE = `exports.handler = async ({ Records: [{ body, messageAttributes, messageId }] }, { invokedFunctionArn }) => {
  const { detail } = JSON.parse(body);
  if (detail.object.key.includes('poison')) return { batchItemFailures: [{ itemIdentifier: messageId }] };
  console.log('scored ' + detail.object.key + ' by ' + invokedFunctionArn.split(':').at(-1));
};`;

const template = (suffix: string, concurrency: number): string => {
  const pattern = {
    source: ['aws.s3'],
    'detail-type': ['Object Created'],
    detail: {
      bucket: { name: ['incoming'] },
      $or: [{ object: { key: [{ wildcard: `in/*${suffix}` }] } }, { object: { key: [{ prefix: 'all/' }] } }],
    },
  };
  const Definition = {
    StartAt: 'Parts',
    States: {
      Parts: {
        Type: 'Map',
        MaxConcurrency: concurrency,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Score',
          States: { Score: { Type: 'Task', Resource: `\${Function}`, End: true } },
        },
        End: true,
      },
    },
  };
  const Resources = {
    Bucket: {
      Type: 'AWS::S3::Bucket',
      DeletionPolicy: 'Retain',
      Properties: {
        BucketName: 'incoming',
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    },
    Failed: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'failed', SqsManagedSseEnabled: true } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: 'jobs',
        VisibilityTimeout: 30,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: arn('Failed'), maxReceiveCount: 2 },
      },
    },
    QueuePolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Queue' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              ...allow(['sqs:SendMessage'], arn('Queue')),
              Principal: { Service: 'events.amazonaws.com' },
              Condition: { ArnEquals: { 'aws:SourceArn': arn('Rule') } },
            },
          ],
        },
      },
    },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: pattern, Targets: [{ Id: 'queue', Arn: arn('Queue') }] },
    },
    Role: role('lambda', [
      allow(['logs:*'], '*'),
      allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arn('Queue')),
    ]),
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'scorer',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 3,
        Role: arn('Role'),
        Code: { ZipFile: CODE },
      },
    },
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Function' } } },
    Alias: {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        FunctionName: { Ref: 'Function' },
        FunctionVersion: { 'Fn::GetAtt': ['Version', 'Version'] },
        Name: 'live',
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Alias' },
        EventSourceArn: arn('Queue'),
        BatchSize: 1,
        ScalingConfig: { MaximumConcurrency: concurrency },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
    MachineRole: role('states', [allow(['lambda:InvokeFunction'], arn('Function'))]),
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: 'parts',
        RoleArn: arn('MachineRole'),
        Definition,
        DefinitionSubstitutions: { Function: arn('Function') },
      },
    },
  };
  return JSON.stringify({ Resources });
};

let aws: LocalAws;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws?.stop());

it('a stack of a bucket, a rule, queues, a mapping and a state machine is made, changed and deleted', async () => {
  const config = client(aws.endpoint);
  const cloudFormation = new CloudFormationClient(config);
  const [lambda, sfn, sqs] = [new LambdaClient(config), new SFNClient(config), new SQSClient(config)];
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const logs = new CloudWatchLogsClient(config);
  const StackName = 'batch';
  const quickly = { client: cloudFormation, maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };
  const failures = async (): Promise<unknown> => {
    const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }));
    return StackEvents.filter(({ ResourceStatus = '' }) => ResourceStatus.endsWith('FAILED'));
  };
  const put = (Key: string): Promise<unknown> =>
    s3.send(new PutObjectCommand({ Bucket: 'incoming', Key, Body: 'a' }));
  const queue = (name: string) => ({
    url: `${aws.endpoint}/${ACCOUNT}/${name}`,
    arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`,
  });
  const scored = async (): Promise<string[]> => {
    const { events = [] } = await logs
      .send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/scorer' }))
      .catch(() => ({ events: [] }));
    return events.flatMap(({ message = '' }) => /\bscored (.*)/.exec(message)?.[1] ?? []).toSorted();
  };
  const made = async (): Promise<unknown> => {
    const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({}));
    const { definition = '{}' } = await sfn.send(
      new DescribeStateMachineCommand({
        stateMachineArn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:parts`,
      }),
    );
    const { MaxConcurrency, ItemProcessor } = JSON.parse(definition).States.Parts;
    return [
      EventSourceMappings?.map(({ ScalingConfig }) => ScalingConfig),
      MaxConcurrency,
      ItemProcessor.States.Score.Resource,
    ];
  };
  const resource = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:scorer`;
  const Capabilities = ['CAPABILITY_IAM' as const];

  await cloudFormation.send(
    new CreateStackCommand({ StackName, Capabilities, TemplateBody: template('.csv', 2) }),
  );
  await waitUntilStackCreateComplete(quickly, { StackName }).catch(() => {});
  expect(await failures()).toEqual([]);
  expect(await made()).toEqual([[{ MaximumConcurrency: 2 }], 2, resource]);
  for (const key of ['in/a.csv', 'in/b.txt', 'all/c', 'out/d.csv']) await put(key);
  await expect.poll(scored).toEqual(['all/c by live', 'in/a.csv by live']);
  // Poison is given up after its second try, and lands where the redrive policy says: soon, for this test.
  // What is scored would be tried again as soon, on a machine that is busy.
  const hidden = (VisibilityTimeout: string) =>
    sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: queue('jobs').url, Attributes: { VisibilityTimeout } }),
    );
  await hidden('3');
  await put('in/poison.csv');
  await expect.poll(async () => (await counts(sqs, queue('failed')))[0]).toBe(1);
  const [dead] = await receive(sqs, queue('failed'));
  await hidden('30');
  expect(JSON.parse(dead?.Body ?? '{}').detail.object.key).toBe('in/poison.csv');
  expect(dead?.Attributes).toMatchObject({ DeadLetterQueueSourceArn: queue('jobs').arn });
  expect(await counts(sqs, queue('jobs'))).toEqual([0, 0, 0]);

  await cloudFormation.send(
    new UpdateStackCommand({ StackName, Capabilities, TemplateBody: template('.txt', 3) }),
  );
  await waitUntilStackUpdateComplete(quickly, { StackName }).catch(() => {});
  expect(await failures()).toEqual([]);
  expect(await made()).toEqual([[{ MaximumConcurrency: 3 }], 3, resource]);
  for (const key of ['in/e.csv', 'in/f.txt']) await put(key);
  await expect.poll(scored).toEqual(['all/c by live', 'in/a.csv by live', 'in/f.txt by live']);

  await cloudFormation.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(quickly, { StackName });
  expect(await everythingLeft(aws)).toEqual(['bucket incoming', 'log group /aws/lambda/scorer']);
  for (const one of [cloudFormation, lambda, sfn, sqs, s3, logs]) one.destroy();
});
