/** The messages of gRPC against the forms of HTTP, written and read by another protobuf than ours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../../../core/errors/refusals.ts';
import { inferAnswer } from '../../../../../core/protocol/answer.ts';
import { inferResponse } from '../../../../../core/protocol/grpc/answered.ts';
import { overHttp, whomOf } from '../../../../../core/protocol/grpc/asked.ts';
import { readRequest } from '../../../../../core/protocol/request.ts';
import { DATATYPES, type Datatype, type Signature } from '../../../../../core/tensor/contract.ts';
import { KINDS, type Tensor, type TensorData } from '../../../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../../../core/tensor/half.ts';
import { decodeMessage, encodeMessage } from '../../../../open-inference.ts';

/** A tensor as people say it: its elements as JSON’s values, of 64 bits as bigints. */
type Said = {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: readonly (number | bigint | boolean | string)[];
};

const element = (datatype: Datatype): fc.Arbitrary<number | bigint | boolean | string> => {
  switch (datatype) {
    case 'BOOL':
      return fc.boolean();
    case 'BYTES':
      return fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0'));
    case 'INT64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'UINT64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'FP16':
      return fc.integer({ min: -2048, max: 2048 });
    case 'FP32':
      return fc.float({ noNaN: true, noDefaultInfinity: true });
    case 'FP64':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    default:
      return fc.integer({ min: KINDS[datatype].least, max: KINDS[datatype].greatest });
  }
};

const tensor = (datatypes: readonly Datatype[]): fc.Arbitrary<Omit<Said, 'name'>> =>
  fc
    .tuple(fc.constantFrom(...datatypes), fc.array(fc.nat({ max: 4 }), { maxLength: 3 }))
    .chain(([datatype, shape]) => {
      const elements = shape.reduce((product, dimension) => product * dimension, 1);
      return fc
        .array(element(datatype), { minLength: elements, maxLength: elements })
        .map((values) => ({ datatype, shape, values }));
    });
const tensors = (datatypes: readonly Datatype[] = DATATYPES): fc.Arbitrary<readonly Said[]> =>
  fc
    .array(tensor(datatypes), { minLength: 1, maxLength: 4 })
    .map((list) => list.map((one, index) => ({ ...one, name: `t${index}` })));

/** The protocol’s raw bytes, by Node’s own writers. */
function rawOf({ datatype, values }: Said): Buffer {
  if (datatype === 'BYTES')
    return Buffer.concat(
      values.map((text) => {
        const bytes = Buffer.from(String(text));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return Buffer.concat([length, bytes]);
      }),
    );
  const { data } = tensorOf({ name: '', datatype, shape: [], values });
  const view = data as Uint8Array;
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function tensorOf({ datatype, shape, values }: Said): Tensor {
  if (datatype === 'BYTES') return { datatype, shape, data: values as string[] };
  const data = KINDS[datatype].allocate(values.length);
  for (const [index, value] of values.entries())
    data[index] = (
      datatype === 'FP16' ? toHalf(Number(value)) : typeof value === 'boolean' ? Number(value) : value
    ) as never;
  return { datatype, shape, data: data as TensorData as never };
}

const FIELDS: Readonly<Partial<Record<Datatype, string>>> = {
  ...{ BOOL: 'bool_contents', INT64: 'int64_contents', UINT64: 'uint64_contents' },
  ...{ INT8: 'int_contents', INT16: 'int_contents', INT32: 'int_contents' },
  ...{ UINT8: 'uint_contents', UINT16: 'uint_contents', UINT32: 'uint_contents' },
  ...{ FP32: 'fp32_contents', FP64: 'fp64_contents', BYTES: 'bytes_contents' },
};
const contentsOf = ({ datatype, values }: Said): object => ({
  [FIELDS[datatype] ?? '']: values.map((value) =>
    typeof value === 'bigint' ? String(value) : datatype === 'BYTES' ? Buffer.from(String(value)) : value,
  ),
});

const signatureOf = (list: readonly Said[]): Signature => ({
  inputs: list.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
  outputs: list.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
  omitted: [],
});

const jsonOf = (list: readonly Said[]): string =>
  `{"inputs":[${list
    .map(({ name, datatype, shape, values }) => {
      const data = values.map((value) =>
        typeof value === 'bigint' ? String(value) : Object.is(value, -0) ? '-0' : JSON.stringify(value),
      );
      return `{"name":"${name}","datatype":"${datatype}","shape":[${shape.join()}],"data":[${data.join()}]}`;
    })
    .join()}]}`;

function understood(message: Uint8Array, signature: Signature) {
  const { headers, body, raw } = overHttp(message);
  const length = Number(headers['inference-header-content-length']);
  const json = Buffer.from(body.subarray(0, length)).toString();
  return { raw, asked: readRequest(json, signature, body.subarray(length)) };
}

const WITH_CONTENTS = DATATYPES.filter((datatype) => datatype !== 'FP16');
const request = (list: readonly Said[], asRaw: boolean, more: object = {}): Buffer =>
  encodeMessage('ModelInferRequest', {
    model_name: 'm',
    inputs: list.map((one) => ({
      ...{ name: one.name, datatype: one.datatype, shape: one.shape },
      ...(!asRaw && { contents: contentsOf(one) }),
    })),
    ...(asRaw && { raw_input_contents: list.map(rawOf) }),
    ...more,
  });

describe('a request', () => {
  it('has the tensors of its JSON, raw or in contents', () => {
    const either = fc.oneof(
      fc.tuple(tensors(WITH_CONTENTS), fc.constant(false)),
      fc.tuple(tensors(), fc.constant(true)),
    );
    fc.assert(
      fc.property(either, ([list, asRaw]) => {
        const signature = signatureOf(list);
        const { asked, raw } = understood(request(list, asRaw), signature);
        const http = readRequest(jsonOf(list), signature);
        expect(asked.tensors).toEqual(http.tensors);
        expect(raw).toBe(asRaw);
        expect(asked.outputs).toEqual(http.outputs.map(({ spec }) => ({ spec, binary: true })));
      }),
      { numRuns: 300 },
    );
  });

  it('without inputs is answered raw: Triton’s client reads numbers from raw bytes alone', () => {
    expect(understood(request([], false), signatureOf([]))).toMatchObject({
      raw: true,
      asked: { tensors: {} },
    });
  });

  it('has names, versions, an id, outputs and parameters of each kind', () => {
    const list: readonly Said[] = [{ name: 't0', datatype: 'BOOL', shape: [1], values: [true] }];
    const parameters = {
      ...{ yes: { bool_param: true }, no: { bool_param: false }, text: { string_param: 'ß"\\' } },
      ...{ least: { int64_param: '-9007199254740991' }, half: { double_param: 0.5 } },
      ...{ most: { uint64_param: '9007199254740991' }, binary_data_output: { bool_param: false } },
    };
    const message = request(list, false, {
      ...{ model_name: 'ä', model_version: '7', id: 'i"d', parameters },
      outputs: [{ name: 't0', parameters: { binary_data: { bool_param: false } } }],
    });
    expect(whomOf(message)).toEqual({ model: 'ä', version: '7' });
    const { asked } = understood(message, signatureOf(list));
    expect(asked).toMatchObject({ id: 'i"d', outputs: [{ binary: true }] });
    expect(asked.parameters).toEqual({
      ...{ yes: true, no: false, text: 'ß"\\', half: 0.5, binary_data_output: true },
      ...{ least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER },
    });
  });

  it('of millions of fields is refused before a text is made of each', () => {
    const message = Buffer.alloc(6 * 1024 * 1024);
    for (let at = 0; at < message.length; at += 2) message[at] = 0x0a;
    expect(() => whomOf(message)).toThrow('more fields than may be sent');
    expect(whomOf(message.subarray(0, 200_000))).toEqual({ model: '', version: '' });
  });

  it('that is not packed, or comes twice, is what protobuf says it is', () => {
    // field 5 (inputs): name t0, FP32, shape [3] unpacked, contents twice: [1] unpacked, then [2, 3] packed.
    const float = (value: number): number[] => [...Buffer.from(Float32Array.of(value).buffer)];
    const input = [
      ...[0x0a, 2, ...Buffer.from('t0'), 0x12, 4, ...Buffer.from('FP32'), 0x18, 3],
      ...[0x2a, 5, 0x35, ...float(1)],
      ...[0x2a, 10, 0x32, 8, ...float(2), ...float(3)],
    ];
    const list: readonly Said[] = [{ name: 't0', datatype: 'FP32', shape: [3], values: [1, 2, 3] }];
    const { asked } = understood(Uint8Array.from([0x2a, input.length, ...input]), signatureOf(list));
    expect(asked.tensors.t0?.data).toEqual(Float32Array.of(1, 2, 3));
  });

  const refusedFor = (message: Uint8Array, list: readonly Said[]): string => {
    try {
      understood(message, signatureOf(list));
      return 'nothing';
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return `${error.code} ${error.message}`;
    }
  };
  const two: readonly Said[] = [{ name: 't0', datatype: 'INT8', shape: [2], values: [1, 2] }];
  const wrong = (change: object, more: object = {}): Buffer =>
    encodeMessage('ModelInferRequest', {
      inputs: [{ name: 't0', datatype: 'INT8', shape: [2], contents: { int_contents: [1, 2] }, ...change }],
      ...more,
    });

  it.each([
    [
      'too few elements',
      wrong({ contents: { int_contents: [1] } }),
      /^WRONG_LENGTH .*int_contents has 1 elements; the shape says 2/,
    ],
    ['none at all', wrong({ contents: undefined }), /^WRONG_LENGTH .*int_contents has 0 elements/],
    [
      'a number beyond its type',
      wrong({ contents: { int_contents: [1, 128] } }),
      /^WRONG_VALUE .*int_contents\[1\] is outside the range of INT8/,
    ],
    [
      'another field',
      wrong({ contents: { uint_contents: [1, 2] } }),
      /^WRONG_DATATYPE .*INT8 is sent in int_contents alone/,
    ],
    [
      'FP16 in contents',
      wrong({ datatype: 'FP16' }),
      /^INVALID_REQUEST .*FP16 has no contents; send it in raw_input_contents/,
    ],
    ['another datatype', wrong({ datatype: 'FP32' }), /^WRONG_DATATYPE/],
    ['a datatype that nobody knows', wrong({ datatype: 'BF16' }), /^WRONG_DATATYPE .*must be INT8/],
    ['another shape', wrong({ shape: [1, 2] }), /^WRONG_SHAPE/],
    ['a negative shape', wrong({ shape: [-2] }), /^WRONG_SHAPE/],
    ['a shape beyond numbers', wrong({ shape: ['9223372036854775807'] }), /^WRONG_SHAPE/],
    [
      'raw and contents',
      wrong({}, { raw_input_contents: [Buffer.from([1, 2])] }),
      /^INVALID_REQUEST .*raw_input_contents are there, too/,
    ],
    [
      'raw of another length',
      wrong({ contents: undefined }, { raw_input_contents: [Buffer.from([1])] }),
      /^WRONG_LENGTH raw_input_contents\[0\] has 1 bytes; datatype and shape say 2/,
    ],
    [
      'raw of more tensors',
      wrong({ contents: undefined }, { raw_input_contents: [Buffer.from([1, 2]), Buffer.alloc(1)] }),
      /^INVALID_REQUEST raw_input_contents has 2 entries, where 1 inputs are/,
    ],
    [
      'a key __proto__',
      wrong({}, { parameters: Object.fromEntries([['__proto__', { bool_param: true }]]) }),
      /^FORBIDDEN_KEY/,
    ],
    [
      'a parameter that JSON cannot say',
      wrong({}, { parameters: { x: { double_param: Number.NaN } } }),
      /^WRONG_VALUE/,
    ],
    [
      'a shared memory region',
      wrong({ parameters: { shared_memory_region: { string_param: 'x' } } }),
      /^INVALID_REQUEST .*shared memory/,
    ],
    [
      'a shared memory region and no contents, as Triton’s client sends it',
      wrong({ contents: undefined, parameters: { shared_memory_region: { string_param: 'x' } } }),
      /^INVALID_REQUEST .*shared memory/,
    ],
  ])('with %s is refused, with the reason', (_, message, reason) => {
    expect(refusedFor(message, two)).toMatch(reason);
  });

  it('whose texts are no UTF-8 is refused', () => {
    expect(refusedFor(Uint8Array.of(0x1a, 1, 0xff), two)).toMatch(/^INVALID_ENCODING/);
  });

  it('of more names than may be sent is refused before they are written down', () => {
    const inputs = Buffer.concat(Array.from({ length: 200_000 }, () => Buffer.from([0x2a, 0])));
    expect(refusedFor(inputs, two)).toMatch(/^BODY_TOO_LARGE/);
  });

  it('of contents that take more as raw bytes than may be sent is refused', () => {
    const ones = Buffer.alloc(1_000_000, 1);
    const contents = Buffer.concat([Buffer.from([0x1a]), varint(ones.length), ones]);
    const input = Buffer.concat([
      ...[Buffer.from([0x12, 5]), Buffer.from('INT64'), Buffer.from([0x1a, 3]), varint(1_000_000)],
      ...[Buffer.from([0x2a]), varint(contents.length), contents],
    ]);
    const message = Buffer.concat([Buffer.from([0x2a]), varint(input.length), input]);
    expect(refusedFor(message, two)).toMatch(/^BODY_TOO_LARGE/);
  });

  it('that is cut off, or changed anywhere, is understood or refused, and nothing else', () => {
    fc.assert(
      fc.property(
        ...[tensors(WITH_CONTENTS), fc.boolean(), fc.nat(), fc.nat({ max: 255 }), fc.boolean()],
        (list, asRaw, at, byte, cut) => {
          const message = request(list, asRaw, { id: 'x', parameters: { k: { int64_param: 1 } } });
          const place = at % message.length;
          const broken = cut ? message.subarray(0, place) : Buffer.from(message);
          if (!cut) broken[place] = byte;
          refusedFor(broken, list);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        refusedFor(bytes, []);
      }),
      { numRuns: 500 },
    );
  });
});

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
};

describe('an answer', () => {
  const answered = (list: readonly Said[], raw: boolean, id?: string) => {
    const wanted = signatureOf(list).outputs.map((spec) => ({ spec, binary: true }));
    const all = Object.fromEntries(list.map((one) => [one.name, tensorOf(one)]));
    const { headers, body } = inferAnswer({ model: 'm', version: '3' }, id, wanted, all);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return decodeMessage('ModelInferResponse', inferResponse(headers, bytes, raw)) as {
      readonly outputs: readonly Readonly<Record<string, unknown>>[];
      readonly raw_output_contents: readonly Buffer[];
    };
  };
  const heads = (list: readonly Said[]): object[] =>
    list.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(String) }));

  it('has the bytes of its binary form where the request was raw', () => {
    fc.assert(
      fc.property(tensors(), (list) => {
        const answer = answered(list, true, 'ä');
        expect(answer).toMatchObject({ model_name: 'm', model_version: '3', id: 'ä', outputs: heads(list) });
        expect(answer.raw_output_contents).toEqual(list.map(rawOf));
        expect(answer.outputs.some((one) => one.contents)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('has its elements in contents where the request had', () => {
    fc.assert(
      fc.property(tensors(WITH_CONTENTS), (list) => {
        const answer = answered(list, false);
        expect(answer).toMatchObject({ outputs: heads(list), raw_output_contents: [] });
        for (const [index, one] of list.entries()) {
          const contents = (answer.outputs[index]?.contents ?? {}) as Record<string, unknown[]>;
          const wanted = Object.values(contentsOf(one))[0];
          expect(contents[FIELDS[one.datatype] ?? ''] ?? []).toEqual(wanted);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has negative integers of 32 bits with all ten bytes, as protobuf writes them', () => {
    const { headers, body } = inferAnswer(
      { model: '', version: '' },
      undefined,
      [{ spec: { name: 'n', datatype: 'INT32', shape: [1] }, binary: true }],
      { n: { datatype: 'INT32', shape: [1], data: Int32Array.of(-1) } },
    );
    const message = Buffer.from(inferResponse(headers, body as Uint8Array, false));
    expect(message.subarray(-12).toString('hex')).toBe('120affffffffffffffffff01');
  });

  it('is raw, whole, where one output is FP16', () => {
    const list: readonly Said[] = [
      { name: 't0', datatype: 'INT32', shape: [1], values: [-1] },
      { name: 't1', datatype: 'FP16', shape: [2], values: [1, 2] },
    ];
    expect(answered(list, false).raw_output_contents).toEqual(list.map(rawOf));
  });

  it('without outputs is one', () => {
    expect(answered([], false)).toMatchObject({ model_name: 'm', outputs: [] });
  });
});
