import {
  CloudWatchLogsClient,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleGroupCommand,
  ListSchedulesCommand,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { ACCOUNT, errorName, makeFunction, makeRole } from '../lambda.ts';

/**
 * Tells its log what it got. Its memory would not do: where the question comes while the event is handled,
 * another environment answers it, on AWS as here.
 */
const TELLS = `export const handler = async (event, context) => {
  console.log('got ' + JSON.stringify({ event, arn: context.invokedFunctionArn }));
};`;
const arnOf = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

describe('what invokes functions', () => {
  let aws: LocalAws;
  let lambda: LambdaClient;
  let s3: S3Client;
  let logs: CloudWatchLogsClient;
  beforeAll(async () => {
    aws = await startAws();
    lambda = new LambdaClient(client(aws.endpoint));
    logs = new CloudWatchLogsClient(client(aws.endpoint));
    s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  });
  afterAll(async () => {
    lambda?.destroy();
    s3?.destroy();
    logs?.destroy();
    await aws?.stop();
  });
  const got = async (name: string): Promise<{ event: unknown; arn: string }[]> => {
    // The group comes with the first event.
    const answer = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
    return (answer?.events ?? []).flatMap(({ message = '' }) => {
      const [, told] = /\bgot (\{.*\})/.exec(message) ?? [];
      return told === undefined ? [] : [JSON.parse(told)];
    });
  };
  const eventually = async <T>(look: () => Promise<T[]>): Promise<T[]> => {
    const deadline = Date.now() + 120_000;
    for (;;) {
      const found = await look();
      if (found.length > 0 || Date.now() > deadline) return found;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html: the schedule's role decides, its
  // input is the event
  it('one-time and recurring schedules, with the input and the role given', async () => {
    const scheduler = new SchedulerClient(client(aws.endpoint));
    const may = await makeRole(
      aws,
      'may',
      [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arnOf('ticked') }],
      'scheduler',
    );
    const mayNot = await makeRole(aws, 'may-not', [], 'scheduler');
    for (const name of ['ticked', 'unticked']) await makeFunction(aws, { name, code: TELLS });
    await scheduler.send(new CreateScheduleGroupCommand({ Name: 'group' }));
    const at = new Date(Date.now() + 1500).toISOString().slice(0, 19);
    for (const [name, role] of [
      ['ticked', may],
      ['unticked', mayNot],
    ] as const)
      await scheduler.send(
        new CreateScheduleCommand({
          Name: name,
          GroupName: 'group',
          ScheduleExpression: `at(${at})`,
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: arnOf(name), RoleArn: role, Input: '{"tick":1}' },
        }),
      );
    const ticks = await eventually(() => got('ticked'));
    expect(ticks.map(({ event }) => event)).toEqual([{ tick: 1 }]);
    expect(await got('unticked')).toEqual([]);
    await scheduler.send(
      new CreateScheduleCommand({
        Name: 'every-minute',
        GroupName: 'group',
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: arnOf('ticked'), RoleArn: may, Input: '{"tick":2}' },
      }),
    );
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group-delete.html
    await scheduler.send(new DeleteScheduleGroupCommand({ Name: 'group' }));
    const left = await scheduler.send(new ListSchedulesCommand({}));
    expect(left.Schedules).toEqual([]);
    scheduler.destroy();
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/NotificationHowTo.html
  it('S3 notifications to an alias, which the function sees as the ARN it was invoked by', async () => {
    await makeFunction(aws, { name: 'notified', code: TELLS });
    await lambda.send(new PublishVersionCommand({ FunctionName: 'notified' }));
    await lambda.send(
      new CreateAliasCommand({ FunctionName: 'notified', Name: 'live', FunctionVersion: '1' }),
    );
    await s3.send(new CreateBucketCommand({ Bucket: 'incoming' }));
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: 'notified',
        Qualifier: 'live',
        StatementId: 's3',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        SourceArn: 'arn:aws:s3:::incoming',
      }),
    );
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'incoming',
        NotificationConfiguration: {
          LambdaFunctionConfigurations: [
            { LambdaFunctionArn: `${arnOf('notified')}:live`, Events: ['s3:ObjectCreated:*'] },
          ],
        },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket: 'incoming', Key: 'a.csv', Body: '1' }));
    const told = await eventually(() => got('notified'));
    expect(told.map(({ arn }) => arn)).toEqual([`${arnOf('notified')}:live`]);
  });

  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
  it('S3 writes on condition', async () => {
    const put = (Key: string, condition: { IfNoneMatch?: string; IfMatch?: string }) =>
      s3.send(new PutObjectCommand({ Bucket: 'conditions', Key, Body: String(Math.random()), ...condition }));
    await s3.send(new CreateBucketCommand({ Bucket: 'conditions' }));
    const { ETag = '' } = await put('a', { IfNoneMatch: '*' });
    expect(await errorName(put('a', { IfNoneMatch: '*' }))).toBe('PreconditionFailed');
    const next = await put('a', { IfMatch: ETag });
    expect(await errorName(put('a', { IfMatch: ETag }))).toBe('PreconditionFailed');
    expect(await errorName(put('absent', { IfMatch: ETag }))).toBe('NoSuchKey');
    expect((await s3.send(new GetObjectCommand({ Bucket: 'conditions', Key: 'a' }))).ETag).toBe(next.ETag);
  });

  // https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
  it('aliases move only from the revision that the caller knows', async () => {
    await makeFunction(aws, { name: 'revised', code: TELLS });
    await lambda.send(new PublishVersionCommand({ FunctionName: 'revised' }));
    const live = { FunctionName: 'revised', Name: 'live' };
    const made = await lambda.send(new CreateAliasCommand({ ...live, FunctionVersion: '1' }));
    const moved = await lambda.send(new UpdateAliasCommand({ ...live, RevisionId: made.RevisionId ?? '' }));
    expect(moved.RevisionId).not.toBe(made.RevisionId);
    expect(
      await errorName(lambda.send(new UpdateAliasCommand({ ...live, RevisionId: made.RevisionId ?? '' }))),
    ).toBe('PreconditionFailedException');
  });
});
