/**
 * The handler in this process, with the real ONNX Runtime: direct invocations, SageMaker's shape, transforms,
 * the log.
 */
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { answerIn, eventOf } from '../../core/gate/event.ts';
import { printExact } from '../../core/gate/json.ts';
import type { AnyTransform, Transform } from '../../core/protocol/transform.ts';
import type { Signature, TensorSpec } from '../../core/tensor/contract.ts';
import type { Tensor } from '../../core/tensor/datatypes.ts';
import { createHandler, type Handler } from '../../functions/infer/handler.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';

const models = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'models');
const spec = (name: string, datatype: TensorSpec['datatype'], ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const SIGNATURES: Record<string, Signature> = {
  'add.onnx': {
    inputs: [spec('a', 'FP32', -1, 3), spec('b', 'FP32', -1, 1)],
    outputs: [spec('sum', 'FP32', -1, 3)],
    omitted: [],
  },
  'logreg.onnx': {
    inputs: [spec('X', 'FP32', -1, 30)],
    outputs: [spec('label', 'INT64', -1), spec('probabilities', 'FP32', -1, 2)],
    omitted: [],
  },
  'strings.onnx': { inputs: [spec('x', 'BYTES', -1)], outputs: [spec('y', 'BYTES', -1)], omitted: [] },
  'types/int64.onnx': {
    inputs: [spec('x', 'INT64', -1, 2)],
    outputs: [spec('y', 'INT64', -1, 2)],
    omitted: [],
  },
  'nan.onnx': { inputs: [spec('x', 'FP32', -1)], outputs: [spec('y', 'FP32', -1)], omitted: [] },
};

beforeAll(async () => {
  const runtime = await hostRuntime();
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  process.env.NODE_PATH = runtime;
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  process.env.LAMBDA_TASK_ROOT = models;
  process.env.AWS_LAMBDA_FUNCTION_VERSION = '7';
});
let printed = '';
beforeAll(() => {
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed += String(chunk);
      return true;
    });
  }
});
afterAll(() => {
  vi.restoreAllMocks();
});
afterEach(() => {
  printed = '';
});

function handlerOf(file: string, transform?: AnyTransform, seen: Partial<Signature> = {}): Promise<Handler> {
  const graph = SIGNATURES[file];
  if (graph === undefined) throw new Error(file);
  const signature = { ...graph, ...seen };
  const manifest = {
    schema: 1,
    model: 'm',
    identity: 'i',
    opset: 17,
    file,
    remote: [],
    signature,
    graph,
  } as const;
  return createHandler(manifest, transform, () => {});
}

type Answer = { statusCode: number; headers: Record<string, string>; body: string; isBase64Encoded: boolean };
const event = (path: string, body: string | Buffer, headers: Record<string, string> = {}): object => ({
  version: '2.0',
  rawPath: path,
  requestContext: { http: { method: 'POST', path }, requestId: 'api-1' },
  headers: { 'content-type': 'application/json', ...headers },
  body: body.toString(typeof body === 'string' ? undefined : 'base64'),
  isBase64Encoded: typeof body !== 'string',
});
async function post(
  handler: Handler,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer & { value: unknown }> {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  const answer = (await handler(event(path, raw ? body : JSON.stringify(body), headers))) as Answer;
  const isJson = answer.headers['content-type'] === 'application/json';
  return { ...answer, value: isJson ? JSON.parse(answer.body) : answer.body };
}

const add = { a: [1, 2, 3], b: [10] };
const request = {
  inputs: [
    { name: 'a', shape: [1, 3], datatype: 'FP32', data: add.a },
    { name: 'b', shape: [1, 1], datatype: 'FP32', data: add.b },
  ],
};

describe('direct invocation', () => {
  test('the event is the request, the answer the response', async () => {
    const handler = await handlerOf('add.onnx');
    expect(await handler({ id: 'x', ...request })).toEqual({
      id: 'x',
      model_name: 'm',
      model_version: '7',
      outputs: [{ name: 'sum', datatype: 'FP32', shape: [1, 3], data: [11, 12, 13] }],
    });
  });

  test('a zero keeps its sign, as it does over HTTP', async () => {
    const handler = await handlerOf('add.onnx');
    const zeros =
      '{"inputs":[{"name":"a","shape":[1,3],"datatype":"FP32","data":[-0,0,1]},{"name":"b","shape":[1,1],"datatype":"FP32","data":[-0]}]}';
    const over = (await post(handler, '/v2/models/m/infer', zeros)).body;
    expect(over).toContain('"data":[-0,0,1]');
    // As Lambda's runtime writes it.
    expect(JSON.stringify(await handler(JSON.parse(zeros)))).toBe(over);
  });

  test('64-bit integers: what a double has lost is refused on the way in, whole on the way out', async () => {
    const handler = await handlerOf('types/int64.onnx');
    const ask = (data: unknown[]): Promise<unknown> =>
      handler({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'INT64', data }] });
    expect(await ask([1, 2 ** 53])).toMatchObject({ code: 'WRONG_VALUE' });
    expect(await ask([-(2 ** 53 - 1), 2 ** 53 - 1])).toMatchObject({
      outputs: [{ data: [-(2 ** 53 - 1), 2 ** 53 - 1] }],
    });
    const doubled = await handlerOf('types/int64.onnx', {
      post: ({ y }) => {
        const data = BigInt64Array.from(y?.data as BigInt64Array, (value) => value * 3n);
        return { y: { ...y, data } as Tensor };
      },
    });
    const answer = await doubled({
      inputs: [{ name: 'x', shape: [1, 2], datatype: 'INT64', data: [0, 2 ** 53 - 1] }],
    });
    // As Lambda's runtime writes it.
    expect(JSON.stringify(answer)).toContain('"data":[0,27021597764222973]');
  });

  test('64-bit integers: as the gate sends them, none is lost', async () => {
    const handler = await handlerOf('types/int64.onnx');
    const numbers = '[9007199254740993,-9223372036854775808]';
    const sent = eventOf(
      `{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":${numbers}}],"id":"a"}`,
    );
    const answer = await handler(JSON.parse(sent));
    expect(printExact(answerIn(JSON.stringify(answer)))).toContain(`"data":${numbers}`);
    // Where the gate asks over HTTP, the same is the body.
    const posted = await post(handler, '/v2/models/m/infer', sent);
    expect(posted.body).toContain(`"data":${numbers}`);
  });

  test('errors are values, never thrown', async () => {
    const handler = await handlerOf('add.onnx');
    for (const bad of [null, undefined, 7, 'x', [], {}, { inputs: 1 }, { Records: [] }, { inputs: [null] }]) {
      expect(await handler(bad)).toMatchObject({ code: expect.any(String), error: expect.any(String) });
    }
    expect(await handler(JSON.parse('{"__proto__":{},"inputs":[]}'))).toMatchObject({
      code: 'FORBIDDEN_KEY',
    });
    const nan = await handlerOf('nan.onnx');
    expect(await nan({ inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [-1] }] })).toMatchObject({
      code: 'NON_FINITE_OUTPUT',
    });
  });

  test('an answer beyond Lambda’s size is an error with a reason', async () => {
    const big = await handlerOf('strings.onnx', {
      post: () => ({ y: { datatype: 'BYTES', shape: [1], data: ['x'.repeat(7 * 1024 * 1024)] } }),
    });
    const event = { inputs: [{ name: 'x', shape: [1], datatype: 'BYTES', data: [''] }] };
    expect(await big(event)).toMatchObject({ code: 'ANSWER_TOO_LARGE' });
  });
});

describe('one version', () => {
  test('describes itself and says that it is ready, under its own number only', async () => {
    const handler = await handlerOf('add.onnx');
    const get = async (path: string): Promise<Answer> => {
      const asked = event(path, '') as { requestContext: { http: { method: string } } };
      asked.requestContext.http.method = 'GET';
      return (await handler(asked)) as Answer;
    };
    const described = await get('/v2/models/m/versions/7');
    expect(JSON.parse(described.body)).toMatchObject({
      name: 'm',
      versions: ['7'],
      inputs: [{ name: 'a' }, {}],
    });
    expect((await get('/v2/models/m/ready')).statusCode).toBe(200);
    expect((await get('/v2/models/m/versions/8')).statusCode).toBe(404);
    expect(await get('/v2/models/m/infer')).toMatchObject({ statusCode: 405, headers: { allow: 'POST' } });
  });
});

test('a health check of a load balancer has to ask for what docs/http.md says: by itself it asks /', async () => {
  const handler = await handlerOf('add.onnx');
  const check = (path: string) =>
    handler({
      httpMethod: 'GET',
      path,
      headers: { 'user-agent': 'ELB-HealthChecker/2.0' },
      body: '',
      requestContext: {
        elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/t/1' },
      },
    });
  expect(await check('/v2/models/m/ready')).toMatchObject({ statusCode: 200 });
  expect(await check('/')).toMatchObject({ statusCode: 405 });
});

describe('SageMaker’s shape', () => {
  const path = '/models/m/invocations';
  const rows = [
    { a: [1, 2, 3], b: 10 },
    { a: [4, 5, 6], b: [20] },
  ];
  const sums = [
    [11, 12, 13],
    [24, 25, 26],
  ];
  test.each([
    ['instances by name', { instances: [rows[0], { ...rows[1], b: 20 }] }, { predictions: sums }],
    ['instances by name, nested', { instances: [{ a: [1, 2, 3], b: [10] }, rows[1]] }, { predictions: sums }],
    ['inputs by name', { inputs: { a: [add.a, [4, 5, 6]], b: [[10], [20]] } }, { outputs: sums }],
    ['inputs by name, a flat column', { inputs: { a: [add.a, [4, 5, 6]], b: [10, 20] } }, { outputs: sums }],
    ['a list of objects', [{ a: [1, 2, 3], b: [10] }], { predictions: [sums[0]] }],
    ['the protocol itself', request, { model_name: 'm', outputs: [{ name: 'sum', data: sums[0] }] }],
  ])('%s', async (_name, body, expected) => {
    const { statusCode, value } = await post(await handlerOf('add.onnx'), path, body);
    expect(statusCode, JSON.stringify(value)).toBe(200);
    expect(value).toMatchObject(expected);
  });

  const row = Array.from({ length: 30 }, (_, i) => i / 8);
  test('one input: rows in every form give the same', async () => {
    const handler = await handlerOf('logreg.onnx');
    const answers = [
      await post(handler, path, { instances: [row, row] }),
      await post(handler, path, [row, row]),
      await post(handler, '/invocations', `${JSON.stringify(row)}\n${JSON.stringify(row)}\n`, {
        'content-type': 'application/jsonlines',
      }),
      await post(handler, path, `${row.join()}\r\n${row.join()}\r\n`, {
        'content-type': 'text/csv; charset=utf-8',
      }),
    ];
    for (const { statusCode, value } of answers) {
      expect(statusCode, JSON.stringify(value)).toBe(200);
      expect(value).toEqual(answers[0]?.value);
    }
    expect(answers[0]?.value).toMatchObject({ predictions: [{ label: expect.any(Number) }, {}] });
    expect((await post(handler, path, row)).value).toMatchObject({
      predictions: [{ probabilities: [0, 1] }],
    });
    const csv = await post(handler, path, { instances: [row, row] }, { accept: 'text/csv' });
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(csv.body).toMatch(/^\d,[^,]+,[^,]+\n\d,[^,]+,[^,]+\n$/);
  });

  test.each([
    ['text/csv;q=0.5, application/json', 'application/json'],
    ['application/json, text/csv; q=0.5', 'application/json'],
    ['text/csv;q=0, */*', 'application/json'],
    ['application/json;q=0.1,text/csv', 'text/csv; charset=utf-8'],
    ['application/json, text/csv', 'text/csv; charset=utf-8'],
    ['TEXT/CSV', 'text/csv; charset=utf-8'],
    ['*/*', 'application/json'],
    ['text/csvx', 'application/json'],
  ])('what is accepted, %s, is answered as %s', async (accept, type) => {
    const answer = await post(await handlerOf('logreg.onnx'), path, [row], { accept });
    expect(answer.headers['content-type']).toBe(type);
  });

  test('a byte order mark, which Windows writes, is passed over in every form', async () => {
    const handler = await handlerOf('logreg.onnx');
    const text = JSON.stringify(row);
    for (const [body, type] of [
      [`[${text}]`, 'application/json'],
      [`${text}\n${text}`, 'application/jsonlines'],
      [row.join(), 'text/csv'],
    ] as const) {
      const marked = Buffer.from(`\uFEFF${body}`);
      const answer = await post(handler, path, marked, { 'content-type': type });
      expect(answer.statusCode, `${type} ${answer.body}`).toBe(200);
      expect((await post(handler, path, `\uFEFF${body}`, { 'content-type': type })).statusCode).toBe(200);
    }
    const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 30], data: row }];
    const infer = await post(handler, '/v2/models/m/infer', `\uFEFF${JSON.stringify({ inputs })}`);
    expect(infer.statusCode, infer.body).toBe(200);
  });

  test('CSV of texts, with quotes and a header', async () => {
    const handler = await handlerOf('strings.onnx');
    const text = 'x\n"a, ""b"""\nplain\n';
    const answer = await post(handler, path, text, { 'content-type': 'text/csv', accept: 'text/csv' });
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.body.split('\n')).toHaveLength(3);
  });

  test('binary as Triton’s container takes it', async () => {
    const json = JSON.stringify({
      inputs: request.inputs.map(({ data, ...rest }) => ({
        ...rest,
        parameters: { binary_data_size: data.length * 4 },
      })),
    });
    const tensors = Buffer.from(new Float32Array([...add.a, ...add.b]).buffer);
    for (const size of [`json-header-size=${json.length}`, ` Json-Header-Size="${json.length}"`]) {
      const answer = await post(
        await handlerOf('add.onnx'),
        path,
        Buffer.concat([Buffer.from(json), tensors]),
        { 'content-type': `application/vnd.sagemaker-triton.binary+json;${size}` },
      );
      expect(answer.value).toMatchObject({ outputs: [{ data: [11, 12, 13] }] });
    }
  });

  test.each([
    ['a cell that is no number', `${row.slice(1).join()},x`, 'text/csv', 400, 'WRONG_VALUE'],
    ['an empty cell', `${row.slice(1).join()},`, 'text/csv', 400, 'WRONG_VALUE'],
    ['a short row', `${row.join()}\n1,2`, 'text/csv', 400, 'WRONG_LENGTH'],
    ['too few columns', '1,2,3', 'text/csv', 400, 'WRONG_SHAPE'],
    ['a quote out of place', '1,"2', 'text/csv', 400, 'INVALID_REQUEST'],
    ['ragged rows', JSON.stringify([row, row.slice(1)]), 'application/json', 400, 'WRONG_LENGTH'],
    ['rows of another rank', JSON.stringify({ instances: [1, 2] }), 'application/json', 400, 'WRONG_SHAPE'],
    [
      'a text among numbers',
      JSON.stringify([[...row.slice(1), 'x']]),
      'application/json',
      400,
      'WRONG_VALUE',
    ],
    [
      'an unknown name',
      JSON.stringify({ instances: [{ Y: row }] }),
      'application/json',
      400,
      'UNKNOWN_INPUT',
    ],
    ['a missing name', JSON.stringify({ instances: [{}] }), 'application/json', 400, 'MISSING_INPUT'],
    ['neither instances nor inputs', '{}', 'application/json', 400, 'INVALID_REQUEST'],
    ['another type', 'x', 'application/x-npy', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('refuses %s', async (_name, body, type, status, code) => {
    const answer = await post(await handlerOf('logreg.onnx'), path, body, { 'content-type': type });
    expect(answer.value).toMatchObject({ code });
    expect(answer.statusCode).toBe(status);
  });
});

test('compressed bodies are found by what they are, whatever the headers say', async () => {
  const handler = await handlerOf('add.onnx');
  const text = JSON.stringify(request);
  for (const [body, encoding] of [
    [gzipSync(text), undefined],
    [gzipSync(text), 'gzip'],
    [Buffer.from(text), 'gzip'],
    [deflateSync(text), 'deflate'],
    [deflateRawSync(text), 'deflate'],
    [Buffer.from(text), 'deflate'],
  ] as const) {
    const headers = encoding === undefined ? {} : { 'content-encoding': encoding };
    expect((await post(handler, '/v2/models/m/infer', body, headers)).statusCode).toBe(200);
  }
  const broken = gzipSync(text).subarray(0, 40);
  expect((await post(handler, '/v2/models/m/infer', broken)).value).toMatchObject({
    code: 'INVALID_ENCODING',
  });
});

describe('transform', () => {
  const words = [{ name: 'text', datatype: 'BYTES', shape: [-1] }] as const;
  const pre: Transform<typeof words>['pre'] = async ({ text }) => {
    const rows = text.data.length;
    if (text.data.includes('')) throw Object.assign(new Error('A text is empty.'), { status: 400 });
    if (text.data.includes('crash')) throw new Error('secret-value');
    const data = Float32Array.from(text.data.flatMap((word) => [word.length, 0, 0]));
    return {
      a: { datatype: 'FP32', shape: [rows, 3], data },
      b: { datatype: 'FP32', shape: [rows, 1], data: new Float32Array(rows) },
    };
  };
  const lengths = { pre } as unknown as AnyTransform;
  const ask = (...data: string[]): object => ({
    inputs: [{ name: 'text', shape: [data.length], datatype: 'BYTES', data }],
  });

  test('clients see its inputs, the model sees what it makes of them', async () => {
    const handler = await handlerOf('add.onnx', lengths, { inputs: words });
    const { value } = await post(handler, '/v2/models/m/infer', ask('one', 'three'));
    expect(value).toMatchObject({ outputs: [{ name: 'sum', shape: [2, 3], data: [3, 0, 0, 5, 0, 0] }] });
    expect((await post(handler, '/v2/models/m/infer', request)).value).toMatchObject({
      code: 'UNKNOWN_INPUT',
    });
  });

  test('an error of its own with a status is told, any other is not', async () => {
    const handler = await handlerOf('add.onnx', lengths, { inputs: words });
    const told = await post(handler, '/v2/models/m/infer', ask(''));
    expect(told).toMatchObject({ statusCode: 400, value: { error: 'A text is empty.' } });
    const hidden = await post(handler, '/v2/models/m/infer', ask('crash'));
    expect(hidden).toMatchObject({ statusCode: 500, value: { code: 'TRANSFORM_FAILED' } });
    expect(hidden.body + printed).not.toContain('secret-value');
    expect(printed).toContain('handler.test.ts');
  });

  const fp32 = (shape: number[]): Tensor => ({
    datatype: 'FP32',
    shape,
    data: new Float32Array(shape.reduce((product, one) => product * one, 1)),
  });
  const GOOD = { a: fp32([1, 3]), b: fp32([1, 1]) };
  const FP64 = { datatype: 'FP64', shape: [1, 1], data: new Float64Array([4711]) };

  // What a careless `pre` gives; ONNX Runtime refuses each, and has only the model to blame.
  test.each([
    ['nothing', undefined, 'pre of the transform gave undefined'],
    ['an empty object', {}, 'gave no input "a"'],
    [
      'another datatype',
      { ...GOOD, b: FP64 },
      'The input "b" that pre of the transform gave has the datatype FP64; expected FP32',
    ],
    [
      'another shape',
      { ...GOOD, a: fp32([3, 1]) },
      'has the shape [3, 1]; expected [-1, 3], where -1 is any size',
    ],
    [
      'another name, too',
      { ...GOOD, 'secret-value': GOOD.a },
      'gave 1 of a name that no input of the model has',
    ],
  ])(
    'what pre does wrong is the transform’s fault, in answer and log, with its place: %s',
    async (_, given, says) => {
      const handler = await handlerOf('add.onnx', { pre: () => given as never }, { inputs: words });
      const answer = await post(handler, '/v2/models/m/infer', ask('secret-value'));
      expect(answer).toMatchObject({
        statusCode: 500,
        value: { code: 'TRANSFORM_FAILED', error: expect.stringContaining(says) },
      });
      const [line, ...others] = printed
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text));
      expect(others).toEqual([]);
      expect(line).toMatchObject({
        level: 'ERROR',
        code: 'TRANSFORM_FAILED',
        reason: expect.stringContaining(says),
      });
      expect(answer.body + printed).not.toMatch(/secret-value|4711/);
      const direct = await handler(ask('secret-value'));
      expect(direct).toMatchObject({ code: 'TRANSFORM_FAILED' });
    },
  );

  test('what it cannot know, a model that refuses what fits its signature, stays the model’s', async () => {
    // Free dimensions that do not agree.
    const given = { a: fp32([2, 3]), b: fp32([3, 1]) };
    const handler = await handlerOf('add.onnx', { pre: () => given }, { inputs: words });
    expect(await post(handler, '/v2/models/m/infer', ask('x'))).toMatchObject({
      statusCode: 422,
      value: { code: 'MODEL_FAILED' },
    });
  });

  const throwing = (error: unknown): AnyTransform => ({
    pre: () => {
      throw error;
    },
  });

  test('a status that is none of HTTP is no status', async () => {
    const odd = Object.assign(new Error('secret-value'), { status: 400.5 });
    const answer = await post(await handlerOf('add.onnx', throwing(odd)), '/v2/models/m/infer', request);
    expect(answer).toMatchObject({ statusCode: 500, value: { code: 'TRANSFORM_FAILED' } });
    expect(answer.body).not.toContain('secret-value');
  });

  test('a message that no answer could carry is cut', async () => {
    const long = Object.assign(new Error(`no such plan: ${'x'.repeat(7 * 1024 ** 2)}`), { status: 400 });
    const handler = await handlerOf('add.onnx', throwing(long));
    const answer = await post(handler, '/v2/models/m/infer', request);
    expect(answer).toMatchObject({ statusCode: 400, value: { code: 'TRANSFORM_REFUSED' } });
    expect(answer.body).toMatch(/no such plan: x+…"/);
    const direct = (await handler(request)) as { readonly error: string };
    expect(direct.error.length).toBeLessThan(20_000);
  });

  test('a typed array of another realm is what it is called', async () => {
    const data: Float32Array = runInNewContext('Float32Array.of(9, 1, 2, 3, 9).subarray(1, 4)');
    const handler = await handlerOf('add.onnx', {
      pre: () => ({ ...GOOD, a: { ...GOOD.a, data } }) as never,
    });
    expect((await post(handler, '/v2/models/m/infer', request)).value).toMatchObject({
      outputs: [{ data: [1, 2, 3] }],
    });
  });

  test('what pre writes to the request is in no audit', async () => {
    const lines: string[] = [];
    const signature = SIGNATURES['add.onnx'] as Signature;
    const manifest = {
      schema: 1,
      model: 'm',
      identity: 'i',
      opset: 17,
      file: 'add.onnx',
      remote: [],
    } as const;
    const pre = (inputs: Record<string, { shape: number[] }>): object => {
      inputs.a?.shape.unshift(4711);
      delete inputs.b;
      return GOOD;
    };
    const handler = await createHandler(
      { ...manifest, signature, audit: { predictions: false } },
      { pre } as unknown as AnyTransform,
      (line) => lines.push(line),
    );
    await post(handler, '/v2/models/m/infer', request);
    expect(lines.join('')).toMatch(/"outcome":"answered".*"rows":1,/);
    expect(lines.join('')).not.toContain('4711');
  });

  test('what post does wrong is the transform’s fault, too', async () => {
    for (const [given, says] of [
      [undefined, 'post of the transform gave undefined'],
      [{ sum: fp32([2]).data }, 'The output "sum" that post of the transform gave'],
      [{}, 'The transform gave no output "sum"'],
    ] as const) {
      const handler = await handlerOf('add.onnx', { post: () => given as never });
      expect(await post(handler, '/v2/models/m/infer', request)).toMatchObject({
        statusCode: 500,
        value: { code: 'TRANSFORM_FAILED', error: expect.stringContaining(says) },
      });
    }
  });

  test('a plain array of numbers is what it looks like, in JSON and in binary', async () => {
    const handler = await handlerOf('add.onnx', {
      post: () => ({ sum: { datatype: 'FP32', shape: [2], data: [1, 2] } }) as never,
    });
    const json = await post(handler, '/v2/models/m/infer', request);
    expect(json.value).toMatchObject({ outputs: [{ shape: [2], data: [1, 2] }] });
    const parameters = { binary_data_output: true };
    const binary = await post(handler, '/v2/models/m/infer', { ...request, parameters });
    const bytes = Buffer.from(binary.body, 'base64');
    const from = Number(binary.headers['inference-header-content-length']);
    expect([bytes.readFloatLE(from), bytes.readFloatLE(from + 4), bytes.length - from]).toEqual([1, 2, 8]);
  });
});

describe('the log', () => {
  test('has the code and the place of a refusal, nothing of what went well, no value ever', async () => {
    const handler = await handlerOf('add.onnx');
    await post(handler, '/v2/models/m/infer', request);
    expect(printed).toBe('');
    const secret = 'canary-4711';
    for (const body of [
      { ...request, inputs: [{ ...request.inputs[0], name: secret }] },
      { ...request, inputs: [{ ...request.inputs[0], data: [secret, 1, 2] }] },
      { ...request, inputs: [{ ...request.inputs[0], datatype: secret }] },
      { ...request, id: { secret } },
      { ...request, outputs: [{ name: secret }] },
      { ...request, inputs: [{ ...request.inputs[0], parameters: { binary_data_size: secret } }] },
      `{"${secret}`,
    ]) {
      const answer = await post(handler, '/v2/models/m/infer', body);
      expect(answer.statusCode).toBe(400);
      expect(answer.body).not.toContain(secret);
    }
    expect(printed).not.toContain(secret);
    const lines = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(7);
    expect(lines[0]).toMatchObject({ level: 'WARN', code: 'UNKNOWN_INPUT', status: 400, requestId: 'api-1' });
  });

  test('a model that cannot be loaded says so, and the handler is not made', async () => {
    SIGNATURES['absent.onnx'] = { inputs: [], outputs: [], omitted: [] };
    await expect(handlerOf('absent.onnx')).rejects.toThrow(/absent\.onnx/);
    expect(JSON.parse(printed)).toMatchObject({ level: 'ERROR', message: 'The model could not be loaded.' });
  });
});

test('a thousand events of any kind: no crash, no 5xx, no null', async () => {
  const handler = await handlerOf('add.onnx');
  const near = fc.oneof(
    fc.constant(request),
    fc.record(
      {
        instances: fc.oneof(fc.jsonValue(), fc.array(fc.record({ a: fc.jsonValue(), b: fc.jsonValue() }))),
        inputs: fc.oneof(
          fc.jsonValue(),
          fc.array(
            fc.record(
              {
                name: fc.constantFrom('a', 'b', 'c'),
                datatype: fc.constantFrom('FP32', 'INT64', 'BYTES'),
                shape: fc.oneof(fc.jsonValue(), fc.array(fc.integer({ min: -1, max: 4 }), { maxLength: 3 })),
                data: fc.oneof(fc.jsonValue(), fc.array(fc.double()), fc.array(fc.array(fc.integer()))),
                parameters: fc.jsonValue(),
              },
              { requiredKeys: ['name', 'shape', 'data'] },
            ),
          ),
        ),
        outputs: fc.jsonValue(),
        parameters: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  );
  const bodies = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    near.map((value) => JSON.stringify(value)),
    fc.string(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const paths = fc.constantFrom('/v2/models/m/infer', '/models/m/invocations', '/', '/v2/models/m');
  const types = fc.constantFrom('application/json', 'text/csv', 'application/jsonlines', 'x');
  const length = fc.option(fc.oneof(fc.nat({ max: 50 }).map(String), fc.string()));
  await fc.assert(
    fc.asyncProperty(
      bodies,
      near,
      fc.anything(),
      paths,
      types,
      length,
      async (body, value, anything, path, type, n) => {
        const headers: Record<string, string> = { 'content-type': type };
        if (n !== null) headers['inference-header-content-length'] = n;
        const answer = (await handler(event(path, body, headers))) as Answer;
        expect(answer.statusCode).toBeLessThan(500);
        expect(answer.body).not.toMatch(/"(data|predictions|outputs)":\[?null/);
        for (const direct of [value, anything]) {
          const answer = await handler(direct);
          expect(answer).toMatchObject({});
          expect(JSON.stringify(answer)).not.toMatch(/"code":"INTERNAL"/);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
