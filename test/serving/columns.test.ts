/** Columns, missing values and numbers that are none, at the real handler with the real ONNX Runtime. */
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Manifest } from '../../core/endpoint/contract.ts';
import type { Datatype, TensorSpec } from '../../core/tensor/contract.ts';
import { createHandler } from '../../functions/infer/handler.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';

beforeAll(async () => {
  const runtime = await hostRuntime();
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  process.env.NODE_PATH = runtime;
  // Node reads NODE_PATH when it starts; this makes it read it again.
  (Module as unknown as { _initPaths(): void })._initPaths();
  process.env.LAMBDA_TASK_ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'models');
  process.env.AWS_LAMBDA_FUNCTION_VERSION = '7';
});

beforeAll(() => {
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

type More = Partial<Pick<Manifest, 'columns' | 'missing' | 'finite'>>;
type Answer = {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
};

/** A model of two columns that answers what it is asked. */
async function echo(more: More = {}, datatype: Datatype = 'FP32') {
  const spec = (name: string): TensorSpec => ({ name, datatype, shape: [-1, 2] });
  const handler = await createHandler(
    {
      schema: 1,
      model: 'm',
      identity: 'i',
      opset: 20,
      file: `types/${datatype.toLowerCase()}.onnx`,
      remote: [],
      signature: { inputs: [spec('x')], outputs: [spec('y')], omitted: [] },
      ...more,
    },
    {},
    () => {},
  );
  return async (
    body: string | Buffer,
    type = 'text/csv',
    headers: Record<string, string> = {},
    path = '/invocations',
  ) => {
    const isText = typeof body === 'string';
    const answer = (await handler({
      version: '2.0',
      rawPath: path,
      requestContext: { http: { method: 'POST', path }, requestId: 'r' },
      headers: { 'content-type': type, ...headers },
      body: isText ? body : body.toString('base64'),
      isBase64Encoded: !isText,
    })) as Answer;
    const value = answer.headers['content-type'] === 'application/json' ? JSON.parse(answer.body) : undefined;
    return { ...answer, value, taken: answer.headers['x-models-columns'] };
  };
}
const JSON_TYPE = 'application/json';
const LINES = 'application/jsonlines';
const bind = { columns: { names: ['age', 'income'], bind: true } };
const free = { columns: { names: ['age', 'income'], bind: false } };
const inOrder = {
  predictions: [
    [1, 2.5],
    [3, 4],
  ],
};

describe('columns by their names', () => {
  test.each([
    ['csv in order', 'text/csv', 'age,income\n1,2.5\n3,4\n'],
    ['csv reversed', 'text/csv', 'income,age\r\n2.5,1\r\n4,3\r\n'],
    ['csv in quotes', 'text/csv', '"income","age"\n2.5,1\n4,3'],
    ['JSON lines reversed', LINES, '{"income":2.5,"age":1}\n\n{"age":3,"income":4}\n'],
    ['instances', JSON_TYPE, '{"instances":[{"income":2.5,"age":1},{"age":3,"income":4}]}'],
    ['a list', JSON_TYPE, '[{"income":2.5,"age":1},{"age":3,"income":4}]'],
    ['the input’s own name', JSON_TYPE, '[{"x":[1,2.5]},{"x":[3,4]}]'],
  ])('%s', async (_, type, body) => {
    for (const more of [bind, free]) {
      const { statusCode, value, taken } = await (await echo(more))(body, type);
      expect(statusCode, JSON.stringify(value)).toBe(200);
      expect(value).toEqual(inOrder);
      expect(taken).toBe(type === 'text/csv' ? 'name' : undefined);
    }
  });

  test('of texts, where a header looks like a row', async () => {
    const post = await echo(bind, 'BYTES');
    expect((await post('income,age\nb,a\n')).value).toEqual({ predictions: [['a', 'b']] });
    const { value, taken } = await post('b,age\nb,a\n');
    expect([value, taken]).toEqual([
      {
        predictions: [
          ['b', 'age'],
          ['b', 'a'],
        ],
      },
      'order',
    ]);
  });

  test.each([
    [
      'text/csv',
      'age,incme\n1,2\n',
      'MISSING_INPUT',
      'The first line lacks the column "income" of the model.',
    ],
    [
      'text/csv',
      'SECRET,OTHER\n1,2\n',
      'MISSING_INPUT',
      'The first line lacks the columns "age", "income" of the model.',
    ],
    [
      'text/csv',
      'income,SECRET,age\n1,2,3\n',
      'UNKNOWN_INPUT',
      'Column 2 of the first line is none of the model’s, which are "age", "income".',
    ],
    [
      'text/csv',
      'income,age,age\n1,2,3\n',
      'DUPLICATE_NAME',
      'Column 3 of the first line is there twice; the model’s columns are "age", "income".',
    ],
    ['text/csv', 'income,age\n', 'INVALID_REQUEST', 'The body has a line of names, and no row.'],
    ['text/csv', 'income,age\n1\n', 'WRONG_LENGTH', 'Row 1 has 1 column; 2 are expected.'],
    ['text/csv', 'income,age\n1,SECRET\n', 'WRONG_VALUE', 'Row 1, column 2 must be a number.'],
    [LINES, '{"age":1,"SECRET":2}\n', 'MISSING_INPUT', '$.instances[0]: the columns "income" are missing.'],
    [
      LINES,
      '{"age":1,"income":2}\n{"age":1,"income":2,"SECRET":3}',
      'UNKNOWN_INPUT',
      '$.instances[1]: the model’s columns are "age", "income", and no others.',
    ],
    [
      LINES,
      '{"age":1,"income":2}\n[1,2]',
      'INVALID_REQUEST',
      '$.instances[1] must be an object by column names, as the first one is.',
    ],
  ])('%s that does not fit is a 400 without a value: %j', async (type, body, code, error) => {
    expect((await (await echo(bind))(body, type)).value).toEqual({ code, error });
  });

  test('of the reference data leave the order as it is where they are not there, which is told', async () => {
    const post = await echo(free);
    const { value, taken } = await post('a,b\n1,2.5\n3,4\n');
    expect([value, taken]).toEqual([inOrder, 'order; NAMES_DIFFER']);
    expect((await (await echo())('a,b\n1,2.5\n3,4\n')).taken).toBe('order');
  });
});

describe('a first line of numbers', () => {
  test.each([
    ['0.5,1\n3,4\n', 2, 'order'],
    ['2020,2021\n3.5,4\n', 2, 'order; INTEGERS_FIRST'],
    ['2020,2021\n3,4\n', 2, 'order'],
    ['1,2\n3,4\n', 2, 'order'],
  ])('%j', async (body, rows, told) => {
    const { value, taken } = await (await echo())(body);
    expect([value.predictions.length, taken]).toEqual([rows, told]);
  });

  test('is a row where it is alone, whatever the columns are called', async () => {
    const years = { columns: { names: ['2020', '2021'], bind: true } };
    const post = await echo(years);
    expect((await post('2021,2020\n')).value).toEqual({ predictions: [[2021, 2020]] });
    const { value, taken } = await post('2021,2020\n1,2\n');
    expect([value, taken]).toEqual([{ predictions: [[2, 1]] }, 'name']);
    const flags = await echo({ columns: { names: ['0', '1'], bind: true } });
    expect((await flags('1,0\n0,1\n')).value.predictions).toHaveLength(2);
  });

  test('that numbers three columns and more is a header, unless it is alone', async () => {
    const handler = await createHandler(
      {
        schema: 1,
        model: 'm',
        identity: 'i',
        opset: 17,
        file: 'logreg.onnx',
        remote: [],
        signature: {
          inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 30] }],
          outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }],
          omitted: [],
        },
      },
      {},
      () => {},
    );
    const line = (from: number): string => Array.from({ length: 30 }, (_, i) => from + i).join();
    for (const [body, rows] of [
      [`${line(0)}\n${line(5)}\n`, 1],
      [`${line(1)}\n${line(5)}\n${line(0)}\n`, 2],
      [`${line(2)}\n${line(5)}\n`, 2],
      [`${line(1)}\n`, 1],
    ] as const) {
      const answer = (await handler({
        version: '2.0',
        rawPath: '/invocations',
        requestContext: { http: { method: 'POST', path: '/invocations' }, requestId: 'r' },
        headers: { 'content-type': 'text/csv' },
        body,
        isBase64Encoded: false,
      })) as Answer;
      expect(JSON.parse(answer.body).predictions, answer.body).toHaveLength(rows);
    }
  });
});

describe('a line of JSON is a row', () => {
  test.each([
    ['[1,2\n3]\n[4,5]', 1],
    ['[1,2]\n[3,4],[5,6]', 2],
    ['[1,2],\n[3,4]', 1],
    ['[1,2]\n\n[3', 3],
    ['1],[2\n', 1],
    ['[1,2] [3,4]', 1],
  ])('%j', async (body, line) => {
    expect((await (await echo())(body, LINES)).value).toEqual({
      code: 'INVALID_JSON',
      error: `Line ${line} is not one JSON value.`,
    });
  });

  test('whatever is in it', async () => {
    const post = await echo();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\n \n'),
        fc.nat(200),
        async (rows, end, cut) => {
          const text = rows.map((row) => JSON.stringify(row)).join(end);
          expect((await post(text, LINES)).value).toEqual({ predictions: rows });
          // A line end within a row makes two pieces of it, neither of which is one.
          const at = cut % text.length;
          const broken = `${text.slice(0, at)}\n${text.slice(at)}`;
          const isBetween = text.slice(0, at).split('[').length === text.slice(0, at).split(']').length;
          const { statusCode, value } = await post(broken, LINES);
          if (isBetween) expect(value).toEqual({ predictions: rows });
          else expect([statusCode, value.code]).toEqual([400, 'INVALID_JSON']);
        },
      ),
      { numRuns: 200 },
    );
    expect((await post('{"inputs":[{"data":[1]}]}', LINES)).value.code).toBe('UNKNOWN_INPUT');
    expect((await post('{"__proto__":1}', LINES)).value.code).toBe('FORBIDDEN_KEY');
  });
});

describe('values that are missing', () => {
  const asked = [
    ['text/csv', ',2\nNaN,4\n'],
    ['text/csv', 'income,age\n2,\n4,nan\n'],
    [LINES, '[null,2]\n[null,4]\n'],
    [LINES, '{"income":2,"age":null}\n{"age":null,"income":4}\n'],
    [JSON_TYPE, '{"instances":[[null,2],[null,4]]}'],
    [JSON_TYPE, '{"inputs":[[null,2],[null,4]]}'],
  ] as const;

  test.each(asked)('%s %j: refused, and NaN where the model takes it', async (type, body) => {
    const refused = await (await echo(bind))(body, type);
    expect([refused.statusCode, refused.value.code]).toEqual([400, 'WRONG_VALUE']);
    // The answer has them, and JSON cannot say them.
    const taken = await (await echo({ ...bind, missing: 'nan' }))(body, type);
    expect([taken.statusCode, taken.value.code]).toEqual([422, 'NON_FINITE_OUTPUT']);
  });

  test.each(['income,age\n1\n', '1\n', '1,2\n3\n'])('are not what a short row lacks: %j', async (body) => {
    const post = await echo({ ...bind, missing: 'nan' });
    expect((await post(body)).value.code).toMatch(/^WRONG_(LENGTH|SHAPE)$/);
  });

  test('are a row of their own in quotes, as pandas writes one, and a blank line is none', async () => {
    const handler = await createHandler(
      {
        schema: 1,
        model: 'm',
        identity: 'i',
        opset: 17,
        file: 'strings.onnx',
        remote: [],
        signature: {
          inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1] }],
          outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1] }],
          omitted: [],
        },
      },
      {},
      () => {},
    );
    const answer = (await handler({
      version: '2.0',
      rawPath: '/invocations',
      requestContext: { http: { method: 'POST', path: '/invocations' }, requestId: 'r' },
      headers: { 'content-type': 'text/csv' },
      body: '""\n\na\n',
      isBase64Encoded: false,
    })) as Answer;
    expect(JSON.parse(answer.body).predictions, answer.body).toHaveLength(2);
  });

  test('stay refused where they cannot be: in integers, and infinite', async () => {
    const integers = await echo({ missing: 'nan' }, 'INT64');
    expect((await integers(',2\n')).value.code).toBe('WRONG_VALUE');
    expect((await integers('[null,2]', LINES)).value.code).toBe('WRONG_VALUE');
    const floats = await echo({ missing: 'nan' });
    expect((await floats('inf,2\n')).value.code).toBe('WRONG_VALUE');
    expect((await floats('NA,2\n')).value.code).toBe('WRONG_VALUE');
    const protocol = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[null,2]}]}';
    expect((await floats(protocol, JSON_TYPE)).value.code).toBe('WRONG_VALUE');
  });
});

describe('numbers that are none, in binary', () => {
  const tensors: readonly (readonly [Datatype, Uint8Array, number])[] = [
    ['FP16', new Uint8Array(Uint16Array.of(0x3c00, 0x7e00).buffer), 1],
    ['FP16', new Uint8Array(Uint16Array.of(0xfc00, 0x3c00).buffer), 0],
    ['FP32', new Uint8Array(Float32Array.of(1, Number.NaN).buffer), 1],
    ['FP32', new Uint8Array(Float32Array.of(Number.POSITIVE_INFINITY, 1).buffer), 0],
    ['FP64', new Uint8Array(Float64Array.of(1, Number.NEGATIVE_INFINITY).buffer), 1],
  ];
  const binary = (datatype: Datatype, bytes: Uint8Array) => {
    const json = JSON.stringify({
      inputs: [{ name: 'x', datatype, shape: [1, 2], parameters: { binary_data_size: bytes.length } }],
      parameters: { binary_data_output: true },
    });
    const body = Buffer.concat([Buffer.from(json), bytes]);
    return [
      body,
      JSON_TYPE,
      { 'inference-header-content-length': String(json.length) },
      '/v2/models/m/infer',
    ] as const;
  };

  test.each(tensors)(
    '%s: pass, and are refused where the model says `finite`',
    async (datatype, bytes, place) => {
      const passed = await (await echo({}, datatype))(...binary(datatype, bytes));
      expect(passed.statusCode, passed.body).toBe(200);
      const refused = await (await echo({ finite: true }, datatype))(...binary(datatype, bytes));
      expect([refused.statusCode, refused.value]).toEqual([
        400,
        {
          code: 'WRONG_VALUE',
          error: `$.inputs[0]: element ${place} is NaN or infinite, which this model does not take.`,
        },
      ]);
    },
  );

  test('numbers pass, the greatest too', async () => {
    const post = await echo({ finite: true });
    const bytes = new Uint8Array(Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38).buffer);
    expect((await post(...binary('FP32', bytes))).statusCode).toBe(200);
  });
});

describe('the encoding of a body', () => {
  const body = Buffer.from('1,2.5\n3,4\n');
  test.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZIP', body],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    // Its first byte is that of an object in JSON.
    ['deflate', deflateRawSync(Buffer.concat([Buffer.from('\uFEFF'), body]))],
    // A gateway has undone it.
    ['deflate', body],
    ['identity', body],
    ['', body],
  ])('%j is taken', async (encoding, bytes) => {
    expect((await (await echo())(bytes, 'text/csv', { 'content-encoding': encoding })).value).toEqual(
      inOrder,
    );
  });

  test('of its letters is UTF-8, in csv as in JSON', async () => {
    const bytes = Buffer.from('größe,1\n', 'latin1');
    expect((await (await echo())(bytes, 'text/csv')).value).toEqual({
      code: 'INVALID_ENCODING',
      error: 'The body’s text is not UTF-8.',
    });
  });

  test.each([
    ['br', brotliCompressSync(body)],
    ['zstd', body],
    ['gzip, br', gzipSync(body)],
    ['SECRET', body],
    ['br', body.toString()],
  ])('%j is a 415', async (encoding, bytes) => {
    const { statusCode, value } = await (await echo())(bytes, 'text/csv', { 'content-encoding': encoding });
    expect([statusCode, value]).toEqual([
      415,
      {
        code: 'UNSUPPORTED_MEDIA_TYPE',
        error:
          'Content-Encoding must be gzip, deflate or identity: compress the body with one of these, or not at all.',
      },
    ]);
  });
});
