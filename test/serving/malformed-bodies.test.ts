/**
 * Requests that must be refused in good order: a stable code, a JSON path, no crash, no 5xx, no silent null.
 */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../core/host/gateway.ts';
import { type Served, serve } from './endpoint.ts';
import { binaryRequest, fromBinary } from './tensors.ts';

const MB = 1024 * 1024;
/** For each of five kinds. */
const FUZZED_BODIES = 250;

let add: Served;
let logreg: Served;
let nan: Served;
let grow: Served;
let zipmap: Served;
let all: Served;
beforeAll(async () => {
  add = await serve('add.onnx');
  logreg = await serve('logreg.onnx');
  nan = await serve('nan.onnx');
  grow = await serve('grow.onnx');
  zipmap = await serve('gbm-zipmap.onnx');
  all = await serve('types/all.onnx');
});
afterAll(() => Promise.all([add, logreg, nan, grow, zipmap, all].map((model) => model?.stop())));

const a = { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] as unknown };
const b = { name: 'b', shape: [1, 1], datatype: 'FP32', data: [1] as unknown };
const request = (...inputs: object[]): string => JSON.stringify({ inputs });
/** `add` with the text of a's data as written. */
const withData = (text: string): string => request({ ...a, data: '@' }, b).replace('"@"', text);

/** One time of several is quick: a busy machine is held up now and then, what is slow is so each time. */
async function isQuick(ms: number, work: () => Promise<void>): Promise<void> {
  let best = Number.POSITIVE_INFINITY;
  for (let time = 0; time < 8 && best >= ms; time += 1) {
    const start = performance.now();
    await work();
    best = Math.min(best, performance.now() - start);
  }
  expect(best).toBeLessThan(ms);
}

function refusedAs(answer: HttpAnswer, status: number, code: string, message?: RegExp): void {
  const text = answer.body.toString();
  expect(answer.status, text).toBe(status);
  const body: { error: string; code: string } = JSON.parse(text);
  expect(body.code, body.error).toBe(code);
  expect(typeof body.error).toBe('string');
  if (message) expect(body.error).toMatch(message);
}

describe('values that are no float32', () => {
  test.each([
    ['NaN', '[1,NaN,3]', 'INVALID_JSON|WRONG_VALUE'],
    ['Infinity', '[1,Infinity,3]', 'INVALID_JSON|WRONG_VALUE'],
    ['-Infinity', '[1,-Infinity,3]', 'INVALID_JSON|WRONG_VALUE'],
    ['1e39', '[1,1e39,3]', 'WRONG_VALUE'],
    ['1e999', '[1,1e999,3]', 'WRONG_VALUE'],
    ['undefined', '[1,undefined,3]', 'INVALID_JSON|WRONG_VALUE'],
    ['null', '[1,null,3]', 'WRONG_VALUE'],
    ['a string', '[1,"2",3]', 'WRONG_VALUE'],
    ['true', '[1,true,3]', 'WRONG_VALUE'],
    ['an object', '[1,{},3]', 'WRONG_VALUE'],
  ])('%s', async (_name, data, codes) => {
    const answer = await add.infer(withData(data));
    expect(answer.status).toBe(400);
    const { error, code } = JSON.parse(answer.body.toString());
    expect(codes.split('|')).toContain(code);
    expect(error).toContain('$.inputs[0].data');
  });
});

test('an output that is not finite is 422 in JSON, the model’s own error, and passes in binary', async () => {
  const input = { name: 'x', shape: [2], datatype: 'FP32', data: [-1, 0] };
  refusedAs(await nan.infer(request(input)), 422, 'NON_FINITE_OUTPUT', /"?y"?/);
  const body = JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } });
  const answer = await nan.infer(body);
  expect(answer.status).toBe(200);
  const values = answer.body.subarray(Number(answer.headers['inference-header-content-length']));
  expect(fromBinary('FP32', values)).toEqual([Number.NaN, Number.NEGATIVE_INFINITY]);
});

describe('values that a careless path would change', () => {
  const echo = (datatype: string, data: string): string =>
    `{"inputs":[{"name":"in_${datatype}","shape":[1,2],"datatype":"${datatype}","data":${data}}]}`;
  /** The model that echoes every datatype, with zeros for the others. */
  async function echoed(datatype: string, data: string): Promise<HttpAnswer> {
    const zero: Record<string, unknown> = { BOOL: false, BYTES: '' };
    const others = all.signature.inputs
      .filter((spec) => spec.datatype !== datatype)
      .map(({ name, datatype: kind }) =>
        JSON.stringify({ name, shape: [1, 2], datatype: kind, data: Array(2).fill(zero[kind] ?? 0) }),
      );
    const body = echo(datatype, data).replace('"inputs":[', `"inputs":[${others.join(',')},`);
    return all.infer(body.replace(/}$/, `,"outputs":[{"name":"out_${datatype}"}]}`));
  }

  test.each([
    ['INT64', '[9223372036854775807,-9223372036854775808]'],
    ['INT64', '[9007199254740993,-1]'],
    ['UINT64', '[18446744073709551615,0]'],
    ['FP32', '[-0,1.401298464324817e-45]'],
    ['FP64', '[5e-324,1.7976931348623157e+308]'],
    ['FP16', '[65504,5.960464477539063e-8]'],
    ['BYTES', '["🌱","\\u2028\\n\\""]'],
  ])('%s %s comes back to the digit', async (datatype, data) => {
    const answer = await echoed(datatype, data);
    expect(answer.status, answer.body.toString()).toBe(200);
    const text = answer.body.toString();
    const sent: unknown = datatype === 'BYTES' ? JSON.parse(data) : data;
    const got = /"data":(\[.*\])\}\]\}$/s.exec(text)?.[1] ?? '';
    expect(datatype === 'BYTES' ? JSON.parse(got) : got).toEqual(sent);
  });

  test.each([
    ['INT64', '[9223372036854775808,0]'],
    ['INT64', '[1.5,0]'],
    ['UINT64', '[-1,0]'],
    ['UINT8', '[256,0]'],
    ['INT8', '[-129,0]'],
    ['BOOL', '[1,0]'],
    ['FP16', '[65520,0]'],
    ['BYTES', '["a\\u0000b",""]'],
    ['BYTES', '["\\ud83d",""]'],
    ['BYTES', '[1,""]'],
  ])('%s %s is refused', async (datatype, data) => {
    refusedAs(await echoed(datatype, data), 400, 'WRONG_VALUE', /data\[0\]/);
  });
});

describe('inputs that are not the signature’s', () => {
  test.each([
    ['an extra one', request(a, b, { ...b, name: 'c' }), 'UNKNOWN_INPUT', /inputs\[2\]\.name/],
    [
      'one of Object’s own names',
      request(a, b, { ...b, name: 'constructor' }),
      'UNKNOWN_INPUT',
      /inputs\[2\]/,
    ],
    ['a missing one', request(a), 'MISSING_INPUT', /"b"/],
    ['one twice', request(a, b, a), 'DUPLICATE_NAME', /inputs\[2\]/],
    ['another datatype', request({ ...a, datatype: 'INT32' }, b), 'WRONG_DATATYPE', /inputs\[0\]\.datatype/],
    ['no datatype', request({ ...a, datatype: undefined }, b), 'WRONG_DATATYPE', /inputs\[0\]\.datatype/],
    ['another rank', request({ ...a, shape: [3] }, b), 'WRONG_SHAPE', /inputs\[0\]\.shape/],
    ['another dimension', request({ ...a, shape: [1, 2], data: [1, 2] }, b), 'WRONG_SHAPE', /shape\[1\]/],
    ['a negative dimension', request({ ...a, shape: [-1, 3] }, b), 'WRONG_SHAPE', /shape\[0\]/],
    ['half a dimension', request({ ...a, shape: [0.5, 3] }, b), 'WRONG_SHAPE', /shape\[0\]/],
    ['too few elements', request({ ...a, data: [1, 2] }, b), 'WRONG_LENGTH', /inputs\[0\]\.data/],
    ['too many elements', request({ ...a, data: [1, 2, 3, 4] }, b), 'WRONG_LENGTH', /inputs\[0\]\.data/],
    ['another nesting', request({ ...a, data: [[1], [2, 3]] }, b), 'WRONG_LENGTH', /inputs\[0\]\.data/],
    ['no data', request({ ...a, data: undefined }, b), 'INVALID_REQUEST', /inputs\[0\]\.data/],
    ['no inputs', '{}', 'INVALID_REQUEST', /\$\.inputs/],
    ['an array', '[]', 'INVALID_REQUEST', /object/],
    ['nothing', '', 'INVALID_JSON', /JSON/],
    ['half a request', request(a, b).slice(0, 40), 'INVALID_JSON', /JSON/],
  ] as const)('%s', async (_name, body, code, message) => {
    refusedAs(await add.infer(body), 400, code, message);
  });

  test('lengths that do not fit one another are the model’s refusal, not a crash', async () => {
    const two = { ...b, shape: [2, 1], data: [1, 2] };
    const three = { ...a, shape: [3, 3], data: [1, 2, 3, 4, 5, 6, 7, 8, 9] };
    refusedAs(await add.infer(request(three, two)), 422, 'MODEL_FAILED');
  });

  test('a map asked for by name is refused, and left out otherwise', async () => {
    const input = { name: 'X', shape: [1, 30], datatype: 'FP32', data: Array(30).fill(1) };
    const body = { inputs: [input], outputs: [{ name: 'output_probability' }] };
    refusedAs(await zipmap.infer(JSON.stringify(body)), 400, 'UNKNOWN_OUTPUT', /map/);
    const answer = await zipmap.infer(request(input));
    const { outputs } = JSON.parse(answer.body.toString());
    expect(outputs.map(({ name }: { name: string }) => name)).toEqual(['output_label']);
  });
});

test('no rows are answered with no rows', async () => {
  const input = { name: 'X', shape: [0, 30], datatype: 'FP32', data: [] };
  const answer = await logreg.infer(request(input));
  expect(answer.status, answer.body.toString()).toBe(200);
  const { outputs } = JSON.parse(answer.body.toString());
  expect(outputs).toMatchObject([
    { shape: [0], data: [] },
    { shape: [0, 2], data: [] },
  ]);
});

describe('nesting and keys', () => {
  test.each([33, 5000, 2_000_000])('%i levels are refused before parsing', async (depth) => {
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    for (const body of [withData(nested), `{"parameters":{"a":${nested}},${request(a, b).slice(1)}`]) {
      // Parsing three million levels takes V8 over two seconds.
      await isQuick(1500, async () => {
        const answer = await add.infer(body);
        expect(answer.status).toBe(400);
        expect(['TOO_DEEP', 'WRONG_LENGTH']).toContain(JSON.parse(answer.body.toString()).code);
      });
    }
  });

  test.each(['__proto__', '\\u005f_proto__', '__pro\\u0074o__'])('the key %s', async (key) => {
    for (const place of [`{"${key}":{"x":1},`, `{"parameters":{"${key}":1},`]) {
      refusedAs(await add.infer(place + request(a, b).slice(1)), 400, 'FORBIDDEN_KEY');
    }
  });
});

describe('sizes', () => {
  test('a tensor beyond the limit is refused before it is allocated', async () => {
    for (const rows of [1e8, 1e15, Number.MAX_SAFE_INTEGER]) {
      await isQuick(2000, async () => {
        const answer = await add.infer(request({ ...a, shape: [rows, 3] }, b));
        refusedAs(answer, 413, 'TENSOR_TOO_LARGE', /shape/);
      });
    }
  });

  test('a body that unpacks beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MB, ' '));
    expect(bomb.length).toBeLessThan(MB);
    await isQuick(5000, async () =>
      refusedAs(await add.infer(bomb, { 'content-encoding': 'gzip' }), 413, 'BODY_TOO_LARGE'),
    );
  });

  test('an answer beyond what Lambda carries', async () => {
    const size = { name: 'size', shape: [1], datatype: 'INT64', data: [5_000_000] };
    refusedAs(await grow.infer(request(size)), 413, 'ANSWER_TOO_LARGE');
    const binary = JSON.stringify({ inputs: [size], parameters: { binary_data_output: true } });
    refusedAs(await grow.infer(binary), 413, 'ANSWER_TOO_LARGE');
  });

  test('an output that no memory holds is the model’s error, and the endpoint lives', async () => {
    const size = { name: 'size', shape: [1], datatype: 'INT64', data: [10 ** 13] };
    const answer = await grow.infer(request(size));
    expect([413, 422]).toContain(answer.status);
    expect((await grow.infer(request({ ...size, data: [4] }))).status).toBe(200);
  });

  test('binary sizes and header lengths that are wrong', async () => {
    const content = Buffer.alloc(12);
    const good = binaryRequest([{ ...a, content }]);
    for (const length of ['-1', '1e9', '99999', 'x', '', '3']) {
      const answer = await add.infer(good.body, {
        ...good.headers,
        'inference-header-content-length': length,
      });
      expect(answer.status, length).toBe(400);
    }
    for (const size of [-4, 11, 16, 1e12, 'x', null]) {
      const json = JSON.stringify({
        inputs: [{ ...a, data: undefined, parameters: { binary_data_size: size } }, b],
      });
      const answer = await add.infer(Buffer.concat([Buffer.from(json), content]), {
        'inference-header-content-length': String(json.length),
      });
      expect(answer.status, String(size)).toBe(400);
    }
  });
});

describe(`${5 * FUZZED_BODIES} made-up bodies`, () => {
  /** Neither crash nor 5xx; refusals are the protocol's error; no null where a number belongs. */
  async function sound(
    model: Served,
    body: string | Buffer,
    headers?: Record<string, string>,
  ): Promise<void> {
    const answer = await model.infer(body, headers);
    expect(answer.status).toBeLessThan(500);
    if (answer.headers['inference-header-content-length'] !== undefined) return;
    const parsed = JSON.parse(answer.body.toString());
    if (answer.status !== 200) {
      expect(parsed).toEqual({ error: expect.any(String), code: expect.stringMatching(/^[A-Z_]+$/) });
      return;
    }
    for (const { data } of parsed.outputs) expect(data).not.toContain(null);
  }

  const runs = { numRuns: FUZZED_BODIES };
  const anyJson = fc.jsonValue({ maxDepth: 4 });
  /** A good request in which one slot holds something else. */
  const slots = fc.record(
    {
      name: fc.oneof(fc.constantFrom('a', 'b', 'c', '__proto__'), anyJson),
      shape: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 5 }), anyJson),
      datatype: fc.oneof(fc.constantFrom('FP32', 'INT64', 'BYTES', 'BOOL', 'FP16'), anyJson),
      data: fc.oneof(fc.array(fc.oneof(fc.double(), fc.string(), fc.boolean()), { maxLength: 5 }), anyJson),
      parameters: fc.oneof(fc.record({ binary_data_size: fc.oneof(fc.integer(), anyJson) }), anyJson),
    },
    { requiredKeys: [] },
  );

  test('good requests with one part exchanged', async () => {
    await fc.assert(
      fc.asyncProperty(slots, fc.dictionary(fc.string(), anyJson, { maxKeys: 2 }), (slot, more) =>
        sound(add, JSON.stringify({ ...more, inputs: [{ ...a, ...slot }, b] })),
      ),
      runs,
    );
  });

  test('any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyJson, fc.record({ inputs: anyJson, outputs: anyJson })), (value) =>
        sound(add, JSON.stringify(value)),
      ),
      runs,
    );
  });

  test('good requests with damaged text', async () => {
    const cut = fc.record({
      at: fc.nat(200),
      remove: fc.nat(20),
      insert: fc.oneof(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.constantFrom(
          '"',
          '\\',
          '[',
          ']',
          '{',
          '}',
          ',',
          ':',
          '1e400',
          '-',
          '\u0000',
          'null',
          '0x1',
          '01',
          '\ufeff',
        ),
      ),
    });
    await fc.assert(
      fc.asyncProperty(cut, ({ at, remove, insert }) => {
        const text = request(a, b);
        return sound(add, text.slice(0, at) + insert + text.slice(at + remove));
      }),
      runs,
    );
  });

  test('binary requests with damaged bytes and headers', async () => {
    const good = binaryRequest([
      { ...a, content: Buffer.alloc(12) },
      { ...b, content: Buffer.alloc(4) },
    ]);
    const damage = fc.record({
      at: fc.nat(good.body.length - 1),
      byte: fc.nat(255),
      end: fc.nat(good.body.length),
      length: fc.oneof(
        fc.nat(400).map(String),
        fc.string({ maxLength: 4 }).map((s) => s.replace(/[^ -~]/g, '')),
      ),
    });
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), ({ at, byte, end, length }, whole) => {
        const body = Buffer.from(good.body.subarray(0, whole ? undefined : end));
        if (at < body.length) body[at] = byte;
        return sound(
          add,
          body,
          whole ? good.headers : { ...good.headers, 'inference-header-content-length': length },
        );
      }),
      runs,
    );
  });

  test('direct invocations with any event', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyJson, fc.record({ inputs: fc.array(slots) })), async (event) => {
        const invocation = await add.invoke(event);
        expect(invocation).toHaveProperty('answer');
        if (!('answer' in invocation)) return;
        const text = JSON.stringify(invocation.answer);
        expect(text).toMatch(/^\{"error":".*","code":"[A-Z_]+"\}$|"outputs"/);
      }),
      runs,
    );
  });
});
