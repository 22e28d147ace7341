import {
  DeleteScheduledActionCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { CreateAliasCommand, InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { closedGate } from '../closed-gate.ts';
import { errorName, withAndWithout } from '../lambda.ts';
import { type Scalable, scalable, target, tracking } from './scalable.ts';

const SPEED = 60;

// https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
describe('a scheduled action', () => {
  it('changes bounds and provisioned concurrency at its time by the clock of its time zone', async () => {
    const { on, off } = await withAndWithout('autoscaling', async (aws) => {
      const to = scalable(aws);
      try {
        await to.make('timed', 1);
        const bounds = { MinCapacity: 1, MaxCapacity: 4 };
        const refused = await errorName(
          to.scaling.send(new RegisterScalableTargetCommand({ ...target('timed'), ...bounds })),
        );
        if (refused) return refused;
        // Kathmandu is 5 h 45 min ahead of UTC, all year.
        // Some seconds ahead: what is past when it is put never comes.
        const local = new Date(Date.now() + 8000 + (5 * 60 + 45) * 60_000).toISOString().slice(0, 19);
        await to.scaling.send(
          new PutScheduledActionCommand({
            ...target('timed'),
            ScheduledActionName: 'up',
            Schedule: `at(${local})`,
            Timezone: 'Asia/Kathmandu',
            ScalableTargetAction: { MinCapacity: 3 },
          }),
        );
        return await to.becomes('timed', 3);
      } finally {
        to.close();
      }
    });
    expect([on, off]).toEqual([3, expect.any(String)]);
  });
});

describe('by the fast clock', () => {
  let aws: LocalAws;
  let to: Scalable;
  beforeAll(async () => {
    aws = await startAws({ speed: SPEED });
    to = scalable(aws);
  });
  afterAll(async () => {
    to?.close();
    await aws?.stop();
  });
  const register = (name: string, MinCapacity: number, MaxCapacity: number) =>
    to.scaling.send(new RegisterScalableTargetCommand({ ...target(name), MinCapacity, MaxCapacity }));

  // https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
  it('paired schedules raise and lower; at zero the configuration is gone', async () => {
    await to.make('paired', 2);
    await register('paired', 0, 2);
    const put = (ScheduledActionName: string, Schedule: string, MinCapacity: number, MaxCapacity: number) =>
      to.scaling.send(
        new PutScheduledActionCommand({
          ...target('paired'),
          ScheduledActionName,
          Schedule,
          ScalableTargetAction: { MinCapacity, MaxCapacity },
        }),
      );
    const drop = (ScheduledActionName: string) =>
      to.scaling.send(new DeleteScheduledActionCommand({ ...target('paired'), ScheduledActionName }));
    await put('up', 'cron(* * * * ? *)', 5, 9);
    expect(await to.becomes('paired', 5)).toBe(5);
    await drop('up');
    await put('off', 'rate(1 minute)', 0, 0);
    expect(await to.becomes('paired', 0)).toBe(0);
    await drop('off');
    await put('on', 'cron(0/1 * * * ? *)', 1, 9);
    expect(await to.becomes('paired', 1)).toBe(1);
  });

  // https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
  it('target tracking follows the use, out and in', async () => {
    await to.make('tracked', 2);
    await register('tracked', 1, 9);
    await to.scaling.send(
      new PutScalingPolicyCommand({ ...target('tracked'), PolicyName: 'track', ...tracking(0.5) }),
    );
    /** Calls without a break, so many at once, until the concurrency is *amount*. */
    const callUntil = async (atOnce: number, amount: number): Promise<number> => {
      const Payload = '{"wait":6000}'; // a tenth of a second of ours
      const input = { FunctionName: 'tracked', Qualifier: '1', Payload };
      let ended = false;
      const call = async (): Promise<void> => {
        while (!ended) await to.lambda.send(new InvokeCommand(input));
      };
      const calls = Array.from({ length: atOnce }, call);
      const reached = await to.becomes('tracked', amount);
      ended = true;
      await Promise.all(calls);
      return reached;
    };
    // Two at once use half of four, the target; one at once a quarter of them, or half of two.
    expect(await callUntil(2, 4)).toBe(4);
    // Without a request nothing tells the use, and without data nothing is taken away (docs/capacity.md).
    await new Promise((resolve) => setTimeout(resolve, (20 * 60_000) / SPEED));
    expect(await to.held('tracked')).toBe(4);
    expect(await callUntil(1, 2)).toBe(2);
  });
});

describe('the use of provisioned concurrency', () => {
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
  it('is told by the version that holds it, with what spilled over, however it was invoked', async () => {
    const { on, off } = await withAndWithout('utilisation', async (aws) => {
      const to = scalable(aws);
      const cloudWatch = new CloudWatchClient(client(aws.endpoint));
      try {
        await to.make('used', 2);
        await to.ready('used');
        const live = { FunctionName: 'used', Name: 'live', FunctionVersion: '1' };
        await to.lambda.send(new CreateAliasCommand(live));
        const call = (Qualifier: string, Payload: string) =>
          to.lambda.send(new InvokeCommand({ FunctionName: 'used', Qualifier, Payload }));
        await call('1', '{}');
        const gate = await closedGate(3);
        const three = Array.from({ length: 3 }, () => call('live', JSON.stringify({ gate: gate.url })));
        await gate.asked;
        gate.open();
        await Promise.all(three);
        const statistic = async (MetricName: string, kind: 'Sum' | 'Maximum') => {
          const { Datapoints } = await cloudWatch.send(
            new GetMetricStatisticsCommand({
              Namespace: 'AWS/Lambda',
              MetricName,
              Dimensions: [
                { Name: 'FunctionName', Value: 'used' },
                { Name: 'Resource', Value: 'used:1' },
              ],
              StartTime: new Date(Date.now() - 3_600_000),
              EndTime: new Date(Date.now() + 3_600_000),
              Period: 86_400,
              Statistics: [kind],
            }),
          );
          return Datapoints?.[0]?.[kind];
        };
        return [
          await statistic('ProvisionedConcurrentExecutions', 'Maximum'),
          await statistic('ProvisionedConcurrencyUtilization', 'Maximum'),
          await statistic('ProvisionedConcurrencyInvocations', 'Sum'),
          await statistic('ProvisionedConcurrencySpilloverInvocations', 'Sum'),
        ];
      } finally {
        to.close();
        cloudWatch.destroy();
      }
    });
    expect(on).toEqual([2, 1, 3, 1]);
    expect(off).toEqual([undefined, undefined, undefined, undefined]);
  });
});
