import { Sha256 } from '@aws-crypto/sha256-js';
import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  GetPolicyCommand,
  LambdaClient,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  CreateTopicCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from '../../journeys/service.ts';
import { ACCOUNT, errorName, invoke, LOGS, makeFunction, makeRole, withAndWithout, zip } from '../lambda.ts';

const FUNCTION = `arn:aws:lambda:${REGION}:${ACCOUNT}:function`;

/** Calls S3, Lambda, EventBridge Scheduler, CloudWatch and its logs, and gives the names of the errors. */
const TRIES = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { S3Client, PutObjectCommand, GetObjectCommand } = require('@aws-sdk/client-s3');
const { LambdaClient, ...lambda } = require('@aws-sdk/client-lambda');
const { SchedulerClient, CreateScheduleCommand } = require('@aws-sdk/client-scheduler');
const { CloudWatchClient, DescribeAlarmsCommand } = require('@aws-sdk/client-cloudwatch');
const { CloudWatchLogsClient, FilterLogEventsCommand } = require('@aws-sdk/client-cloudwatch-logs');
const attempt = (call) => call.then(() => 'done', (error) => error.name);
export const handler = async ({ calls }) => {
  const result = {};
  for (const [name, input] of calls) {
    result[name] = name === 'PutObject' ? await attempt(new S3Client({}).send(new PutObjectCommand(input)))
      : name === 'GetObject' ? await attempt(new S3Client({}).send(new GetObjectCommand(input)))
      : name === 'CreateSchedule' ? await attempt(new SchedulerClient({}).send(new CreateScheduleCommand(input)))
      : name === 'FilterLogEvents' ? await attempt(new CloudWatchLogsClient({}).send(new FilterLogEventsCommand(input)))
      : name === 'DescribeAlarms' ? await attempt(new CloudWatchClient({}).send(new DescribeAlarmsCommand(input)))
      : await attempt(new LambdaClient({}).send(new lambda[name + 'Command'](input)));
  }
  return result;
};`;

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html */
describe('a function holds its role and nothing else', () => {
  it('is denied what the role does not allow', async () => {
    const aws = await startAws();
    try {
      const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
      await s3.send(new CreateBucketCommand({ Bucket: 'things' }));
      const calls = [['PutObject', { Bucket: 'things', Key: 'a', Body: 'a' }]];
      const write = { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::things/*' };
      const line = [['PutObject', { Bucket: 'things', Key: 'a\nb', Body: 'a' }]];
      await makeFunction(aws, { name: 'without', code: TRIES });
      await makeFunction(aws, { name: 'with', code: TRIES, may: [LOGS, write] });
      expect((await invoke(aws, 'without', { calls })).body).toEqual({ PutObject: 'AccessDenied' });
      expect((await invoke(aws, 'with', { calls })).body).toEqual({ PutObject: 'done' });
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
      expect((await invoke(aws, 'with', { calls: line })).body).toEqual({ PutObject: 'done' });
      s3.destroy();
    } finally {
      await aws.stop();
    }
  });

  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
  it('is held to the action and the alias that its policy names', async () => {
    const { on, off } = await withAndWithout('actions', async (aws) => {
      const lambda = new LambdaClient(client(aws.endpoint));
      await makeFunction(aws, { name: 'target', code: 'export const handler = async () => 1;' });
      await lambda.send(new PublishVersionCommand({ FunctionName: 'target' }));
      await lambda.send(
        new CreateAliasCommand({ FunctionName: 'target', Name: 'live', FunctionVersion: '1' }),
      );
      const target = await makeRole(aws, 'tick-role', [], 'scheduler');
      const allow = (Action: string, Resource: string) => ({ Effect: 'Allow', Action, Resource });
      await makeFunction(aws, {
        name: 'worker',
        code: TRIES,
        may: [
          LOGS,
          allow('lambda:UpdateAlias', `${FUNCTION}:target`),
          allow('lambda:InvokeFunction', `${FUNCTION}:target:live`),
          allow('scheduler:CreateSchedule', '*'),
          allow('cloudwatch:DescribeAlarms', `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:*`),
          allow('s3:GetObject', '*'),
        ],
      });
      const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
      await s3.send(new CreateBucketCommand({ Bucket: 'things' }));
      s3.destroy();
      const live = { FunctionName: 'target', Name: 'live' };
      const schedule = {
        Name: 'tick',
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: `${FUNCTION}:target`, RoleArn: target },
      };
      const calls = [
        ['UpdateAlias', live],
        ['DeleteAlias', { ...live, Name: 'other' }],
        ['Invoke', { FunctionName: 'target', Qualifier: 'live' }],
        ['CreateSchedule', schedule],
        ['DescribeAlarms', { AlarmNames: ['one'] }],
        ['GetObject', { Bucket: 'things', Key: 'missing' }],
      ];
      const first = (await invoke(aws, 'worker', { calls })).body;
      const second = (
        await invoke(aws, 'worker', { calls: [['Invoke', { FunctionName: 'target', Qualifier: '1' }]] })
      ).body;
      lambda.destroy();
      return [first, second];
    });
    expect(on).toEqual([
      {
        UpdateAlias: 'done',
        DeleteAlias: 'AccessDeniedException',
        Invoke: 'done',
        // https://docs.aws.amazon.com/scheduler/latest/UserGuide/security_iam_id-based-policies.html
        CreateSchedule: 'AccessDeniedException',
        DescribeAlarms: 'done',
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: nor is who may not list told
        // what is missing
        GetObject: 'AccessDenied',
      },
      { Invoke: 'AccessDeniedException' },
    ]);
    expect(off).not.toEqual(on);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
  it('is held to a log group by the ARN that ends in :*', async () => {
    const group = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda`;
    const { on, off } = await withAndWithout('actions', async (aws) => {
      const read = (Resource: string) => ({ Effect: 'Allow', Action: 'logs:FilterLogEvents', Resource });
      const writing = {
        ...LOGS,
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      };
      await makeFunction(aws, { name: 'whole', code: TRIES, may: [writing, read(`${group}/whole:*`)] });
      await makeFunction(aws, { name: 'bare', code: TRIES, may: [writing, read(`${group}/bare`)] });
      const calls = (name: string) => [['FilterLogEvents', { logGroupName: `/aws/lambda/${name}` }]];
      const answers: unknown[] = [];
      for (const name of ['whole', 'bare']) {
        // The first call makes the group.
        await invoke(aws, name, { calls: [] });
        answers.push((await invoke(aws, name, { calls: calls(name) })).body);
      }
      return answers;
    });
    expect(on).toEqual([{ FilterLogEvents: 'done' }, { FilterLogEvents: 'AccessDeniedException' }]);
    expect(off).not.toEqual(on);
  });
});

describe('signatures', () => {
  let aws: LocalAws;
  let service: Service & Deployment;
  beforeAll(async () => {
    aws = await startAws();
    service = await deployService(
      {
        yaml: `
service: guarded
provider: {name: aws, runtime: nodejs24.x, versionFunctions: false}
functions:
  hello:
    handler: handler.hello
    events:
      - httpApi: {method: POST, path: /guarded, authorizer: {type: aws_iam}}
      - httpApi: POST /open
`,
        files: {
          'handler.mjs': `export const hello = async (event) => ({statusCode: 200, body: event.body ?? ''});`,
        },
      },
      aws,
    );
  });
  afterAll(() => aws?.stop());

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
  it('are asked for by every service', async () => {
    for (const path of ['/2015-03-31/functions', '/?Action=ListUsers&Version=2010-05-08'])
      expect((await fetch(`${aws.endpoint}${path}`)).status, path).toBe(403);
    const wrong = new LambdaClient({
      ...client(aws.endpoint),
      credentials: { accessKeyId: 'test', secretAccessKey: 'wrong' },
      maxAttempts: 1,
    });
    expect(await errorName(wrong.send(new GetPolicyCommand({ FunctionName: 'x' })))).toBe(
      'InvalidSignatureException',
    );
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
  it('open an aws_iam route, and nothing else does', async () => {
    const url = new URL(`${service.http()}/guarded`);
    const refused = await fetch(url, { method: 'POST', body: '{}' });
    expect([refused.status, await refused.json()]).toEqual([403, { message: 'Forbidden' }]);
    const signed = async (secretAccessKey: string): Promise<Response> => {
      const signer = new SignatureV4({
        service: 'execute-api',
        region: REGION,
        credentials: { accessKeyId: 'test', secretAccessKey },
        sha256: Sha256,
      });
      const request = await signer.sign(
        new HttpRequest({
          method: 'POST',
          protocol: url.protocol,
          hostname: url.hostname,
          port: Number(url.port),
          path: url.pathname,
          headers: { host: url.host, 'content-type': 'application/json' },
          body: '{"a":1}',
        }),
      );
      return fetch(url, { method: 'POST', headers: request.headers, body: '{"a":1}' });
    };
    const accepted = await signed('test');
    expect([accepted.status, await accepted.text()]).toEqual([200, '{"a":1}']);
    const forged = await signed('other');
    expect([forged.status, await forged.json()]).toEqual([403, { message: 'Forbidden' }]);
    expect((await fetch(`${service.http()}/open`, { method: 'POST', body: '{}' })).status).toBe(200);
  });
});

/** https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html */
describe('the policy of an alias', () => {
  it('is its own, and goes with it', async () => {
    const { on, off } = await withAndWithout('permissions', async (aws) => {
      const lambda = new LambdaClient(client(aws.endpoint));
      await makeFunction(aws, { name: 'target', code: 'export const handler = async () => 1;' });
      await lambda.send(new PublishVersionCommand({ FunctionName: 'target' }));
      const alias = { FunctionName: 'target', Name: 'live', FunctionVersion: '1' };
      await lambda.send(new CreateAliasCommand(alias));
      const permission = {
        FunctionName: 'target',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
      };
      await lambda.send(
        new AddPermissionCommand({ ...permission, StatementId: 'on-alias', Qualifier: 'live' }),
      );
      await lambda.send(new DeleteAliasCommand(alias));
      await lambda.send(new CreateAliasCommand(alias));
      const after = await errorName(
        lambda.send(new GetPolicyCommand({ FunctionName: 'target', Qualifier: 'live' })),
      );
      lambda.destroy();
      return after;
    });
    expect(on).toBe('ResourceNotFoundException');
    expect(off).toBeUndefined();
  });

  it('is what an HTTP API needs to invoke it: a permission on the function is none', async () => {
    const probe = async (aws: LocalAws): Promise<number[]> => {
      const yaml = (target: string): string => `
service: aliased
provider: {name: aws, runtime: nodejs24.x, versionFunctions: false}
functions:
  hello: {handler: handler.hello}
resources:
  Resources:
    Version1: {Type: 'AWS::Lambda::Version', Properties: {FunctionName: {Ref: HelloLambdaFunction}}}
    Live:
      Type: AWS::Lambda::Alias
      Properties: {Name: live, FunctionName: {Ref: HelloLambdaFunction}, FunctionVersion: {'Fn::GetAtt': [Version1, Version]}}
    Api: {Type: 'AWS::ApiGatewayV2::Api', Properties: {Name: aliased, ProtocolType: HTTP}}
    Stage: {Type: 'AWS::ApiGatewayV2::Stage', Properties: {ApiId: {Ref: Api}, StageName: $default, AutoDeploy: true}}
    Integration:
      Type: AWS::ApiGatewayV2::Integration
      Properties: {ApiId: {Ref: Api}, IntegrationType: AWS_PROXY, PayloadFormatVersion: '2.0', IntegrationUri: {Ref: Live}}
    Route:
      Type: AWS::ApiGatewayV2::Route
      Properties: {ApiId: {Ref: Api}, RouteKey: 'GET /hello', Target: {'Fn::Join': ['/', [integrations, {Ref: Integration}]]}}
    Permission:
      Type: AWS::Lambda::Permission
      Properties: {Action: 'lambda:InvokeFunction', Principal: apigateway.amazonaws.com, FunctionName: ${target},
        SourceArn: {'Fn::Sub': 'arn:\${AWS::Partition}:execute-api:\${AWS::Region}:\${AWS::AccountId}:\${Api}/*'}}
`;
      const files = { 'handler.mjs': 'export const hello = async () => ({statusCode: 200, body: "hi"});' };
      const service = await deployService({ yaml: yaml('{Ref: HelloLambdaFunction}'), files }, aws);
      const before = (await fetch(`${service.http()}/hello`)).status;
      await service.deploy(yaml('{Ref: Live}'));
      return [before, (await fetch(`${service.http()}/hello`)).status];
    };
    const { on, off } = await withAndWithout('permissions', probe);
    expect(on).toEqual([500, 200]);
    expect(off).toEqual([200, 200]);
  });
});

// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
// https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
it('an alarm reaches a topic only if the topic’s policy lets CloudWatch publish for that alarm', async () => {
  const { on, off } = await withAndWithout('permissions', async (aws, isOn) => {
    const sns = new SNSClient(client(aws.endpoint));
    const sqs = new SQSClient(client(aws.endpoint));
    const cloudWatch = new CloudWatchClient(client(aws.endpoint));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'alerts' }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'heard' }));
    const queue = `arn:aws:sqs:${REGION}:${ACCOUNT}:heard`;
    const lets = (service: string, Action: string, Resource: string | undefined, source: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            ...{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action, Resource },
            Condition: { ArnLike: { 'aws:SourceArn': source } },
          },
        ],
      });
    const Policy = lets('sns', 'sqs:SendMessage', queue, `${TopicArn}`);
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue }));
    const alarms = `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:ours-*`;
    await sns.send(
      new SetTopicAttributesCommand({
        ...{ TopicArn, AttributeName: 'Policy' },
        AttributeValue: lets('cloudwatch', 'sns:Publish', TopicArn, alarms),
      }),
    );
    for (const AlarmName of ['others-one', 'ours-one']) {
      await cloudWatch.send(
        new PutMetricAlarmCommand({
          ...{ AlarmName, Namespace: 'N', MetricName: 'M', Statistic: 'Sum', Period: 60 },
          ...{ EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'GreaterThanThreshold' },
          AlarmActions: [`${TopicArn}`],
        }),
      );
      await cloudWatch.send(
        new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'a test' }),
      );
    }
    const heard: string[] = [];
    const end = Date.now() + 60_000;
    while (Date.now() < end && heard.length < (isOn ? 1 : 2)) {
      const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(asked));
      for (const { Body = '' } of Messages) heard.push(JSON.parse(JSON.parse(Body).Message).AlarmName);
    }
    for (const one of [sns, sqs, cloudWatch]) one.destroy();
    return heard.sort();
  });
  expect([on, off]).toEqual([['ours-one'], ['others-one', 'ours-one']]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
// https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
it('a service takes a role only if its trust policy lets it, with the conditions', async () => {
  const { on, off } = await withAndWithout('trust', async (aws) => {
    const iam = new IAMClient(client(aws.endpoint));
    const lambda = new LambdaClient(client(aws.endpoint));
    const scheduler = new SchedulerClient(client(aws.endpoint));
    const states = new SFNClient(client(aws.endpoint));
    const role = async (RoleName: string, service: string, SourceArn?: string): Promise<string> => {
      const Condition = SourceArn && {
        StringEquals: { 'aws:SourceAccount': ACCOUNT, 'aws:SourceArn': SourceArn },
      };
      const trust = {
        ...{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' },
        ...(Condition && { Condition }),
      };
      const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [trust] });
      await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
      return `arn:aws:iam::${ACCOUNT}:role/${RoleName}`;
    };
    const ours = `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/ours`;
    const machine = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:one`;
    await scheduler.send(new CreateScheduleGroupCommand({ Name: 'ours' }));
    const ZipFile = await zip({ 'handler.mjs': 'export const handler = () => 1;' });
    const Code = { ...{ Runtime: 'nodejs24.x' as const, Handler: 'handler.handler' }, Code: { ZipFile } };
    const scheduled = {
      ...{ Name: 'one', ScheduleExpression: 'rate(1 hour)', FlexibleTimeWindow: { Mode: 'OFF' as const } },
    };
    const Arn = `${FUNCTION}:one`;
    const definition = JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', End: true } } });
    const groupRole = await role('group', 'scheduler', ours);
    const machineRole = await role('machine', 'states', machine);
    const found = [
      lambda.send(new CreateFunctionCommand({ FunctionName: 'one', Role: groupRole, ...Code })),
      scheduler.send(new CreateScheduleCommand({ ...scheduled, Target: { Arn, RoleArn: groupRole } })),
      scheduler.send(
        new CreateScheduleCommand({ ...scheduled, GroupName: 'ours', Target: { Arn, RoleArn: groupRole } }),
      ),
      states.send(new CreateStateMachineCommand({ name: 'other', roleArn: machineRole, definition })),
      states.send(new CreateStateMachineCommand({ name: 'one', roleArn: machineRole, definition })),
    ];
    const names = await Promise.all(found.map(errorName));
    for (const one of [iam, lambda, scheduler, states]) one.destroy();
    return names;
  });
  expect(on).toEqual([
    'InvalidParameterValueException',
    'ValidationException',
    undefined,
    'AccessDeniedException',
    undefined,
  ]);
  expect(off).toEqual([undefined, undefined, undefined, undefined, undefined]);
});
