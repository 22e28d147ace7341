import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { command } from '../../../../../plugins/models/commands/invoke.ts';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';

afterEach(() => {
  process.exitCode = undefined;
});

const { models } = parseModels({ churn: { artifact: 'churn.onnx' } });

/** Refusals come before anything but these is looked at. */
const asked = (flags: Context['flags']): Promise<void> =>
  command.run({ models, flags, service: { dir: '/' } } as unknown as Context);

describe('sls models invoke', () => {
  it.each([
    [
      'a request beyond what Lambda takes',
      { data: `"${'é'.repeat(3 * 2 ** 20)}"` },
      /--data: has 6\.0 MB;.* 6 MB/,
    ],
    ['what is no JSON', { data: '{oops' }, /--data: is not JSON/],
    ['a model that is not there', { model: 'nope', data: '{}' }, /--model: nope .* Name one of churn/],
    ['a file that is not there', { path: 'no/such/file.json' }, /--path: cannot be read/],
  ])('refuses %s, and says so before asking AWS', async (_, flags, message) => {
    await expect(asked(flags)).rejects.toThrow(message);
  });
});

/** What the command prints of an answer that Lambda gives. */
async function printed(
  payload: string | ((event: string) => string),
  flags: Context['flags'] = {},
  refusal?: { readonly status: number; readonly type: string },
): Promise<string> {
  const lambda = createServer(async (request, response) => {
    const event = await text(request);
    if (refusal) response.writeHead(refusal.status, { 'x-amzn-errortype': refusal.type });
    response.end(typeof payload === 'string' ? payload : payload(event));
  });
  await new Promise<void>((done) => lambda.listen(0, '127.0.0.1', done));
  const lines: string[] = [];
  try {
    await command.run({
      models,
      flags: { data: '{}', ...flags },
      service: { dir: '/' },
      plan: { host: { stack: 'shop-dev', service: 'shop', stage: 'dev' } },
      progress: () => {},
      print: (text: string) => lines.push(text),
      aws: {
        region: 'us-east-1',
        endpoint: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      },
    } as unknown as Context);
  } finally {
    lambda.closeAllConnections();
    lambda.close();
  }
  return lines.join('\n');
}

it.each([{}, { json: true }])(
  'what is no answer of Lambda is told as such, and ends nothing else (%j)',
  async (flags) => {
    await expect(printed('<html>Log in first</html>', flags)).rejects.toMatchObject({
      code: 'MODELS_AWS',
      message: expect.stringMatching(/models\.churn: got an answer that is no JSON.*AWS_ENDPOINT_URL/),
    });
  },
);

describe('what sls models invoke prints', () => {
  const answer = `{"outputs":[{"name":"id","datatype":"INT64","shape":[1,3],"data":[9007199254740993,-9223372036854775808,1]},
 {"name":"hash","datatype":"UINT64","shape":[1],"data":[18446744073709551615]},{"name":"p","datatype":"FP32","shape":[],"data":[0.1]}]}`;

  it('is exact: integers beyond 2^53 keep every digit', async () => {
    expect(await printed(answer)).toBe(
      [
        'id    INT64 [1, 3]  9007199254740993, -9223372036854775808, 1',
        'hash  UINT64 [1]  18446744073709551615',
        'p     FP32 []  0.1',
      ].join('\n'),
    );
    expect(await printed('{"id": 9007199254740993}')).toBe('{\n  "id": 9007199254740993\n}');
  });

  // Lambda's runtime reads an event's numbers as doubles: the endpoint refuses what may have lost digits.
  it('is of the very integers that were asked, which arrive with every digit', async () => {
    const data = '{"inputs":[{"name":"id","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}';
    const came = '{"outputs":[{"name":"id","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}';
    const endpoint = (event: string): string => {
      const { body }: { body?: unknown } = JSON.parse(event);
      return body === data ? JSON.stringify({ statusCode: 200, body: came }) : '{"error":"digits"}';
    };
    expect(await printed(endpoint, { data })).toBe('id  INT64 [1]  9007199254740993');
    expect(await printed(endpoint, { data, json: true })).toBe(came);
    // As a file of a person may be.
    const file = `\n  ${data}\n`;
    const asFile = (event: string): string =>
      endpoint(event.replace(JSON.stringify(file), JSON.stringify(data)));
    expect(await printed(asFile, { data: file, json: true })).toBe(came);
    expect(process.exitCode).toBeUndefined();
  });

  it('has no line of its own for a name of an output that holds the end of one', async () => {
    const outputs = [{ name: 'p\nok\u001b[2J', datatype: 'FP32', shape: [], data: [0.1] }];
    expect(await printed(JSON.stringify({ outputs }))).toBe('p ok�[2J  FP32 []  0.1');
  });

  it('is with --json what came, to the byte', async () => {
    expect(await printed(answer, { json: true })).toBe(answer);
    expect(process.exitCode).toBeUndefined();
  });

  it('is a refusal of the endpoint as it came, and the command fails', async () => {
    const refusal = '{"error":"inputs is missing","code":"MISSING_INPUTS"}';
    expect(await printed(refusal, { json: true })).toBe(refusal);
    expect(process.exitCode).toBe(1);
  });
});

const NOT_TOLD = 'of the function or of the account is used up; `concurrency.reserved` keeps some for it.';
const SLOWLY = 'Try again more slowly: Lambda takes ten requests a second for each unit of its concurrency.';

// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
it.each([
  [undefined, `Try again: the concurrency ${NOT_TOLD}`],
  ['toString', `Try again: the concurrency ${NOT_TOLD}`],
  [
    'ReservedFunctionConcurrentInvocationLimitExceeded',
    'Try again, or raise `concurrency.reserved`: all that is reserved for it is in use.',
  ],
  [
    'ConcurrentInvocationLimitExceeded',
    'Try again, or have the account’s limit raised: the concurrency of the',
  ],
  ['ReservedFunctionInvocationRateLimitExceeded', SLOWLY],
  ['FunctionInvocationRateLimitExceeded', SLOWLY],
  [
    'CallerRateLimitExceeded',
    'Try again in a moment: others call Lambda in this account and region, too. [MODELS_AWS]',
  ],
])(
  'a request that Lambda turns away, for the reason %s, is told with what helps; no credentials are blamed',
  async (Reason, fix) => {
    const refusal = { status: 429, type: 'TooManyRequestsException' };
    await expect(printed(JSON.stringify({ message: 'Rate Exceeded.', Reason }), {}, refusal)).rejects.toThrow(
      `models.churn: was turned away by Lambda: Rate Exceeded. ${fix}`,
    );
  },
);
