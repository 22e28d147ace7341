import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { closedGate } from '../closed-gate.ts';
import { errorName, invoke } from '../lambda.ts';
import { makeNodeFunction, nodeImage, push } from './image.ts';

const SPEED = 60;

describe('what holds for every function holds for one of an image', () => {
  let aws: LocalAws;
  let lambda: LambdaClient;
  beforeAll(async () => {
    aws = await startAws({ speed: SPEED });
    lambda = new LambdaClient(client(aws.endpoint));
  });
  afterAll(async () => {
    lambda?.destroy();
    await aws?.stop();
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
  // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
  it('environments are its own while they have an event, and as many as are reserved', async () => {
    const code = (answer: string): string =>
      `export const handler = async (event) => { if (event.wait) await fetch(event.wait); return '${answer}'; };`;
    await makeNodeFunction(aws, code('old'), { name: 'busy', timeout: 60 });
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'busy', ReservedConcurrentExecutions: 1 }),
    );
    const gate = await closedGate();
    const running = invoke(aws, 'busy', { wait: gate.url });
    await gate.asked;
    expect(await errorName(invoke(aws, 'busy'))).toBe('TooManyRequestsException');
    const ImageUri = await push(aws, 'busy', 'v2', await nodeImage(code('new')));
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'busy', ImageUri }));
    gate.open();
    expect((await running).body).toBe('old');
    expect((await invoke(aws, 'busy')).body).toBe('new');
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
  it('its Runtime API takes one answer for the event that is under way, of six megabytes at most', async () => {
    const code = `const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/';
      const ask = async (path, body) => {
        const answer = await fetch(api + path, body === undefined ? {} : { method: 'POST', body });
        return [answer.status, (await answer.json()).errorType];
      };
      export const handler = async (event, head) => {
        if (event.long) return 'x'.repeat(event.long);
        const id = head['lambda-runtime-aws-request-id'];
        const asked = [await ask('invocation/none/response', '1'), await ask('invocation/next'), await ask('nowhere')];
        await fetch(api + 'invocation/' + id + '/response', { method: 'POST', body: JSON.stringify(asked) });
        return 'too late';
      };`;
    await makeNodeFunction(aws, code, { name: 'strict' });
    const refused = [
      [400, 'InvalidRequestID'],
      [403, 'InvalidStateTransition'],
      [404, null],
    ];
    expect((await invoke(aws, 'strict')).body).toEqual(refused);
    expect((await invoke(aws, 'strict')).body).toEqual(refused);
    const { body, error } = await invoke(aws, 'strict', { long: 7_000_000 });
    expect([error, (body as { errorType: string }).errorType]).toEqual([
      'Unhandled',
      'Function.ResponseSizeTooLarge',
    ]);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
  it('an event that fails comes again, twice', async () => {
    const code = `export const handler = () => {
        console.log('tried');
        throw new Error('no');
      };`;
    await makeNodeFunction(aws, code, { name: 'again' });
    await lambda.send(new InvokeCommand({ FunctionName: 'again', InvocationType: 'Event', Payload: '{}' }));
    const logs = new CloudWatchLogsClient(client(aws.endpoint));
    const command = new FilterLogEventsCommand({ logGroupName: '/aws/lambda/again' });
    const tried = async (): Promise<number> => {
      const { events = [] } = await logs.send(command);
      return events.filter(({ message = '' }) => message.includes('tried')).length;
    };
    // Told by its log, since each environment has a count of its own. There is none before the first.
    await expect.poll(() => tried().catch(() => 0), { timeout: 60_000, interval: 200 }).toBe(3);
    logs.destroy();
  });

  it('its clock is that of the local AWS, and its deadline is by it', async () => {
    const code = `export const handler = async (event, head) => {
      const [began, real] = [Date.now(), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, 30_000));
      return { passed: Date.now() - began, real: performance.now() - real, left: Number(head['lambda-runtime-deadline-ms']) - Date.now() };
    };`;
    await makeNodeFunction(aws, code, { name: 'quick', timeout: 20 });
    const { passed, real, left } = (await invoke(aws, 'quick')).body as {
      passed: number;
      real: number;
      left: number;
    };
    expect(passed).toBeGreaterThanOrEqual(29_000);
    expect(real).toBeLessThan(passed / 10);
    // Twenty real seconds, of which a few are over, at most.
    expect(left / SPEED).toBeGreaterThan(2_000);
    expect(left / SPEED).toBeLessThanOrEqual(20_000);
  });
});
