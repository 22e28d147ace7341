/**
 * What the handler writes of its decisions, with the real ONNX Runtime: every way in, every way out, and
 * never what came in.
 */
import { createHash } from 'node:crypto';
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readLine } from '../../core/drift/lines.ts';
import { type Manifest, UNCOUNTED } from '../../core/endpoint/contract.ts';
import type { AnyTransform } from '../../core/protocol/transform.ts';
import type { Signature, TensorSpec } from '../../core/tensor/contract.ts';
import { createHandler, type Handler } from '../../functions/infer/handler.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { signalsOf } from '../../plugins/models/plan/watch/metrics.ts';
import { ofVersion } from '../emf.ts';
import { numericSignal } from '../reference.ts';

const models = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'models');
const spec = (name: string, datatype: TensorSpec['datatype'], ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const SIGNATURES = {
  'logreg.onnx': {
    inputs: [spec('X', 'FP32', -1, 30)],
    outputs: [spec('label', 'INT64', -1), spec('probabilities', 'FP32', -1, 2)],
    omitted: [],
  },
  'nan.onnx': { inputs: [spec('x', 'FP32', -1)], outputs: [spec('y', 'FP32', -1)], omitted: [] },
  'strings.onnx': { inputs: [spec('x', 'BYTES', -1)], outputs: [spec('y', 'BYTES', -1)], omitted: [] },
} satisfies Record<string, Signature>;
const IDENTITY = 'ab'.repeat(32);

let printed: string[] = [];
beforeAll(async () => {
  const runtime = await hostRuntime();
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  process.env.NODE_PATH = runtime;
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  process.env.LAMBDA_TASK_ROOT = models;
  process.env.AWS_LAMBDA_FUNCTION_NAME = 's-dev-m';
  process.env.AWS_LAMBDA_FUNCTION_VERSION = '7';
  for (const method of ['info', 'warn', 'error', 'log'] as const)
    vi.spyOn(console, method).mockImplementation((text) => printed.push(String(text)));
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
});
afterEach(() => {
  printed = [];
});

type Line = Readonly<Record<string, unknown>>;

async function endpoint(
  file: keyof typeof SIGNATURES,
  { transform, ...more }: Partial<Manifest> & { readonly transform?: AnyTransform } = {},
): Promise<{ handler: Handler; writes: string[]; lines: () => Line[] }> {
  const writes: string[] = [];
  const signature = more.signature ?? SIGNATURES[file];
  const manifest: Manifest = {
    ...{ schema: 1, model: 'm', identity: IDENTITY, opset: 17, file, remote: [], signature },
    signals: signalsOf(SIGNATURES[file]),
    audit: { predictions: false },
    ...more,
  };
  const handler = await createHandler(manifest, transform, (text) => writes.push(text));
  const lines = (): Line[] =>
    writes
      .flatMap((text) => text.trimEnd().split('\n'))
      .map((line) => JSON.parse(line))
      .filter((line) => 'audit' in line);
  return { handler, writes, lines };
}

const ARN = 'arn:aws:sts::123456789012:assumed-role/shop/cashier';
const http = (body: string, headers: Record<string, string> = {}, path = '/v2/models/m/infer'): object => ({
  version: '2.0',
  rawPath: path,
  requestContext: {
    http: { method: 'POST', path },
    requestId: 'gateway-1',
    authorizer: { iam: { userArn: ARN } },
  },
  headers: { 'content-type': 'application/json', ...headers },
  body,
  isBase64Encoded: false,
});
const context = { awsRequestId: '8c4b7d9e-0000-4000-8000-000000000001' };
const uncounted = { ...context, clientContext: { custom: { [UNCOUNTED]: true } } };
const row = Array.from({ length: 30 }, (_, i) => i / 8);
const ask = (data: readonly number[], rows = 1) => ({
  inputs: [{ name: 'X', shape: [rows, 30], datatype: 'FP32', data }],
});
const texts = (...data: string[]) => ({
  inputs: [{ name: 'x', shape: [data.length], datatype: 'BYTES', data }],
});
const number = (x: number) => ({ inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [x] }] });

/** What every line has. */
const COMMON = {
  audit: 1,
  model: 'm',
  function: 's-dev-m',
  version: '7',
  identity: IDENTITY,
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  requestId: context.awsRequestId,
  ms: expect.any(Number),
};
const OVER_HTTP = { ...COMMON, id: 'gateway-1', source: 'http', auth: 'iam', principal: ARN };
const DIRECT = { ...COMMON, source: 'direct' };
const ANSWERED = { outcome: 'answered', status: 200, rows: 1 };

describe('a decision has one line, in the write that counts it', () => {
  test.each([
    ['by HTTP', http(JSON.stringify(ask(row))), OVER_HTTP],
    [
      'under the client’s own id',
      http(JSON.stringify(ask(row)), { 'x-request-id': 'order-7' }),
      { ...OVER_HTTP, id: 'order-7' },
    ],
    ['by direct invocation', ask(row), DIRECT],
    ['in SageMaker’s shape', http(JSON.stringify({ instances: [row] }), {}, '/invocations'), OVER_HTTP],
    ['as CSV', http(row.join(), { 'content-type': 'text/csv' }, '/invocations'), OVER_HTTP],
  ])('%s', async (_name, event, expected) => {
    const { handler, writes, lines } = await endpoint('logreg.onnx');
    await handler(event, context);
    expect(writes).toHaveLength(1);
    expect(lines()).toEqual([{ ...expected, ...ANSWERED }]);
    expect(writes[0]).toContain('"Requests":1');
    expect(writes[0]?.endsWith('}\n')).toBe(true);
  });

  test('counts rows along the first free dimension', async () => {
    const { handler, lines } = await endpoint('logreg.onnx');
    await handler(ask(Array(30 * 200).fill(1), 200), context);
    await handler(http(JSON.stringify(ask(Array(30 * 900).fill(1), 900))), context);
    expect(lines().map(({ rows }) => rows)).toEqual([200, 900]);
  });

  test('what was refused is told from what failed, by the code that the client got', async () => {
    const { handler, lines, writes } = await endpoint('nan.onnx');
    await handler(http('{'), context);
    await handler(http('{}', {}, '/v2/models/other/infer'), context);
    await handler(number(-1), context);
    const refused = { ...OVER_HTTP, outcome: 'refused' };
    expect(lines()).toEqual([
      { ...refused, status: 400, code: 'INVALID_JSON' },
      { ...refused, status: 404, code: 'NOT_FOUND' },
      { ...DIRECT, outcome: 'failed', status: 422, code: 'NON_FINITE_OUTPUT', rows: 1 },
    ]);
    expect(writes.map((text) => /"(Rejected|Errors)":1/.exec(text)?.[1])).toEqual([
      'Rejected',
      'Rejected',
      'Errors',
    ]);
  });

  test('a description is none', async () => {
    const { handler, writes } = await endpoint('logreg.onnx');
    const get = (path: string) => ({
      ...http('', {}, path),
      requestContext: { http: { method: 'GET', path } },
    });
    await handler(get('/v2/models/m'), context);
    await handler(get('/v2/models/m/ready'), context);
    expect(writes).toEqual([]);
  });

  test('nobody can leave the audit: what asks not to be counted has a line, and says that it did', async () => {
    const { handler, writes, lines } = await endpoint('nan.onnx');
    for (const event of [number(1), number(-1), {}]) await handler(event, uncounted);
    expect(lines().map((line) => [line.uncounted, line.outcome])).toEqual([
      [true, 'answered'],
      [true, 'failed'],
      [true, 'refused'],
    ]);
    expect(writes.join('')).not.toContain('_aws');
    // The answered one has warmed it.
    await handler(number(1), context);
    expect(ofVersion([writes.at(-1)?.split('\n')[0] ?? ''], 's-dev-m', '7').ColdStart).toBeUndefined();
  });

  test('without the option there is none', async () => {
    const { handler, writes } = await endpoint('nan.onnx', { audit: undefined as never });
    await handler(number(1), context);
    await handler(number(1), uncounted);
    await handler({}, uncounted);
    expect(writes).toHaveLength(1);
    expect(writes[0]?.split('\n')).toHaveLength(2);
  });
});

test('drift’s monitor counts its own line beside it, and no other', async () => {
  const X = numericSignal({ name: 'x0', of: 'input', tensor: 'X', column: 0 }, [1, 2, 3]);
  const { handler, writes } = await endpoint('logreg.onnx', {
    drift: { baseline: 'ef'.repeat(32), native: false, signals: [X] },
    audit: { predictions: true },
  });
  await handler(ask(row), context);
  expect(writes).toHaveLength(1);
  const lines = (writes[0] ?? '').trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines.map((line) => readLine(line) !== undefined)).toEqual([false, true, false]);
  // What its filter asks for: a text at $.drift.
  expect(lines.map((line) => typeof JSON.parse(line).drift)).toEqual(['undefined', 'string', 'undefined']);
  // A principal that would be one.
  const forged = JSON.stringify({ ...JSON.parse(lines[1] ?? ''), rows: 1000 });
  const event = http(JSON.stringify(ask(row)));
  const named = {
    requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: `a"\n${forged}\n` } } },
  };
  await handler({ ...event, ...named, rawPath: '/' }, context);
  const again = (writes[1] ?? '').trimEnd().split('\n');
  expect(again.filter((line) => readLine(line) !== undefined)).toHaveLength(1);
  expect(JSON.parse(again[2] ?? '').principal).toBe(`a"\n${forged}\n`);
});

describe('with predictions', () => {
  const open = (file: keyof typeof SIGNATURES, more = {}) =>
    endpoint(file, { ...more, audit: { predictions: true } });

  test('the outputs that were asked for are in it, in one form', async () => {
    const { handler, lines } = await open('logreg.onnx');
    const binary = { ...ask(row), parameters: { binary_data_output: true } };
    await handler(http(JSON.stringify(ask(row))), context);
    await handler(http(JSON.stringify(binary)), context);
    await handler(
      http(JSON.stringify({ instances: [row] }), { accept: 'text/csv' }, '/invocations'),
      context,
    );
    await handler(ask(row), context);
    await handler({ ...ask(row), outputs: [{ name: 'label' }] }, context);
    const [first, ...others] = lines().map(({ outputs }) => outputs as Line[]);
    expect(first).toEqual([
      { name: 'label', datatype: 'INT64', shape: [1], data: [expect.any(Number)] },
      {
        name: 'probabilities',
        datatype: 'FP32',
        shape: [1, 2],
        data: [expect.any(Number), expect.any(Number)],
      },
    ]);
    expect(others).toEqual([first, first, first, [first?.[0]]]);
  });

  test('they are those of the client, after a transform', async () => {
    const post: AnyTransform['post'] = ({ y }) =>
      ({ y: { ...y, data: Array.from((y?.data ?? []) as string[], (text) => `${text}!`) } }) as never;
    const { handler, lines } = await open('strings.onnx', { transform: { post } });
    await handler(texts('ünï\u2028', 'b'), context);
    expect(lines()[0]?.outputs).toEqual([
      { name: 'y', datatype: 'BYTES', shape: [2], data: ['hello, ünï\u2028!', 'hello, b!'] },
    ]);
  });

  test('what JSON cannot say is a text', async () => {
    const { handler, lines } = await open('nan.onnx');
    await handler(http(JSON.stringify({ ...number(-1), parameters: { binary_data_output: true } })), context);
    expect(lines()[0]).toMatchObject({ outcome: 'answered', outputs: [{ data: ['NaN'] }] });
  });

  test('what was not answered has none', async () => {
    const { handler, writes } = await open('nan.onnx');
    await handler(number(-1), context);
    await handler({}, context);
    expect(writes.join('')).not.toMatch(/"outputs"|"answer"/);
  });

  test('beyond 8 KB there are size and sha256 of the answer as it was sent', async () => {
    const { handler, lines, writes } = await open('strings.onnx');
    const event = http(JSON.stringify(texts('x'.repeat(9000))));
    const binary = http(
      JSON.stringify({ ...texts('x'.repeat(9000)), parameters: { binary_data_output: true } }),
    );
    const sent = (await handler(event, context)) as { body: string };
    const packed = (await handler(binary, context)) as { body: string };
    const direct = await handler(texts('é'.repeat(3000)), context);
    const digest = (bytes: Buffer) => ({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(lines().map(({ answer }) => answer)).toEqual([
      digest(Buffer.from(sent.body)),
      digest(Buffer.from(packed.body, 'base64')),
      digest(Buffer.from(JSON.stringify(direct))),
    ]);
    for (const text of writes) expect(text.length).toBeLessThan(1500);
    // The longest that fits: the text with what stands around it.
    const around = '[{"name":"y","datatype":"BYTES","shape":[1],"data":["hello, "]}]'.length;
    await handler(texts('x'.repeat(8192 - around)), context);
    await handler(texts('x'.repeat(8193 - around)), context);
    expect(
      lines()
        .slice(-2)
        .map((line) => 'outputs' in line),
    ).toEqual([true, false]);
  });
});

describe('no line has anything of a request', () => {
  const CANARY = 'kanarienvogel';
  const NUMBER = 31337.0625;
  const own = { ...ask(row.with(3, NUMBER)), id: `${CANARY}-id` };
  /** Everything that a client may write, but the one header that is taken over. */
  const hostile: readonly (readonly [string, object])[] = [
    ...[
      { ...own, parameters: { note: CANARY } },
      { ...own, [CANARY]: CANARY },
      { inputs: [{ ...own.inputs[0], name: CANARY }] },
      { inputs: [{ ...own.inputs[0], datatype: CANARY }] },
      { inputs: [{ ...own.inputs[0], shape: [CANARY] }] },
      { inputs: [{ ...own.inputs[0], data: [CANARY] }] },
      { inputs: [{ ...own.inputs[0], data: [NUMBER, 1e99] }] },
      { inputs: [{ ...own.inputs[0], [CANARY]: [NUMBER] }] },
      { ...own, outputs: [{ name: CANARY }] },
      { ...own, outputs: [{ name: 'label', parameters: { [CANARY]: CANARY } }] },
      { [CANARY]: NUMBER },
      CANARY as never,
      [CANARY] as never,
    ].flatMap((body): (readonly [string, object])[] => [
      ['over HTTP', http(JSON.stringify(body))],
      ['direct', body],
      ['as SageMaker', http(JSON.stringify(body), {}, '/invocations')],
    ]),
    [
      'an object of SageMaker’s',
      http(JSON.stringify({ instances: [{ [CANARY]: NUMBER }] }), {}, '/invocations'),
    ],
    ['CSV', http(`${CANARY},${NUMBER}\n${CANARY}`, { 'content-type': 'text/csv' }, '/invocations')],
    ['no JSON', http(`{"inputs":[{"name":"${CANARY}"`)],
    ['frames', http(`\n    at ${CANARY} (${CANARY}:1:1)`)],
    ['__proto__', http(`{"__proto__":{"${CANARY}":1}}`)],
    ['base64', { ...http(`${CANARY}*`), isBase64Encoded: true }],
    ['a path', http('{}', {}, `/v2/models/${CANARY}/infer`)],
    ['a query', { ...http('{}'), rawQueryString: `a=${CANARY}`, queryStringParameters: { a: CANARY } }],
    [
      'headers',
      http(JSON.stringify(own), {
        'user-agent': CANARY,
        cookie: CANARY,
        authorization: `Bearer ${CANARY}`,
        [CANARY]: CANARY,
        'x-request-id': `${CANARY} with a space`,
        'inference-header-content-length': CANARY,
      }),
    ],
    ['a content type', http(CANARY, { 'content-type': CANARY }, '/invocations')],
    [
      'claims, stage variables and the like',
      {
        ...http(JSON.stringify(own)),
        cookies: [CANARY],
        stageVariables: { a: CANARY },
        requestContext: {
          http: { method: 'POST', path: '/v2/models/m/infer', userAgent: CANARY, sourceIp: CANARY },
          authorizer: { jwt: { claims: { sub: 'me', email: CANARY } } },
        },
      },
    ],
  ];

  test.each([false, true])('whatever is in it: predictions %s', async (predictions) => {
    const drift = {
      baseline: 'ef'.repeat(32),
      native: true,
      signals: [numericSignal({ name: 'x3', of: 'input', tensor: 'X', column: 3 }, [1, 2, 3])],
    };
    const { handler, writes, lines } = await endpoint('logreg.onnx', { audit: { predictions }, drift });
    for (const [, event] of hostile) {
      await handler(event, context);
      await handler(event, {
        ...uncounted,
        clientContext: { ...uncounted.clientContext, client: { a: CANARY } },
      } as never);
    }
    expect(lines()).toHaveLength(2 * hostile.length);
    const outcomes = new Set(lines().map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['answered', 'refused']));
    expect(printed.length).toBeGreaterThan(20);
    for (const line of [...writes, ...printed]) {
      expect(line).not.toContain(CANARY);
      expect(line).not.toContain('31337');
    }
    expect(writes.some((text) => text.includes('"outputs"'))).toBe(predictions);
  });

  test('what a transform throws goes to the client alone, and its code is a code', async () => {
    const throwing = (error: () => unknown): AnyTransform => ({
      pre: () => {
        throw error();
      },
    });
    const sentence = Object.assign(new Error(CANARY), { status: 400, code: `no ${CANARY}` });
    const known = Object.assign(new Error(CANARY), { status: 400, code: 'WRONG_PLAN' });
    const frames = new SyntaxError(`Unexpected token\n    at ${CANARY} (${CANARY}:1:1)`);
    const changed = new Error(`first\n    at ${CANARY}`);
    // Written once it is read.
    expect(changed.stack).toContain(CANARY);
    changed.message = 'second';
    const codes: unknown[] = [];
    for (const error of [sentence, known, frames, changed, CANARY]) {
      const { handler, lines } = await endpoint('strings.onnx', { transform: throwing(() => error) });
      const answer = await handler(texts(CANARY), context);
      if (error === known) expect(answer).toEqual({ error: CANARY, code: 'WRONG_PLAN' });
      codes.push(lines()[0]?.code);
      expect(JSON.stringify(lines())).not.toContain(CANARY);
    }
    const failed = 'TRANSFORM_FAILED';
    expect(codes).toEqual(['TRANSFORM_REFUSED', 'WRONG_PLAN', failed, failed, failed]);
    expect(printed.join('')).not.toContain(CANARY);
    expect(printed.join('')).toContain('audit.test.ts');
  });

  test('predictions are there only when they are switched on', async () => {
    for (const predictions of [false, true]) {
      const { handler, writes } = await endpoint('strings.onnx', { audit: { predictions } });
      await handler(texts(CANARY), context);
      expect(writes.join('').includes(CANARY)).toBe(predictions);
    }
  });
});
