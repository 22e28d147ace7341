import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { client, deployed } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../../local-aws/start.ts';
import { ACCOUNT, errorName, makeFunction, withAndWithout } from '../lambda.ts';

const WEIGHT = 0.3;
const INVOCATIONS = 300;
/** 4.5 standard deviations of Binomial(300, 0.3): a fair router is outside seven times in a million runs. */
const ROOM = 4.5 * Math.sqrt(INVOCATIONS * WEIGHT * (1 - WEIGHT));

const LIVE = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:two:live`;
const CODE = `const version = process.env.AWS_LAMBDA_FUNCTION_VERSION;
export const handler = async (event, context) => {
  if (event.Records) console.log('ran', version);
  return { statusCode: 200, body: version, arn: context.invokedFunctionArn };
};`;

/** Versions 1 and 2 behind `live`, 0.3 of it on the second; API Gateway and S3 may invoke `live`. */
async function makeTwo(lambda: LambdaClient, aws: LocalAws): Promise<void> {
  await makeFunction(aws, { name: 'two', code: CODE });
  await lambda.send(new PublishVersionCommand({ FunctionName: 'two' }));
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'two', MemorySize: 512 }));
  await waitUntilFunctionUpdatedV2(
    { client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
    { FunctionName: 'two' },
  );
  await lambda.send(new PublishVersionCommand({ FunctionName: 'two' }));
  const live = { FunctionName: 'two', Name: 'live' };
  await lambda.send(new CreateAliasCommand({ ...live, FunctionVersion: '1' }));
  const RoutingConfig = { AdditionalVersionWeights: { 2: WEIGHT } };
  await lambda.send(new UpdateAliasCommand({ ...live, RoutingConfig }));
  for (const service of ['apigateway', 's3'])
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: 'two',
        Qualifier: 'live',
        StatementId: service,
        Action: 'lambda:InvokeFunction',
        Principal: `${service}.amazonaws.com`,
      }),
    );
}

async function directly(lambda: LambdaClient) {
  const [ran, told, seen]: [string[], string[], Set<string>] = [[], [], new Set()];
  for (let count = 0; count < INVOCATIONS; count++) {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'two', Qualifier: 'live' }));
    const { body, arn } = JSON.parse(answer.Payload?.transformToString() ?? '{}');
    ran.push(body);
    told.push(answer.ExecutedVersion ?? '');
    seen.add(arn);
  }
  return { ran, told, seen: [...seen] };
}

async function throughHttpApi(aws: LocalAws): Promise<string[]> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const type = (name: string): string => `AWS::ApiGatewayV2::${name}`;
  const ApiId = { Ref: 'Api' };
  const Resources = {
    Api: { Type: type('Api'), Properties: { Name: 'two', ProtocolType: 'HTTP' } },
    Stage: { Type: type('Stage'), Properties: { ApiId, StageName: '$default', AutoDeploy: true } },
    Integration: {
      Type: type('Integration'),
      Properties: {
        ApiId,
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: LIVE,
        PayloadFormatVersion: '2.0',
      },
    },
    Route: {
      Type: type('Route'),
      Properties: {
        ApiId,
        RouteKey: 'GET /',
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
      },
    },
  };
  const stack = { StackName: 'two', TemplateBody: JSON.stringify({ Resources }) };
  await cloudFormation.send(new CreateStackCommand(stack));
  await waitUntilStackCreateComplete(
    { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
    stack,
  );
  cloudFormation.destroy();
  const [made] = await deployed(aws.endpoint);
  const ran: string[] = [];
  for (let count = 0; count < INVOCATIONS; count++) ran.push(await (await fetch(`${made?.urls[0]}/`)).text());
  return ran;
}

async function throughS3(aws: LocalAws): Promise<string[]> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'incoming' }));
  const LambdaFunctionConfigurations = [{ LambdaFunctionArn: LIVE, Events: ['s3:ObjectCreated:*' as const] }];
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: 'incoming',
      NotificationConfiguration: { LambdaFunctionConfigurations },
    }),
  );
  for (let count = 0; count < INVOCATIONS; count++)
    await s3.send(new PutObjectCommand({ Bucket: 'incoming', Key: `${count}.csv`, Body: '1' }));
  s3.destroy();
  const logs = new CloudWatchLogsClient(client(aws.endpoint));
  const deadline = Date.now() + 200_000;
  let ran: string[] = [];
  // Events are asynchronous: each leaves a line in the log, some after the last object was written.
  while (ran.length < INVOCATIONS && Date.now() < deadline) {
    const lines: string[] = [];
    const pages = paginateFilterLogEvents({ client: logs }, { logGroupName: '/aws/lambda/two' });
    for await (const page of pages) lines.push(...(page.events ?? []).map(({ message }) => message ?? ''));
    ran = lines.flatMap((line) => /\bran (\d+)/.exec(line)?.[1] ?? []);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  logs.destroy();
  return ran;
}

async function spread(aws: LocalAws) {
  const lambda = new LambdaClient(client(aws.endpoint));
  await makeTwo(lambda, aws);
  const direct = await directly(lambda);
  lambda.destroy();
  return { direct, http: await throughHttpApi(aws), s3: await throughS3(aws) };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html */
describe('weights of an alias send that share of the invocations to the additional version', () => {
  let found: { readonly on: Awaited<ReturnType<typeof spread>>; readonly off: typeof found.on };
  beforeAll(async () => {
    found = await withAndWithout('weights', spread);
  });
  const second = (ran: readonly string[]): number => ran.filter((version) => version === '2').length;
  const isSplit = (on: readonly string[], off: readonly string[]): void => {
    expect([on.length, off.length]).toEqual([INVOCATIONS, INVOCATIONS]);
    expect(Math.abs(second(on) - INVOCATIONS * WEIGHT)).toBeLessThan(ROOM);
    expect(second(off)).toBe(0);
  };

  it('by direct invoke, which tells the version that ran; the function sees the alias', () => {
    isSplit(found.on.direct.ran, found.off.direct.ran);
    expect(found.on.direct.told).toEqual(found.on.direct.ran);
    expect(found.on.direct.seen).toEqual([LIVE]);
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
  it('through an HTTP API', () => isSplit(found.on.http, found.off.http));

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
  it('by events of S3', () => isSplit(found.on.s3, found.off.s3));
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
