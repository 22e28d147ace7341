import { LambdaClient, PublishVersionCommand, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION } from '../../../local-aws/start.ts';
import { closedGate } from '../closed-gate.ts';
import { ACCOUNT, errorName, makeFunction, makeRole, type Statement, withAndWithout } from '../lambda.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const allow = (Action: string, Resource: string): Statement => ({ Effect: 'Allow', Action, Resource });
const machineArn = (name: string): string => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;

/** A machine with one task that invokes what the input's `function` names. */
const task = (more: object = {}): object => ({
  StartAt: 'Task',
  States: {
    Task: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { 'FunctionName.$': '$.function', 'Payload.$': '$' },
      End: true,
      ...more,
    },
  },
});

async function makeMachine(
  aws: LocalAws,
  sfn: SFNClient,
  name: string,
  definition: object,
  may: readonly Statement[],
): Promise<void> {
  const roleArn = await makeRole(aws, `${name}-role`, may, 'states');
  await sfn.send(new CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify(definition) }));
}

async function run(sfn: SFNClient, machine: string, input: object): Promise<DescribeExecutionOutput> {
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: machineArn(machine), input: JSON.stringify(input) }),
  );
  for (;;) {
    const found = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (found.status !== 'RUNNING') return found;
    await pause(100);
  }
}

// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
it('a state machine does what its role may, and starts once by a name', async () => {
  const { on, off } = await withAndWithout('state_machines', async (aws) => {
    const sfn = new SFNClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const lambda = new LambdaClient(client(aws.endpoint));
    const FunctionName = 'f';
    const code = `export const handler = async ({ gate }) => {
  if (gate) await fetch(gate);
  return { version: process.env.AWS_LAMBDA_FUNCTION_VERSION };
};`;
    const arn = await makeFunction(aws, { name: FunctionName, code, timeout: 60 });
    await lambda.send(new PublishVersionCommand({ FunctionName }));
    const may = [allow('lambda:InvokeFunction', `${arn}:1`)];
    await makeMachine(aws, sfn, 'plain', task(), may);

    const Parameters = { 'FunctionName.$': '$.function', 'Qualifier.$': '$.version', 'Payload.$': '$' };
    await makeMachine(aws, sfn, 'qualified', task({ Parameters }), may);

    const mine = await run(sfn, 'plain', { function: `${arn}:1` });
    const byQualifier = await run(sfn, 'qualified', { function: arn, version: '1' });
    const another = await run(sfn, 'plain', { function: `${arn}` });
    const start = (input: object): Promise<string | undefined> =>
      errorName(
        sfn.send(
          new StartExecutionCommand({
            stateMachineArn: machineArn('plain'),
            name: 'job',
            input: JSON.stringify(input),
          }),
        ),
      );
    const gate = await closedGate();
    const input = { function: `${arn}:1`, gate: gate.url };
    const starts = [await start(input)];
    await gate.asked;
    starts.push(await start(input), await start({}));
    gate.open();
    const executionArn = `arn:aws:states:${REGION}:${ACCOUNT}:execution:plain:job`;
    await expect
      .poll(async () => (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status)
      .toBe('SUCCEEDED');
    starts.push(await start(input));
    for (const one of [sfn, lambda]) one.destroy();
    return {
      mine: JSON.parse(mine.output ?? '{}'),
      byQualifier: JSON.parse(byQualifier.output ?? '{}'),
      another: [another.status, another.error, another.cause],
      starts,
    };
  });
  expect(on.mine).toEqual({ ExecutedVersion: '1', StatusCode: 200, Payload: { version: '1' } });
  expect(on.byQualifier).toEqual(on.mine);
  expect(on.another).toEqual([
    'FAILED',
    'Lambda.AWSLambdaException',
    expect.stringContaining('is not authorized to perform: lambda:InvokeFunction on resource: '),
  ]);
  expect(on.starts).toEqual([undefined, undefined, 'ExecutionAlreadyExists', 'ExecutionAlreadyExists']);
  expect(off.another[0]).toBe('SUCCEEDED');
  expect(off.starts[1]).toBe('ExecutionAlreadyExists');
  expect(off.mine.ExecutedVersion).toBeUndefined();
});

// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
it('retries wait no longer than they say, throttled invocations have their name, and not everything is caught by States.ALL', async () => {
  const { on, off } = await withAndWithout('state_machines', async (aws) => {
    const sfn = new SFNClient(client(aws.endpoint));
    const lambda = new LambdaClient(client(aws.endpoint));
    const arn = await makeFunction(aws, { name: 'f', code: 'export const handler = async () => {};' });
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'f', ReservedConcurrentExecutions: 0 }),
    );
    const may = [allow('lambda:InvokeFunction', arn)];
    const Caught = { Type: 'Succeed' };
    const machine = (more: object): object => {
      const { StartAt, States } = task(more) as { StartAt: string; States: object };
      return { StartAt, States: { ...States, Caught } };
    };
    const Retry = [
      {
        ErrorEquals: ['Lambda.TooManyRequestsException'],
        IntervalSeconds: 20,
        MaxDelaySeconds: 3,
        MaxAttempts: 2,
      },
    ];
    await makeMachine(aws, sfn, 'throttled', machine({ Retry }), may);
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }];
    const activity = { Catch, Resource: 'arn:aws:states:::nothing:atAll', Parameters: {} };
    await makeMachine(aws, sfn, 'broken', machine(activity), may);
    const began = Date.now();
    const throttled = await run(sfn, 'throttled', { function: arn });
    const seconds = (Date.now() - began) / 1000;
    const broken = await run(sfn, 'broken', {});
    for (const one of [sfn, lambda]) one.destroy();
    return { throttled: throttled.error, seconds, broken: [broken.status, broken.error] };
  });
  expect(on).toMatchObject({
    throttled: 'Lambda.TooManyRequestsException',
    broken: ['FAILED', 'States.Runtime'],
  });
  // Twice three seconds, where twenty and forty would be without a most; and not at all.
  expect(on.seconds).toBeGreaterThanOrEqual(6);
  expect(on.seconds).toBeLessThan(50);
  expect(off).toMatchObject({ throttled: 'Lambda.Unknown', broken: ['SUCCEEDED', undefined] });
  expect(off.seconds).toBeLessThan(on.seconds);
});

// https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html
it('a message of a task is sent, with its attributes, where the role may', async () => {
  const { on, off } = await withAndWithout('state_machines', async (aws) => {
    const sfn = new SFNClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const sqs = new SQSClient(client(aws.endpoint));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'failed' }));
    const Resource = 'arn:aws:states:::sqs:sendMessage';
    const MessageAttributes = { Code: { DataType: 'String', StringValue: 'GAVE_UP' } };
    const Parameters = { QueueUrl, 'MessageBody.$': '$.message', MessageAttributes };
    const queue = `arn:aws:sqs:${REGION}:${ACCOUNT}:failed`;
    const send = task({ Resource, Parameters });
    await makeMachine(aws, sfn, 'allowed', send, [allow('sqs:SendMessage', queue)]);
    await makeMachine(aws, sfn, 'denied', send, [allow('sqs:SendMessage', `${queue}-not`)]);
    const runs = [
      await run(sfn, 'allowed', { message: 'one' }),
      await run(sfn, 'denied', { message: 'two' }),
    ];
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    for (const one of [sfn, sqs]) one.destroy();
    return {
      runs: runs.map(({ status }) => status),
      messages: Messages.map(({ Body, MessageAttributes: attributes }) => [
        Body,
        attributes?.Code?.StringValue,
      ]),
    };
  });
  expect(on).toEqual({ runs: ['SUCCEEDED', 'FAILED'], messages: [['one', 'GAVE_UP']] });
  expect(off.runs).toEqual(['SUCCEEDED', 'SUCCEEDED']);
});

/** Long enough for as many as may to run at the same time, though one starts seconds after another. */
const SCORE = `export const handler = async ({ part, fail, large }) => {
  const from = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  if (part.part === fail) throw new TypeError('no ' + part.part);
  return { part: part.part, from, to: Date.now(), filler: 'x'.repeat(large ?? 0) };
};`;

/**
 * A Distributed Map over the array in bucket/plan: as many at a time as the input says, each item invokes the
 * function.
 */
const map = (writes: boolean): object => ({
  StartAt: 'Parts',
  States: {
    Parts: {
      Type: 'Map',
      Label: 'Parts',
      MaxConcurrencyPath: '$.concurrency',
      ItemReader: {
        Resource: 'arn:aws:states:::s3:getObject',
        ReaderConfig: { InputType: 'JSON' },
        Parameters: { Bucket: 'jobs', 'Key.$': '$.plan' },
      },
      ItemSelector: {
        'part.$': '$$.Map.Item.Value',
        'fail.$': '$.fail',
        'large.$': '$.large',
        'function.$': '$.function',
      },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
        ...task({ OutputPath: '$.Payload' }),
      },
      ...(writes
        ? {
            ResultWriter: {
              Resource: 'arn:aws:states:::s3:putObject',
              Parameters: { Bucket: 'jobs', Prefix: 'results' },
            },
          }
        : {}),
      ResultPath: '$.map',
      End: true,
    },
  },
});

// https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
// https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
// https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
it('a Distributed Map takes its limits from the input, stops at a failure, writes its results, within its role', async () => {
  const { on, off } = await withAndWithout('distributed_map', async (aws) => {
    const sfn = new SFNClient(client(aws.endpoint));
    const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'jobs' }));
    const Body = JSON.stringify(Array.from({ length: 6 }, (_, part) => ({ part })));
    await s3.send(new PutObjectCommand({ Bucket: 'jobs', Key: 'plan.json', Body }));
    const arn = await makeFunction(aws, { name: 'score', code: SCORE, memory: 512 });
    const invokes = allow('lambda:InvokeFunction', arn);
    const reads = allow('s3:GetObject', 'arn:aws:s3:::jobs/plan.json');
    const writes = allow('s3:PutObject', 'arn:aws:s3:::jobs/results/*');
    const starts = (name: string): Statement => allow('states:StartExecution', machineArn(name));
    await makeMachine(aws, sfn, 'whole', map(true), [invokes, reads, writes, starts('whole')]);
    await makeMachine(aws, sfn, 'kept', map(false), [invokes, reads, starts('kept')]);
    await makeMachine(aws, sfn, 'childless', map(true), [invokes, reads, writes]);
    await makeMachine(aws, sfn, 'blind', map(true), [invokes, writes, starts('blind')]);
    await makeMachine(aws, sfn, 'mute', map(true), [invokes, reads, starts('mute')]);
    const input = { plan: 'plan.json', concurrency: 2, fail: -1, large: 0, function: arn };

    const read = async (Key: string): Promise<unknown> => {
      const found = await s3.send(new GetObjectCommand({ Bucket: 'jobs', Key })).catch(() => undefined);
      return JSON.parse((await found?.Body?.transformToString()) ?? 'null');
    };
    const good = await run(sfn, 'whole', input);
    const result = JSON.parse(good.output ?? '{}').map;
    const manifest = (await read(result.ResultWriterDetails?.Key ?? 'none')) as Manifest | null;
    const succeeded = (await read(manifest?.ResultFiles.SUCCEEDED[0]?.Key ?? 'none')) as
      | { Output: string }[]
      | null;
    const ran: Ran[] = succeeded?.map(({ Output }) => JSON.parse(Output)) ?? result;

    const bad = await run(sfn, 'whole', { ...input, fail: 0, concurrency: 1 });
    const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn: bad.executionArn }));
    const { itemCounts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }));
    const large = await run(sfn, 'kept', { ...input, large: 50_000, concurrency: 6 });
    const refused = [];
    for (const name of ['childless', 'blind', 'mute']) refused.push((await run(sfn, name, input)).error);
    for (const one of [sfn, s3]) one.destroy();
    return {
      atOnce: Math.max(
        ...ran.map(({ from: at }) => ran.filter(({ from, to }) => from <= at && at < to).length),
      ),
      manifest,
      succeeded: succeeded?.map(({ Output }) => JSON.parse(Output).part),
      bad: [bad.error, itemCounts?.failed, itemCounts?.succeeded, itemCounts?.pending],
      large: large.error,
      refused,
    };
  });
  expect(on).toEqual({
    atOnce: 2,
    manifest: {
      DestinationBucket: 'jobs',
      MapRunArn: expect.stringContaining(':mapRun:whole/Parts:'),
      ResultFiles: {
        FAILED: [],
        PENDING: [],
        SUCCEEDED: [
          { Key: expect.stringMatching(/^results\/.*\/SUCCEEDED_0\.json$/), Size: expect.any(Number) },
        ],
      },
    },
    succeeded: expect.arrayContaining([0, 1, 2, 3, 4, 5]),
    bad: ['States.ExceedToleratedFailureThreshold', 1, 0, 5],
    large: 'States.DataLimitExceeded',
    refused: ['States.Runtime', 'States.ItemReaderFailed', 'States.ResultWriterFailed'],
  });
  expect(off.atOnce).toBeGreaterThan(2);
  expect(off).toMatchObject({ manifest: null, refused: [undefined, undefined, undefined] });
  expect([off.large, off.bad[3]]).toEqual([undefined, 0]);
});

type Manifest = { readonly ResultFiles: { readonly SUCCEEDED: readonly { readonly Key: string }[] } };
type Ran = { readonly part: number; readonly from: number; readonly to: number };
