import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../../core/errors/refusals.ts';
import type { EndpointRequest } from '../../../../core/protocol/event.ts';
import type { Shapes } from '../../../../core/protocol/request.ts';
import { readInvocation } from '../../../../core/protocol/sagemaker.ts';
import type { TensorSpec } from '../../../../core/tensor/contract.ts';

const spec = (name: string, ...shape: readonly number[]): TensorSpec => ({ name, datatype: 'FP32', shape });
const of = (...inputs: readonly TensorSpec[]): Shapes => ({ inputs, outputs: [], omitted: [] });
const TABLE = of(spec('X', -1, 2));
const NAMED: Shapes = { ...TABLE, columns: { names: ['age', 'a b'], bind: true } };
const TWO = of(spec('a', -1, 2), spec('b', -1, 1));
const SERIES = of(spec('x', -1, 3, 1));

function refusalOf(shapes: Shapes, body: string, type = 'application/json'): string {
  const request = { headers: { 'content-type': type } } as unknown as EndpointRequest;
  try {
    readInvocation(request, body, shapes, { model: 'm', version: '1' });
  } catch (error) {
    if (isRefusal(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'taken';
}

it.each([
  [TABLE, '{"instances":[[1,2],[3,"x"]]}', '$.instances[1][1] must be a number.'],
  [TABLE, '[[1,2],[3,"x"]]', '$.instances[1][1] must be a number.'],
  [TABLE, '[1,"x"]', '$.instances[0][1] must be a number.'],
  [NAMED, '{"instances":[{"a b":"x","age":1}]}', '$.instances[0]["a b"] must be a number.'],
  [NAMED, '[{"a b":1,"age":1},{"age":null,"a b":1}]', '$.instances[1].age must be a number.'],
  [TWO, '[{"a":[1,2],"b":1},{"a":[1,2],"b":"x"}]', '$.instances[1].b must be a number.'],
  [TWO, '{"instances":[{"a":[1,"x"],"b":1}]}', '$.instances[0].a[1] must be a number.'],
  [TABLE, '{"inputs":[[1,2],[3,"x"]]}', '$.inputs[1][1] must be a number.'],
  [TWO, '{"inputs":{"a":[[1,2]],"b":["x"]}}', '$.inputs.b[0] must be a number.'],
])('a value of another kind is told by its place in the body (%#: %s)', (shapes, body, due) => {
  expect(refusalOf(shapes, body)).toBe(`WRONG_VALUE: ${due}`);
});

it('a line of JSON is an instance, too', () => {
  const body = '[1,2]\n\n[3,"x"]\n';
  expect(refusalOf(TABLE, body, 'application/jsonlines')).toBe(
    'WRONG_VALUE: $.instances[1][1] must be a number.',
  );
});

describe('rows of another shape are told as what they are in the body:', () => {
  const rank = (size: number, shape: string): string =>
    `must have rank ${size}: ${shape}, where -1 is any size.`;
  it.each([
    [TABLE, '{"instances":[[1,2,3]]}', '$.instances: dimension 1 of X must be 2.'],
    [TABLE, '{"instances":[1,2]}', `$.instances: the shape of X ${rank(2, '[-1, 2]')}`],
    [TABLE, '{"instances":[]}', `$.instances: the shape of X ${rank(2, '[-1, 2]')}`],
    [TABLE, '{"inputs":[[[1,2]]]}', `$.inputs: the shape of X ${rank(2, '[-1, 2]')}`],
    [TWO, '[{"a":[1,2,3],"b":1}]', '$.instances: dimension 1 of a must be 2.'],
    [SERIES, '{"instances":[[1,2,3]]}', `$.instances: the shape of x ${rank(3, '[-1, 3, 1]')}`],
  ])('%#: %s', (shapes, body, due) => {
    expect(refusalOf(shapes, body)).toBe(`WRONG_SHAPE: ${due}`);
  });

  it('rows of different lengths', () => {
    expect(refusalOf(TABLE, '[[1,2],[1,2,3]]')).toBe(
      'WRONG_LENGTH: $.instances[1] has 3 elements; the shape says 2.',
    );
  });
});

describe('binary outputs', () => {
  const shapes: Shapes = { ...TABLE, outputs: [spec('y', -1)] };
  const head = (inputs: object): string => JSON.stringify({ inputs: [inputs], parameters: BINARY });
  const BINARY = { binary_data_output: true };
  const input = { name: 'X', datatype: 'FP32', shape: [1, 2] };
  const json = head({ ...input, data: [1, 2] });
  const packed = head({ ...input, parameters: { binary_data_size: 8 } });
  const TYPE = 'application/vnd.sagemaker-triton.binary+json';

  // https://github.com/triton-inference-server/server, src/sagemaker_server.cc
  it.each([
    ['JSON', 'application/json', new TextEncoder().encode(json)],
    [
      'binary',
      `${TYPE};json-header-size=${packed.length}`,
      Uint8Array.of(...new TextEncoder().encode(packed), ...new Uint8Array(8)),
    ],
  ])(
    'to %s say where their JSON ends in the content type, which is all that SageMaker passes on',
    (_, type, body) => {
      const request = { headers: { 'content-type': type } } as unknown as EndpointRequest;
      const { answer } = readInvocation(request, body, shapes, { model: 'm', version: '1' });
      const said = answer({ y: { datatype: 'FP32', shape: [1], data: Float32Array.of(0.5) } });
      const size = Number(
        /^application\/vnd\.sagemaker-triton\.binary\+json;json-header-size=(\d+)$/.exec(
          said.headers['content-type'] ?? '',
        )?.[1],
      );
      const bytes = said.body as Uint8Array;
      expect(JSON.parse(new TextDecoder().decode(bytes.subarray(0, size)))).toMatchObject({
        outputs: [{ name: 'y', parameters: { binary_data_size: 4 } }],
      });
      expect(said.headers['inference-header-content-length']).toBe(String(size));
    },
  );
});

describe('an output whose first dimension is fixed though rows are free, as of a recurrent network’s layers', () => {
  const shapes: Shapes = { ...TABLE, outputs: [spec('y', -1), spec('h', 2, -1)] };
  const answered = (instances: readonly (readonly number[])[], type: string, body: string): string => {
    const request = { headers: { 'content-type': type } } as unknown as EndpointRequest;
    const { answer } = readInvocation(request, body, shapes, { model: 'm', version: '1' });
    const rows = instances.length;
    const tensor = (...shape: number[]) => ({
      datatype: 'FP32' as const,
      shape,
      data: new Float32Array(shape.reduce((product, one) => product * one, 1)),
    });
    return String(answer({ y: tensor(rows), h: tensor(2, rows) }).body);
  };

  it('is not shared out to two rows, as if its layers were these', () => {
    const due = 'The first dimension of the output "h" counts no rows; use the infer path for this model.';
    const rows = [
      [1, 2],
      [3, 4],
    ];
    expect(() => answered(rows, 'application/json', JSON.stringify({ instances: rows }))).toThrow(due);
    expect(() => answered(rows, 'text/csv', '1,2\n3,4\n')).toThrow(due);
    const whole = answered(rows, 'application/json', JSON.stringify({ inputs: rows }));
    expect(JSON.parse(whole)).toEqual({
      outputs: {
        y: [0, 0],
        h: [
          [0, 0],
          [0, 0],
        ],
      },
    });
  });
});

it('an input whose first dimension is fixed though rows are free, as of a recurrent network’s state, takes no rows', () => {
  const due =
    'INVALID_REQUEST: The first dimension of the input "s" counts no rows; use the infer path for this model.';
  const state = of(spec('x', -1, 1), spec('s', 2, -1, 1));
  const row = { x: [1], s: [[1], [10]] };
  expect(refusalOf(state, JSON.stringify([row, row]))).toBe(due);
  expect(refusalOf(state, '{"inputs":{"x":[[1],[2]],"s":[[[1],[2]],[[3],[4]]]}}')).toBe('taken');
  expect(refusalOf(of(spec('x', -1), spec('s', 2)), 'x,s\n1,2\n3,4\n', 'text/csv')).toBe(due);
  // All of them fixed: as many rows as the model was exported for.
  expect(refusalOf(of(spec('x', 2, 1), spec('s', 2)), 'x,s\n1,2\n3,4\n', 'text/csv')).toBe('taken');
});
