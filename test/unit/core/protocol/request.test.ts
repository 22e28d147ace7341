/**
 * Tensors without elements, which take no byte of a body: what they count for, by every way into a model; and
 * answers that are too large, by every way out of it.
 */
import { describe, expect, it } from 'vitest';
import { TENSOR_BYTES } from '../../../../core/endpoint/contract.ts';
import { inferAnswer, inferValue } from '../../../../core/protocol/answer.ts';
import type { EndpointRequest } from '../../../../core/protocol/event.ts';
import { overHttp } from '../../../../core/protocol/grpc/asked.ts';
import { readRequest, readValue } from '../../../../core/protocol/request.ts';
import { readInvocation } from '../../../../core/protocol/sagemaker.ts';
import { outputsAnswer, predictionsAnswer } from '../../../../core/protocol/sagemaker-answer.ts';
import type { Datatype, Signature } from '../../../../core/tensor/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { encodeMessage } from '../../../open-inference.ts';

const RESPONDER = { model: 'm', version: '1' };

const signature = (rank: number, datatype: Datatype = 'FP32'): Signature => ({
  inputs: [{ name: 'x', datatype, shape: Array<number>(rank).fill(-1) }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  omitted: [],
});
const input = (shape: readonly number[], datatype: Datatype = 'FP32') => ({ name: 'x', datatype, shape });

/** JSON before binary tensors, of which there is no byte. */
const headOf = (shape: readonly number[], datatype?: Datatype): string =>
  JSON.stringify({ inputs: [{ ...input(shape, datatype), parameters: { binary_data_size: 0 } }] });

const invoked = (body: string | Uint8Array<ArrayBuffer>, type: string, of: Signature) => {
  const request: EndpointRequest = {
    source: 'http',
    method: 'POST',
    path: '/invocations',
    headers: { 'content-type': type },
    body: '',
    base64: false,
    id: '',
    multi: false,
    event: undefined,
  } as EndpointRequest;
  return readInvocation(request, body, of, RESPONDER).asked;
};

/** How a shape without elements comes in. */
const WAYS: Readonly<Record<string, (shape: readonly number[], datatype?: Datatype) => unknown>> = {
  json: (shape, datatype) =>
    readRequest(
      JSON.stringify({ inputs: [{ ...input(shape, datatype), data: [] }] }),
      signature(shape.length, datatype),
    ),
  binary: (shape, datatype) =>
    readRequest(headOf(shape, datatype), signature(shape.length, datatype), new Uint8Array(0)),
  direct: (shape, datatype) =>
    readValue({ inputs: [{ ...input(shape, datatype), data: [] }] }, signature(shape.length, datatype)),
  grpc: (shape, datatype) => {
    const message = encodeMessage('ModelInferRequest', {
      modelName: 'm',
      inputs: [{ ...input(shape, datatype), contents: {} }],
    });
    const { headers, body } = overHttp(message);
    const length = Number(headers['inference-header-content-length']);
    const json = new TextDecoder().decode(body.subarray(0, length));
    return readRequest(json, signature(shape.length, datatype), body.subarray(length));
  },
  invocations: (shape, datatype) =>
    invoked(
      JSON.stringify({ inputs: [{ ...input(shape, datatype), data: [] }] }),
      'application/json',
      signature(shape.length, datatype),
    ),
  'invocations, binary': (shape, datatype) => {
    const head = new TextEncoder().encode(headOf(shape, datatype));
    const type = `application/vnd.sagemaker-triton.binary+json;json-header-size=${head.length}`;
    return invoked(head, type, signature(shape.length, datatype));
  },
};

describe.each(Object.entries(WAYS))('an empty tensor by %s', (_, read) => {
  it.each([
    [[1e8, 0], 382],
    [[0, 1e8], 382],
    [[4096, 0, 4097], 65],
    [[Number.MAX_SAFE_INTEGER, 0], 34359738368],
    [[Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER], undefined],
  ])('of the shape %j takes more than there may be', (shape, megabytes) => {
    expect(() => read(shape)).toThrow(
      expect.objectContaining({
        code: 'TENSOR_TOO_LARGE',
        status: 413,
        message: expect.stringMatching(
          `^\\$\\.inputs\\[0\\]\\.shape: .* 64 MB .* they take ${megabytes ?? '\\d'}.*a dimension of 0 counts as 1\\. Send fewer rows`,
        ),
      }),
    );
  });

  it.each([[[0]], [[0, 4]], [[2, 0]], [[0, 0, 0]], [[0, 3, 2000, 2000]], [[TENSOR_BYTES / 4, 0]]])(
    'of the shape %j is one',
    (shape) => {
      expect(read(shape)).toMatchObject({ tensors: { x: { shape, data: expect.any(Float32Array) } } });
    },
  );

  it('counts by its datatype, texts included', () => {
    expect(read([TENSOR_BYTES, 0], 'UINT8')).toMatchObject({ tensors: { x: { shape: [TENSOR_BYTES, 0] } } });
    for (const datatype of ['BYTES', 'INT64'] as const)
      expect(() => read([TENSOR_BYTES / 8 + 1, 0], datatype)).toThrow(/64 MB/);
  });
});

it('empty tensors of a request are counted together', () => {
  const half = { datatype: 'FP32', shape: [TENSOR_BYTES / 8 + 1, 0], data: [] };
  const specs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32' as const, shape: [-1, -1] }));
  const text = JSON.stringify({ inputs: specs.map(({ name }) => ({ ...half, name })) });
  expect(() => readRequest(text, { inputs: specs, outputs: [], omitted: [] })).toThrow(
    expect.objectContaining({ code: 'TENSOR_TOO_LARGE', message: expect.stringMatching(/^\$\.inputs\[1\]/) }),
  );
});

describe('an answer of more elements than fit is refused before any of them is looked at', () => {
  const specs = ['y', 'z'].map((name) => ({ name, datatype: 'FP32' as const, shape: [-1] }));
  /** Two outputs of so many elements, and of two rows. */
  const tensorsOf = (length: number) => {
    const data = { length } as Float32Array<ArrayBuffer>;
    return Object.fromEntries(
      specs.map(({ name }) => [name, { datatype: 'FP32' as const, shape: [2, length / 2], data }]),
    );
  };
  const shapes = { inputs: [], outputs: specs, omitted: [] };
  const wanted = (...binary: readonly boolean[]) =>
    specs.map((spec, i) => ({ spec, binary: binary[i] === true }));
  it.each<[string, number, (tensors: Tensors) => unknown]>([
    ['direct', 2e6, (all) => inferValue(RESPONDER, undefined, wanted(), all)],
    ['json', 2e6, (all) => inferAnswer(RESPONDER, undefined, wanted(), all)],
    ['binary', 6e5, (all) => inferAnswer(RESPONDER, undefined, wanted(true, true), all)],
    ['json and binary', 1e6, (all) => inferAnswer(RESPONDER, undefined, wanted(true, false), all)],
    ['predictions', 2e6, (all) => predictionsAnswer(all, shapes, false, 1)],
    ['csv', 2e6, (all) => predictionsAnswer(all, shapes, true, 1)],
    ['outputs', 2e6, (all) => outputsAnswer(all, shapes)],
  ])('%s', (_, length, answer) => {
    expect(() => answer(tensorsOf(length))).toThrow(
      expect.objectContaining({
        code: 'ANSWER_TOO_LARGE',
        status: 413,
        message: expect.stringMatching(/^The answer is beyond the 6 MB .* ask for fewer rows/),
      }),
    );
  });

  it('one that may fit is written', () => {
    const [spec] = specs as [(typeof specs)[number]];
    const data = new Float32Array(2_900_000);
    const all = { y: { datatype: 'FP32' as const, shape: [data.length], data } };
    const { body } = inferAnswer(RESPONDER, undefined, [{ spec, binary: false }], all);
    expect(body.length).toBeLessThan(6 * 1024 * 1024);
    const raw = inferAnswer(RESPONDER, undefined, [{ spec, binary: true }], {
      y: { ...all.y, shape: [1_150_000], data: data.subarray(0, 1_150_000) },
    });
    expect(raw.body.length).toBeGreaterThan(4 * 1_150_000);
  });
});

/** As `dict()` of `mlserver.types.InferenceRequest` gives it. */
const WITH_NULLS = {
  id: null,
  parameters: null,
  inputs: [{ ...input([2]), parameters: null, data: [1, 2] }],
  outputs: null,
};

it.each([
  ['JSON', () => readRequest(JSON.stringify(WITH_NULLS), signature(1))],
  ['an event', () => readValue(WITH_NULLS, signature(1))],
  ['/invocations', () => invoked(JSON.stringify(WITH_NULLS), 'application/json', signature(1))],
])('null is what is absent, in %s', (_, read) => {
  expect(read()).toMatchObject({
    id: undefined,
    parameters: {},
    tensors: { x: { data: Float32Array.of(1, 2) } },
    outputs: [{ spec: { name: 'y' }, binary: false }],
  });
});

it('null parameters of an output are what is absent; a name that is null is refused', () => {
  const asked = { ...WITH_NULLS, outputs: [{ name: 'y', parameters: null }] };
  expect(readValue(asked, signature(1)).outputs).toMatchObject([{ spec: { name: 'y' }, binary: false }]);
  expect(() => readValue({ ...asked, outputs: [{ name: null }] }, signature(1))).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_OUTPUT' }),
  );
});
