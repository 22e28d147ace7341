import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import { provisionedCapacity } from '../../aws/lambda/capacity.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { errorName, makeFunction, withAndWithout } from './lambda.ts';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('provisioned concurrency of the local AWS', () => {
  // https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  it('takes its time, keeps what it has meanwhile, and is refused beyond reservation and account', async () => {
    const probe = async (aws: LocalAws) => {
      const lambda = new LambdaClient(client(aws.endpoint));
      const scaling = new ApplicationAutoScalingClient(client(aws.endpoint));
      const { provide, provided, limits } = provisionedCapacity(lambda, scaling);
      const FunctionName = 'warm';
      await makeFunction(aws, { name: FunctionName, code: 'export const handler = async () => 1;' });
      await lambda.send(new PublishVersionCommand({ FunctionName }));
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, MemorySize: 512 }));
      await lambda.send(new PublishVersionCommand({ FunctionName }));
      const ready = async () => {
        while ((await provided(FunctionName, '1'))?.state !== 'ready') await pause(100);
      };
      const stages: unknown[] = [];
      const look = async () => {
        const { requested, ready, state } = (await provided(FunctionName, '1')) ?? {};
        stages.push(`${ready} of ${requested}, ${state}`);
      };
      await provide(FunctionName, '1', 2);
      await look();
      await ready();
      await provide(FunctionName, '1', 4);
      await look();
      await ready();
      await look();
      const beyond = [await provide(FunctionName, '2', 897), await provide(FunctionName, '$LATEST', 1)];
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 5 }));
      const reserved = [await limits(FunctionName), await provide(FunctionName, '2', 2)];
      const fits = await provide(FunctionName, '2', 1);
      for (const one of [lambda, scaling]) one.destroy();
      return { stages, beyond, reserved, fits };
    };
    // Its time is three seconds of its clock, and it is looked at meanwhile: twelve of ours.
    const { on, off } = await withAndWithout('provisioned', probe, { speed: 0.25 });
    const refused = (why: string) => ({ refused: expect.stringContaining(why) });
    expect(on).toEqual({
      stages: ['0 of 2, inProgress', '2 of 4, inProgress', '4 of 4, ready'],
      beyond: [refused('below its minimum value of [100]'), refused('unpublished')],
      reserved: [{ reserved: 5, unreserved: 995 }, refused('reservedConcurrentExecution')],
      fits: 'ok',
    });
    expect(off.stages).toEqual(['2 of 2, ready', '4 of 4, ready', '4 of 4, ready']);
    expect([...off.beyond, off.reserved[1]]).toEqual(['ok', 'ok', 'ok']);
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
describe('metric data of the local AWS', () => {
  it('comes by pages, of exactly the dimensions that are asked for', async () => {
    const { on, off } = await withAndWithout('metric_data', async (aws) => {
      const cloudWatch = new CloudWatchClient({ ...client(aws.endpoint), maxAttempts: 1 });
      const minute = Math.floor(Date.now() / 60_000) * 60_000;
      const at = (back: number) => new Date(minute - back * 60_000);
      const metric = (Value?: string) => ({
        MetricName: 'Requests',
        ...(Value && { Dimensions: [{ Name: 'Version', Value }] }),
      });
      await cloudWatch.send(
        new PutMetricDataCommand({
          Namespace: 'N',
          MetricData: [1, 2].flatMap((back) =>
            ['1', '2'].map((version) => ({ ...metric(version), Timestamp: at(back), Value: back })),
          ),
        }),
      );
      const queries = [metric('1'), metric('2'), metric()].map((one, index) => ({
        Id: `m${index}`,
        MetricStat: { Metric: { Namespace: 'N', ...one }, Period: 60, Stat: 'Sum' },
      }));
      const pages: string[][] = [];
      let NextToken: string | undefined;
      do {
        const page = await cloudWatch.send(
          new GetMetricDataCommand({
            MetricDataQueries: queries,
            StartTime: at(10),
            EndTime: at(0),
            MaxDatapoints: 3,
            NextToken,
          }),
        );
        pages.push(
          (page.MetricDataResults ?? []).map(
            ({ Id, Values, StatusCode }) => `${Id} ${Values?.join(' ') ?? ''} ${StatusCode}`,
          ),
        );
        NextToken = page.NextToken;
      } while (NextToken);
      const refused = await errorName(
        cloudWatch.send(
          new GetMetricDataCommand({ MetricDataQueries: queries, StartTime: at(1), EndTime: at(1) }),
        ),
      );
      cloudWatch.destroy();
      return { pages, refused };
    });
    expect(on).toEqual({
      pages: [
        ['m0 1 2 Complete', 'm1 1 PartialData', 'm2  PartialData'],
        ['m0  Complete', 'm1 2 Complete', 'm2  Complete'],
      ],
      refused: expect.stringContaining('Validation'),
    });
    expect(off).toEqual({
      pages: [['m0 2 1 Complete', 'm1 2 1 Complete', 'm2 4 2 Complete']],
      refused: undefined,
    });
  });
});

const alarm = (AlarmName: string, AlarmActions: string[] = []) => ({
  AlarmName,
  AlarmActions,
  Namespace: 'N',
  MetricName: 'Errors',
  Statistic: 'Sum' as const,
  Period: 10,
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold' as const,
  TreatMissingData: 'ignore',
});

describe('alarms of the local AWS', () => {
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
  it('tell since when they are in their state, which no update of the alarm moves', async () => {
    const { on, off } = await withAndWithout('alarms', async (aws) => {
      const cloudWatch = new CloudWatchClient(client(aws.endpoint));
      const since = async () => {
        const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: ['a'] }));
        return MetricAlarms?.[0]?.StateTransitionedTimestamp?.getTime();
      };
      const set = (StateValue: 'OK' | 'ALARM') =>
        cloudWatch.send(new SetAlarmStateCommand({ AlarmName: 'a', StateValue, StateReason: 'test' }));
      await cloudWatch.send(new PutMetricAlarmCommand(alarm('a')));
      const made = await since();
      await pause(1100);
      await set('ALARM');
      const turned = await since();
      await pause(1100);
      await set('ALARM');
      await cloudWatch.send(new PutMetricAlarmCommand({ ...alarm('a'), Threshold: 1 }));
      const later = await since();
      cloudWatch.destroy();
      return { isTold: made !== undefined, moved: made !== turned, stays: turned === later };
    });
    expect(on).toEqual({ isTold: true, moved: true, stays: true });
    expect(off.isTold).toBe(false);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
  it('look back over a window that slides, whatever the hour', async () => {
    const aws = await startAws();
    const cloudWatch = new CloudWatchClient(client(aws.endpoint));
    try {
      await cloudWatch.send(new PutMetricAlarmCommand({ ...alarm('hourly'), Period: 3600 }));
      const Timestamp = new Date(Date.now() - 70_000);
      const MetricData = [{ MetricName: 'Errors', Value: 1, Timestamp }];
      await cloudWatch.send(new PutMetricDataCommand({ Namespace: 'N', MetricData }));
      const state = async () => {
        const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: ['hourly'] }));
        return MetricAlarms?.[0]?.StateValue;
      };
      await expect.poll(state).toBe('ALARM');
    } finally {
      cloudWatch.destroy();
      await aws.stop();
    }
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
  it('look at whole days by the clock where they are asked to', async () => {
    const DAY = 86_400_000;
    // A window that slides has just left yesterday's first second only once a minute of today is over.
    while (Date.now() % DAY < 120_000 || Date.now() % DAY > DAY - 90_000) await pause(1000);
    const aws = await startAws();
    const cloudWatch = new CloudWatchClient(client(aws.endpoint));
    try {
      const Timestamp = new Date(Math.floor(Date.now() / DAY) * DAY - DAY + 1000);
      // Without a point of the last 24 hours the sliding one would look further back.
      const MetricData = [
        { MetricName: 'Errors', Value: 1, Timestamp },
        { MetricName: 'Errors', Value: 0, Timestamp: new Date(Date.now() - 90_000) },
      ];
      await cloudWatch.send(new PutMetricDataCommand({ Namespace: 'N', MetricData }));
      const daily = { Period: 86_400, EvaluationPeriods: 1 };
      await cloudWatch.send(new PutMetricAlarmCommand({ ...alarm('sliding'), ...daily }));
      await cloudWatch.send(
        new PutMetricAlarmCommand({
          ...alarm('clock'),
          ...daily,
          EvaluationWindow: { WallClockWindow: { Timezone: 'UTC' } },
        }),
      );
      const state = async (name: string) => {
        const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
        return MetricAlarms?.[0]?.StateValue;
      };
      await expect.poll(() => state('clock')).toBe('ALARM');
      expect(await state('sliding')).not.toBe('ALARM');
    } finally {
      cloudWatch.destroy();
      await aws.stop();
    }
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html
  it('reach a function through a topic whose filter looks at the message, and nothing else does', async () => {
    const aws = await startAws();
    const settings = client(aws.endpoint);
    const cloudFormation = new CloudFormationClient(settings);
    const cloudWatch = new CloudWatchClient(settings);
    const logs = new CloudWatchLogsClient(settings);
    const sns = new SNSClient(settings);
    try {
      const code = `export const handler = async ({ Records }) => {
        for (const { Sns } of Records) console.log('heard at ' + Date.now() + ' ' + Sns.Message);
      };`;
      const target = await makeFunction(aws, { name: 'hook', code });
      const Resources = {
        Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
        Permission: {
          Type: 'AWS::Lambda::Permission',
          Properties: {
            Action: 'lambda:InvokeFunction',
            FunctionName: target,
            Principal: 'sns.amazonaws.com',
            SourceArn: { Ref: 'Topic' },
          },
        },
        Subscription: {
          Type: 'AWS::SNS::Subscription',
          DependsOn: 'Permission',
          Properties: {
            TopicArn: { Ref: 'Topic' },
            Protocol: 'lambda',
            Endpoint: target,
            FilterPolicyScope: 'MessageBody',
            FilterPolicy: { AlarmName: ['churn-errors', 'churn-crashes'], NewStateValue: ['ALARM'] },
          },
        },
      };
      const TemplateBody = JSON.stringify({ Resources });
      await cloudFormation.send(new CreateStackCommand({ StackName: 'hook', TemplateBody }));
      await waitUntilStackCreateComplete(
        { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
        { StackName: 'hook' },
      );
      const TopicArn = 'arn:aws:sns:us-east-1:000000000000:alerts';
      for (const name of ['churn-errors', 'churn-throttles'])
        await cloudWatch.send(new PutMetricAlarmCommand(alarm(name, [TopicArn])));
      // A notice is no JSON, so the worker does not hear its own.
      await sns.send(new PublishCommand({ TopicArn, Message: 'churn-errors: version 4 was rolled back' }));
      const period = Math.floor(Date.now() / 10_000) + 1;
      await cloudWatch.send(
        new PutMetricDataCommand({ Namespace: 'N', MetricData: [{ MetricName: 'Errors', Value: 1 }] }),
      );
      const heard = async (): Promise<{ at: number; message: Record<string, unknown> }[]> => {
        const { events } = await logs
          .send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/hook' }))
          .catch(() => ({ events: [] }));
        return (events ?? []).flatMap(({ message = '' }) => {
          const [, at, text] = /heard at (\d+) (\{.*\})/.exec(message) ?? [];
          return at && text ? [{ at: Number(at), message: JSON.parse(text) }] : [];
        });
      };
      const deadline = Date.now() + 120_000;
      while (Date.now() < deadline && (await heard()).length === 0) await pause(200);
      await pause(1500);
      const all = await heard();
      expect(all.map(({ message }) => message)).toEqual([
        expect.objectContaining({
          AlarmName: 'churn-errors',
          NewStateValue: 'ALARM',
          OldStateValue: 'INSUFFICIENT_DATA',
        }),
      ]);
      // Beyond the alarm's own period: AWS needs seconds, too, and a busy machine some more.
      expect((all[0]?.at ?? 0) - period * 10_000).toBeLessThan(40_000);
    } finally {
      for (const one of [cloudFormation, cloudWatch, logs, sns]) one.destroy();
      await aws.stop();
    }
  });
});
