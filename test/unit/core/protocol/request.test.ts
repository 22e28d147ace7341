/** Tensors without elements, which take no byte of a body: what they count for, by every way into a model. */
import { describe, expect, it } from 'vitest';
import { TENSOR_BYTES } from '../../../../core/endpoint/contract.ts';
import { inferValue } from '../../../../core/protocol/answer.ts';
import type { EndpointRequest } from '../../../../core/protocol/event.ts';
import { overHttp } from '../../../../core/protocol/grpc/asked.ts';
import { readRequest, readValue } from '../../../../core/protocol/request.ts';
import { readInvocation } from '../../../../core/protocol/sagemaker.ts';
import type { Datatype, Signature } from '../../../../core/tensor/contract.ts';
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

it('an answer of more elements than fit is refused before there is a value for each', () => {
  // Elements that nobody may look at.
  const data = { length: 4e6 } as Float32Array<ArrayBuffer>;
  const [spec] = signature(1).outputs;
  const wanted = [{ spec: spec as NonNullable<typeof spec>, binary: false }];
  const answer = () =>
    inferValue(RESPONDER, undefined, wanted, { y: { datatype: 'FP32', shape: [4e6], data } });
  expect(answer).toThrow(expect.objectContaining({ code: 'ANSWER_TOO_LARGE', status: 413 }));
});
