import {
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from '../../journeys/service.ts';
import { errorName, invoke, makeFunction, withAndWithout } from '../lambda.ts';

const MB = 1024 * 1024;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
describe('Lambda’s payload limits', () => {
  it('refuse more than 6 MB in, 1 MB for asynchronous invocations, and 6 MB out', async () => {
    const { on, off } = await withAndWithout('payload', async (aws) => {
      await makeFunction(aws, {
        name: 'echo',
        code: `export const handler = async ({size}) => 'x'.repeat(size ?? 0);`,
      });
      const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
      const send = (bytes: number, type: 'Event' | 'RequestResponse'): Promise<string | undefined> =>
        errorName(
          lambda.send(
            new InvokeCommand({
              FunctionName: 'echo',
              InvocationType: type,
              Payload: JSON.stringify({ fill: 'x'.repeat(bytes) }),
            }),
          ),
        );
      const result = {
        under: await send(6 * MB - 100, 'RequestResponse'),
        over: await send(6 * MB, 'RequestResponse'),
        event: await send(MB, 'Event'),
        small: (await invoke(aws, 'echo', { size: 6 * MB - 10 })).error,
        large: (await invoke(aws, 'echo', { size: 6 * MB + 200 })).body,
      };
      lambda.destroy();
      return result;
    });
    expect(on).toMatchObject({
      under: undefined,
      over: 'RequestTooLargeException',
      event: 'RequestTooLargeException',
      small: undefined,
      large: {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      },
    });
    expect(off.over).toBeUndefined();
    expect(off.large).toBeTypeOf('string');
  });
});

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
describe('an HTTP API', () => {
  let aws: LocalAws;
  let service: Service & Deployment;
  beforeAll(async () => {
    aws = await startAws();
    service = await deployService(
      {
        yaml: `
service: bodies
provider: {name: aws, runtime: nodejs24.x}
functions:
  echo: {handler: handler.echo, events: [{httpApi: POST /echo}]}
  fails: {handler: handler.fails, events: [{httpApi: GET /fails}]}
`,
        files: {
          'handler.mjs': `
export const echo = async (event) => event.headers['x-ask'] === 'event'
  ? {statusCode: 200, body: JSON.stringify({encoded: event.isBase64Encoded, length: event.body.length, encoding: event.headers['content-encoding']})}
  : {statusCode: 200, headers: {'content-type': 'application/octet-stream'}, isBase64Encoded: true, body: event.body};
export const fails = async () => { throw new Error('secret'); };`,
        },
      },
      aws,
    );
  });
  afterAll(async () => {
    await service?.remove();
    await aws?.stop();
  });

  const post = (body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${service.http()}/echo`, { method: 'POST', body, headers });

  it('gives binary bodies in base64 and sends base64 answers as bytes', async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256);
    const answer = await post(bytes, { 'content-type': 'application/octet-stream' });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
    const text = await post('{"a":1}', { 'content-type': 'application/json', 'x-ask': 'event' });
    expect(await text.json()).toMatchObject({ encoded: false, length: 7 });
  });

  it('passes compressed bodies on as they are', async () => {
    const bytes = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const headers = { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' };
    expect(await (await post(bytes, { ...headers, 'x-ask': 'event' })).json()).toEqual({
      encoded: true,
      length: 28,
      encoding: 'gzip',
    });
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html: 10 MB, and Lambda's
  // own 6 MB
  it('refuses what is too large for it or for the function', async () => {
    const headers = { 'content-type': 'application/octet-stream', 'x-ask': 'event' };
    expect((await post(new Uint8Array(4 * MB), headers)).status).toBe(200);
    expect((await post(new Uint8Array(5 * MB), headers)).status).toBe(413);
    const beyond = await post(new Uint8Array(10 * MB + 1), headers);
    expect(beyond.status).toBe(413);
    expect(await beyond.json()).toEqual({ message: 'Request Entity Too Large' });
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
  it('tells nothing of a function that failed', async () => {
    const answer = await fetch(`${service.http()}/fails`);
    expect([answer.status, await answer.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  // https://repost.aws/knowledge-center/api-gateway-internal-server-error: Lambda's own 429 reaches nobody
  it('answers 500 where the function has no instance free', async () => {
    const lambda = new LambdaClient(client(aws.endpoint));
    const FunctionName = `${service.stack}-echo`;
    try {
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
      const answer = await post('', {});
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
      expect([answer.status, await answer.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    } finally {
      lambda.destroy();
    }
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
  it('takes settings of routes that exist, and fails a stack for others', async () => {
    const route = (key: string): string => `
service: bodies
provider: {name: aws, runtime: nodejs24.x}
functions:
  echo: {handler: handler.echo, events: [{httpApi: POST /echo}]}
resources:
  extensions:
    HttpApiStage:
      DependsOn: [HttpApiRoutePostEcho]
      Properties: {RouteSettings: {'${key}': {ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200}}}
`;
    await service.deploy(route('POST /echo'));
    await expect(service.deploy(route('GET /nothing'))).rejects.toThrow(
      /Unable to find Route by key GET \/nothing/,
    );
  });
});
