import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { REGION, startAws } from '../../../local-aws/start.ts';
import { ACCOUNT, invoke, makeFunction, makeRole } from '../lambda.ts';
import { makeQueue } from '../queue.ts';

const SPEED = 60;

/** The clock is an addition of ours and no semantic of AWS: at speed 1 everything is as it was. */
describe('the accelerated clock', () => {
  it('fires a schedule of a minute each second, for functions and clients alike', async () => {
    const aws = await startAws({ speed: SPEED });
    try {
      const code = `const at = []; export const handler = async (event, context) => {
        const left = context.getRemainingTimeInMillis();
        if (event.count) return at.length;
        if (event.ask) { const began = Date.now(); await new Promise((r) => setTimeout(r, 30_000)); return { at, began, waited: Date.now() - began, left, then: context.getRemainingTimeInMillis() }; }
        at.push(Date.now()); };`;
      const arn = await makeFunction(aws, { name: 'ticked', code });
      const role = await makeRole(
        aws,
        'ticks',
        [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: arn }],
        'scheduler',
      );
      expect(arn).toBe(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:ticked`);
      const scheduler = new SchedulerClient(client(aws.endpoint));
      await scheduler.send(
        new CreateScheduleCommand({
          Name: 'minutely',
          ScheduleExpression: 'rate(1 minute)',
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: arn, RoleArn: role, Input: '{}' },
        }),
      );
      scheduler.destroy();
      // How many are there after some seconds depends on the machine.
      await expect
        .poll(async () => (await invoke(aws, 'ticked', { count: true })).body, { interval: 500 })
        .toBeGreaterThanOrEqual(3);
      // The SDK, and what tells a person how long ago something was, go by the date of an answer.
      const byIt = (): number => {
        const epoch = Number(aws.env.MODELS_AWS_EPOCH);
        return epoch + (Date.now() - epoch) * SPEED;
      };
      const before = byIt();
      const told = Date.parse((await fetch(aws.endpoint)).headers.get('date') ?? '');
      expect([told - before >= -1000, told <= byIt()]).toEqual([true, true]);
      const began = performance.now();
      const {
        at,
        began: asked,
        waited,
        left,
        then: leftThen,
      } = (await invoke(aws, 'ticked', { ask: true })).body as {
        at: number[];
        began: number;
        waited: number;
        left: number;
        then: number;
      };
      // Half a minute by its clock took half a second of ours. Its limit is ten seconds of ours, and is told
      // by its clock.
      expect(performance.now() - began).toBeLessThan(15_000);
      expect(waited).toBeGreaterThanOrEqual(29_000);
      expect(left).toBeGreaterThan(5000 * SPEED);
      expect(left).toBeLessThanOrEqual(10_000 * SPEED);
      // A timer of what is left, as middy sets one, fires when the limit is reached: not at a sixtieth of it.
      expect(left - leftThen).toBeGreaterThanOrEqual(29_000);
      // Once in each minute of its clock: a busy machine makes one late, and the next comes sooner after it.
      const minutes = (asked - (at[0] ?? asked)) / 60_000;
      expect(at.length).toBeLessThanOrEqual(minutes + 2);

      const script =
        'console.log(Date.now(), new Date().getTime(), typeof Date(), new Date(0).toISOString(), new Date() instanceof Date, Date.now())';
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], {
        env: { ...process.env, ...aws.env },
      });
      const [now, made, text, zero, same, then] = stdout.trim().split(' ');
      // It has run for more than two seconds of ours: three minutes began, and half of one was waited.
      expect(Number(now) - Date.now()).toBeGreaterThan(2 * 60_000);
      expect(Number(made)).toBeGreaterThanOrEqual(Number(now));
      expect(Number(made)).toBeLessThanOrEqual(Number(then));
      expect([text, zero, same]).toEqual(['string', '1970-01-01T00:00:00.000Z', 'true']);
    } finally {
      await aws.stop();
    }
  });

  it('hides a message of a queue, and waits in a state machine', async () => {
    const aws = await startAws({ speed: SPEED });
    try {
      const sqs = new SQSClient(client(aws.endpoint));
      const sfn = new SFNClient(client(aws.endpoint));
      const { url: QueueUrl } = await makeQueue(sqs, 'queue', { VisibilityTimeout: '600' });
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'm' }));
      // Ten seconds of ours: a machine that is held up between two calls still finds it hidden.
      const receive = async (): Promise<number> =>
        (await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.length ?? 0;
      expect([await receive(), await receive()]).toEqual([1, 0]);
      const { stateMachineArn } = await sfn.send(
        new CreateStateMachineCommand({
          name: 'waits',
          roleArn: await makeRole(aws, 'waits', [], 'states'),
          definition: JSON.stringify({
            StartAt: 'Wait',
            States: { Wait: { Type: 'Wait', Seconds: 120, End: true } },
          }),
        }),
      );
      const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn }));
      const status = async (): Promise<string | undefined> =>
        (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
      await expect.poll(status).toBe('SUCCEEDED');
      await expect.poll(receive, { interval: 500 }).toBe(1);
      for (const one of [sqs, sfn]) one.destroy();
    } finally {
      await aws.stop();
    }
  });
});
