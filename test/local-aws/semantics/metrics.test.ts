import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  type MetricAlarm,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateAliasCommand, LambdaClient, PublishVersionCommand } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../core/metrics/contract.ts';
import { createMeter } from '../../../functions/infer/metrics.ts';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { invoke, makeFunction, withAndWithout } from '../lambda.ts';
import { put } from '../log-events.ts';

type Dimensions = Readonly<Record<string, string>>;

/** Sum of a metric with exactly these dimensions, over the last hour. */
async function sum(
  aws: LocalAws,
  Namespace: string,
  MetricName: string,
  dimensions: Dimensions,
): Promise<number> {
  const cloudWatch = new CloudWatchClient(client(aws.endpoint));
  const answer = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace,
              MetricName,
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 60,
            Stat: 'Sum',
          },
        },
      ],
    }),
  );
  cloudWatch.destroy();
  return (answer.MetricDataResults?.[0]?.Values ?? []).reduce((total, value) => total + value, 0);
}

const EMITS = `export const handler = async ({ fail }) => {
  process.stdout.write(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'ServerlessModels',
    Dimensions: [['Model'], ['Model', 'Version']], Metrics: [{ Name: 'Requests', Unit: 'Count' }, { Name: 'Latency' }] }] },
    Model: 'm', Version: process.env.AWS_LAMBDA_FUNCTION_VERSION, Requests: 1, Latency: [2, 3] }) + '\\n');
  if (fail) throw new Error('asked to');
};`;

describe('metrics', () => {
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
  it('of functions by alias and executed version, and those in their log lines', async () => {
    const { on, off } = await withAndWithout('metrics', async (aws) => {
      const lambda = new LambdaClient(client(aws.endpoint));
      await makeFunction(aws, { name: 'f', code: EMITS });
      await lambda.send(new PublishVersionCommand({ FunctionName: 'f' }));
      await lambda.send(new CreateAliasCommand({ FunctionName: 'f', Name: 'live', FunctionVersion: '1' }));
      lambda.destroy();
      for (const fail of [false, false, true]) await invoke(aws, 'f', { fail }, 'live');
      await invoke(aws, 'f');
      const lambdaSum = (name: string, dimensions: Dimensions): Promise<number> =>
        sum(aws, 'AWS/Lambda', name, { FunctionName: 'f', ...dimensions });
      return {
        all: await lambdaSum('Invocations', {}),
        live: await lambdaSum('Invocations', { Resource: 'f:live' }),
        executed: await lambdaSum('Invocations', { Resource: 'f:live', ExecutedVersion: '1' }),
        errors: await lambdaSum('Errors', { Resource: 'f:live', ExecutedVersion: '1' }),
        latest: await lambdaSum('Invocations', { Resource: 'f' }),
        requests: await sum(aws, 'ServerlessModels', 'Requests', { Model: 'm', Version: '1' }),
        latency: await sum(aws, 'ServerlessModels', 'Latency', { Model: 'm' }),
      };
    });
    expect(on).toEqual({ all: 4, live: 3, executed: 3, errors: 1, latest: 1, requests: 3, latency: 20 });
    expect(off).toMatchObject({ executed: 0, requests: 0 });
  });

  // "The timestamp on an error metric reflects when the function was invoked, not when the error occurred":
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
  it('are of the minute in which a function was invoked, and come when it has ended', async () => {
    const aws = await startAws({ speed: 40 });
    try {
      const code = `export const handler = async () => {
        await new Promise((done) => setTimeout(done, 120_000)); return Date.now(); };`;
      await makeFunction(aws, { name: 'long', code, timeout: 900 });
      const { body } = await invoke(aws, 'long');
      const ended = Number(body);
      const cloudWatch = new CloudWatchClient(client(aws.endpoint));
      const Metric = {
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Dimensions: [{ Name: 'FunctionName', Value: 'long' }],
      };
      const { MetricDataResults: [found] = [] } = await cloudWatch.send(
        new GetMetricDataCommand({
          StartTime: new Date(ended - 3_600_000),
          EndTime: new Date(ended + 3_600_000),
          MetricDataQueries: [{ Id: 'm', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }],
        }),
      );
      cloudWatch.destroy();
      expect(found?.Values).toEqual([0]);
      expect((found?.Timestamps?.[0]?.getTime() ?? ended) + 60_000).toBeLessThan(ended);
    } finally {
      await aws.stop();
    }
  });
});

/**
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
describe('embedded metrics', () => {
  it('are taken from lines that keep to the format, and only those', async () => {
    // Prints what it is asked to, as a function's standard output.
    const code = `export const handler = async (documents) => {
      for (const one of documents) process.stdout.write(JSON.stringify(one).replace('"NOW"', Date.now()) + '\\n'); };`;
    const { on, off } = await withAndWithout('metrics', async (aws) => {
      await makeFunction(aws, { name: 'f', code });
      const line = (name: string, value: unknown, changes: object = {}, more: object = {}): object => ({
        _aws: {
          CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [['D']], Metrics: [{ Name: name }], ...changes }],
          Timestamp: 'NOW',
        },
        D: 'd',
        [name]: value,
        ...more,
      });
      const names = Array.from({ length: 101 }, (_, i) => `m${i}`);
      const old = line('old', 1);
      await invoke(aws, 'f', [
        line('number', 2),
        line('array', [1, 2, 3]),
        line(
          'long',
          Array.from({ length: 150 }, () => 1),
        ),
        line('text', '5'),
        line('flag', true),
        line('dimension', 1, {}, { D: 5 }),
        line('missing', undefined),
        line(
          'm0',
          1,
          { Metrics: names.map((Name) => ({ Name })) },
          Object.fromEntries(names.map((n) => [n, 1])),
        ),
        { ...old, _aws: { ...(old as { _aws: object })._aws, Timestamp: Date.now() - 15 * 86_400_000 } },
      ]);
      // Lines that a client writes are read, too:
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Generation_PutLogEvents.html
      const logs = new CloudWatchLogsClient(client(aws.endpoint));
      const message = JSON.stringify(line('put', 4)).replace('"NOW"', String(Date.now()));
      await put(logs, 'group', [{ at: Date.now(), message }]);
      logs.destroy();
      const found: Record<string, number> = {};
      for (const name of [
        'number',
        'put',
        'array',
        'long',
        'text',
        'flag',
        'dimension',
        'missing',
        'm0',
        'old',
      ])
        found[name] = await sum(aws, 'N', name, { D: name === 'dimension' ? '5' : 'd' });
      return found;
    });
    const none = { text: 0, flag: 0, dimension: 0, missing: 0, m0: 0, old: 0 };
    expect(on).toEqual({ number: 2, put: 4, array: 6, long: 100, ...none });
    expect(off).toEqual({ number: 0, put: 0, array: 0, long: 0, ...none });
  });

  it('are those that an endpoint writes', async () => {
    // Made by the endpoint's own code, printed by a function, read from CloudWatch.
    const lines: string[] = [];
    const manifest = {
      schema: 1,
      model: 'm',
      identity: 'i',
      signature: { inputs: [], outputs: [], omitted: [] },
      opset: 17,
      file: 'f',
      remote: [],
      signals: [{ name: 'label2_f1', kind: 'label', output: 'p', logits: false, scores: 1 }],
    } as const;
    const environment = { AWS_LAMBDA_FUNCTION_NAME: 's-dev-m', AWS_LAMBDA_FUNCTION_VERSION: '3' };
    const meter = createMeter(manifest, environment, false, (line) => {
      lines.push(line);
    });
    for (const p of [0.9, 0.2, 0.3]) {
      const data = Float32Array.of(p, 1 - p);
      meter.answered(meter.now() - 20, meter.score({ p: { datatype: 'FP32', shape: [1, 2], data } }));
    }
    meter.failed();
    meter.rejected();
    const aws = await startAws();
    try {
      const code = `import { writeSync } from 'node:fs';
        export const handler = async (lines) => { for (const line of lines) writeSync(1, line); };`;
      await makeFunction(aws, { name: 'f', code });
      await invoke(aws, 'f', lines);
      const of = (name: string, dimensions: Dimensions): Promise<number> =>
        sum(aws, METRICS.namespace, name, dimensions);
      for (const dimensions of [{ Model: 's-dev-m' }, { Model: 's-dev-m', Version: '3' }]) {
        const got = {
          requests: await of(METRICS.requests, dimensions),
          errors: await of(METRICS.errors, dimensions),
          cold: await of(METRICS.coldStart, dimensions),
          slow: await of(METRICS.slow[0], dimensions),
          label: await of('Out_label2_f1_a', dimensions),
          squares: await of('Out_label2_f1_aa', dimensions),
          rejected: await of(METRICS.rejected, dimensions),
        };
        expect(got).toEqual({ requests: 4, errors: 1, cold: 1, slow: 0, label: 1, squares: 3, rejected: 1 });
        expect(await of(METRICS.latency, dimensions)).toBeGreaterThan(59);
      }
    } finally {
      await aws.stop();
    }
  });
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html */
describe('alarms', () => {
  it('look at exactly their dimensions, understand metric math, and report changes as events', async () => {
    const { on, off } = await withAndWithout('alarms', async (aws, isOn) => {
      const code = `export const handler = async ({ detail }) => console.log('now', detail.alarmName, detail.state.value);`;
      const target = await makeFunction(aws, { name: 'hook', code });
      const cloudFormation = new CloudFormationClient(client(aws.endpoint));
      const template = {
        Resources: {
          Rule: {
            Type: 'AWS::Events::Rule',
            Properties: {
              EventPattern: { source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] },
              Targets: [{ Id: 'hook', Arn: target }],
            },
          },
          Permission: {
            Type: 'AWS::Lambda::Permission',
            Properties: {
              Action: 'lambda:InvokeFunction',
              FunctionName: target,
              Principal: 'events.amazonaws.com',
              SourceArn: { 'Fn::GetAtt': ['Rule', 'Arn'] },
            },
          },
        },
      };
      await cloudFormation.send(
        new CreateStackCommand({ StackName: 'rule', TemplateBody: JSON.stringify(template) }),
      );
      await waitUntilStackCreateComplete(
        { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
        { StackName: 'rule' },
      );
      cloudFormation.destroy();

      const cloudWatch = new CloudWatchClient(client(aws.endpoint));
      const metric = (MetricName: string, version: string) => ({
        Namespace: 'N',
        MetricName,
        Dimensions: [{ Name: 'Version', Value: version }],
      });
      const plain = (version: string) => ({
        AlarmName: `plain-${version}`,
        ...metric('Errors', version),
        Statistic: 'Sum' as const,
        Period: 10,
        EvaluationPeriods: 2,
        DatapointsToAlarm: 1,
        Threshold: 0,
        ComparisonOperator: 'GreaterThanThreshold' as const,
        TreatMissingData: 'notBreaching',
      });
      for (const version of ['1', '2']) await cloudWatch.send(new PutMetricAlarmCommand(plain(version)));
      await cloudWatch.send(
        new PutMetricAlarmCommand({
          AlarmName: 'math',
          EvaluationPeriods: 1,
          Threshold: 0.05,
          ComparisonOperator: 'GreaterThanThreshold',
          Metrics: [
            {
              Id: 'e',
              MetricStat: { Metric: metric('Errors', '2'), Period: 10, Stat: 'Sum' },
              ReturnData: false,
            },
            {
              Id: 'i',
              MetricStat: { Metric: metric('Invocations', '2'), Period: 10, Stat: 'Sum' },
              ReturnData: false,
            },
            { Id: 'rate', Expression: 'IF(i > 0, e / i, 0)' },
          ],
        }),
      );
      const logs = new CloudWatchLogsClient(client(aws.endpoint));
      const events = new Set<string>();
      const deadline = Date.now() + (isOn ? 120_000 : 26_000);
      while (Date.now() < deadline && !(events.has('plain-2') && events.has('math'))) {
        await cloudWatch.send(
          new PutMetricDataCommand({
            Namespace: 'N',
            MetricData: [
              { ...metric('Errors', '2'), Value: 1 },
              { ...metric('Invocations', '2'), Value: 10 },
            ],
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const lines = await logs.send(new FilterLogEventsCommand({ logGroupName: '/aws/lambda/hook' })).then(
          ({ events }) => (events ?? []).map(({ message }) => message ?? ''),
          () => [],
        );
        for (const line of lines) {
          const [, name] = /now (\S+) ALARM/.exec(line) ?? [];
          if (name) events.add(name);
        }
      }
      const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({}));
      cloudWatch.destroy();
      logs.destroy();
      return {
        events: [...events].sort(),
        states: Object.fromEntries(
          (MetricAlarms ?? []).map(({ AlarmName, StateValue }) => [AlarmName, StateValue]),
        ),
      };
    });
    expect(on.events).toEqual(['math', 'plain-2']);
    expect(on.states).toEqual({ 'plain-1': 'OK', 'plain-2': 'ALARM', math: 'ALARM' });
    expect(off.events).toEqual([]);
    expect(off.states).not.toEqual(on.states);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html: once a minute.
it('a new alarm of a stack is not evaluated in the second in which it is made', async () => {
  const aws = await startAws({ speed: 10 });
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const cloudWatch = new CloudWatchClient(client(aws.endpoint));
  try {
    const Properties = {
      AlarmName: 'silence',
      ...{ Namespace: 'N', MetricName: 'Nobody', Statistic: 'Sum', Period: 60, EvaluationPeriods: 1 },
      ...{ Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'breaching' },
    };
    const TemplateBody = JSON.stringify({
      Resources: { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties } },
    });
    const silence = async (): Promise<MetricAlarm | undefined> => {
      const { MetricAlarms = [] } = await cloudWatch.send(
        new DescribeAlarmsCommand({ AlarmNames: ['silence'] }),
      );
      return MetricAlarms[0];
    };
    await cloudFormation.send(new CreateStackCommand({ StackName: 'silent', TemplateBody }));
    await expect.poll(async () => (await silence())?.StateValue).toBe('ALARM');
    const { AlarmConfigurationUpdatedTimestamp: made, StateTransitionedTimestamp: since } =
      (await silence()) ?? {};
    // Fifteen seconds of its clock, of which one tells whole ones.
    expect(Number(since) - Number(made)).toBeGreaterThan(13_000);
  } finally {
    cloudFormation.destroy();
    cloudWatch.destroy();
    await aws.stop();
  }
});

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
describe('a load balancer', () => {
  it('sends at most 1 MB, and compressed or binary bodies in base64', async () => {
    const aws = await startAws();
    try {
      const code = `export const handler = async (event) => ({ statusCode: 200, isBase64Encoded: false,
        headers: { 'content-type': 'text/plain' }, body: event.isBase64Encoded + ' ' + event.body.length });`;
      const target = await makeFunction(aws, { name: 'balanced', code });
      const cloudFormation = new CloudFormationClient(client(aws.endpoint));
      const template = {
        Resources: {
          Balancer: {
            Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
            Properties: { Name: 'balancer', Subnets: ['subnet-1', 'subnet-2'] },
          },
          Permission: {
            Type: 'AWS::Lambda::Permission',
            Properties: {
              Action: 'lambda:InvokeFunction',
              FunctionName: target,
              Principal: 'elasticloadbalancing.amazonaws.com',
            },
          },
          Target: {
            Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
            DependsOn: 'Permission',
            Properties: { Name: 'target', TargetType: 'lambda', Targets: [{ Id: target }] },
          },
          Listener: {
            Type: 'AWS::ElasticLoadBalancingV2::Listener',
            Properties: {
              LoadBalancerArn: { Ref: 'Balancer' },
              Port: 80,
              Protocol: 'HTTP',
              DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Target' } }],
            },
          },
        },
      };
      await cloudFormation.send(
        new CreateStackCommand({ StackName: 'balanced', TemplateBody: JSON.stringify(template) }),
      );
      await waitUntilStackCreateComplete(
        { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
        { StackName: 'balanced' },
      );
      cloudFormation.destroy();
      const post = async (bytes: number, headers: Record<string, string>): Promise<[number, string]> => {
        const answer = await fetch(`${aws.endpoint}/_alb/balancer/x`, {
          method: 'POST',
          headers,
          body: 'x'.repeat(bytes),
        });
        return [answer.status, answer.status === 200 ? await answer.text() : ''];
      };
      const json = { 'content-type': 'application/json' };
      expect(await post(3, json)).toEqual([200, 'false 3']);
      expect(await post(3, { ...json, 'content-encoding': 'gzip' })).toEqual([200, 'true 4']);
      expect(await post(3, { 'content-type': 'application/octet-stream' })).toEqual([200, 'true 4']);
      expect(await post(1024 * 1024 + 1, json)).toEqual([413, '']);
    } finally {
      await aws.stop();
    }
  });
});
