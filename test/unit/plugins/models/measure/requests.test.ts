import { expect, it } from 'vitest';
import { PAYLOAD_BYTES } from '../../../../../core/endpoint/contract.ts';
import { eventOf } from '../../../../../core/gate/event.ts';
import type { Signature } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { checker } from '../../../../../plugins/models/measure/check.ts';
import {
  type BenchRequest,
  benchRequests,
  isFree,
  offlineRequests,
  repeated,
} from '../../../../../plugins/models/measure/requests.ts';

const { models } = parseModels({ churn: { artifact: 'churn.onnx' } });
const [churn] = models;
const signature: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'name', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  omitted: [],
};
const tensor = (name: string, datatype: string, shape: readonly number[], data: readonly unknown[]) => ({
  ...{ name, datatype, shape, data },
});

const untold = (text: string): never => {
  throw new Error(text);
};

it('one token or one pixel is told, since real requests take longer', async () => {
  if (churn === undefined) throw new Error('no model');
  const text: Signature = {
    ...signature,
    inputs: [
      { name: 'input_ids', datatype: 'INT64', shape: [-1, -1] },
      { name: 'pixels', datatype: 'FP32', shape: [-1, 3, -1, -1] },
      { name: 'age', datatype: 'FP32', shape: [-1, 1] },
    ],
  };
  const notices: string[] = [];
  const { from } = await benchRequests(churn, text, undefined, '/', (line) => notices.push(line));
  expect(from).toBe('made of the signature, with 1 for each free dimension');
  expect(notices).toEqual([
    'models.churn: The request is made of the signature, with 1 for each free dimension: input_ids is [1, 1] of [-1, -1], pixels is [1, 3, 1, 1] of [-1, 3, -1, -1]. Larger ones take longer, and more memory: name real requests with --path, or gate.cases.',
  ]);
});

it('a request is made of the signature where there is no other', async () => {
  if (churn === undefined) throw new Error('no model');
  const { from, all } = await benchRequests(churn, signature, undefined, '/', untold);
  expect(from).toBe('made of the signature');
  expect(JSON.parse(all[0].body)).toEqual({
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [1, 2], data: [0.5, 0.5] },
      { name: 'name', datatype: 'BYTES', shape: [1], data: ['text'] },
    ],
  });
  // An image’s, too, which a docs page would not show; beyond Lambda’s payload it is refused.
  const image = (edge: number): Signature => ({
    ...signature,
    inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 3, edge, edge] }],
  });
  const { all: images } = await benchRequests(churn, image(224), undefined, '/', untold);
  expect(images[0].inputs[0]?.data).toHaveLength(3 * 224 * 224);
  // Nobody has named a file, and there is no fewer than one row.
  for (const edge of [2000, 100_000])
    await expect(benchRequests(churn, image(edge), undefined, '/', untold)).rejects.toThrow(
      /^models\.churn: one row, made of the signature, makes a request of at least [\d.]+ MB in JSON; Lambda takes 6 MB\. .* \[MODELS_USAGE\]$/,
    );
});

const request: BenchRequest = {
  body: '',
  rows: 2,
  inputs: [tensor('x', 'FP32', [2, 2], [1, 2, 3, 4]), tensor('name', 'BYTES', [2], ['a', 'b'])],
  outputs: [tensor('y', 'FP32', [2], [5, 6])],
};

it('Offline repeats the rows of a request, and what is expected of them', () => {
  const many = repeated(request, 7);
  expect(many.rows).toBe(6);
  expect(many.inputs.map(({ shape, data }) => [shape, data])).toEqual([
    [
      [6, 2],
      [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4],
    ],
    [[6], ['a', 'b', 'a', 'b', 'a', 'b']],
  ]);
  expect(many.outputs?.[0]).toMatchObject({ shape: [6], data: [5, 6, 5, 6, 5, 6] });
  expect(JSON.parse(many.body).inputs[0].shape).toEqual([6, 2]);
  // An output that is no row of each is not known for more of them.
  expect(repeated({ ...request, outputs: [tensor('y', 'FP32', [1], [5])] }, 4).outputs).toBeUndefined();
  expect(repeated(request, 1).rows).toBe(2);
});

it('rows are free only where every input’s first dimension is', () => {
  expect(isFree(signature.inputs)).toBe(true);
  expect(isFree([...signature.inputs, { name: 'k', datatype: 'INT64', shape: [] }])).toBe(false);
  expect(isFree([])).toBe(false);
});

it('an answer is right by its text, its values or its form, and what is wrong is told', () => {
  const check = checker([request], signature, 1e-4);
  const said = (data: readonly number[], more = {}) => ({
    payload: JSON.stringify({ outputs: [tensor('y', 'FP32', [data.length], data)], ...more }),
  });
  expect(check(0, said([5, 6]))).toEqual({ outcome: 'ok' });
  expect(check(1, said([5, 6]))).toEqual({ outcome: 'ok' });
  expect(check(2, said([5, 6.0001], { id: 'another' }))).toEqual({ outcome: 'ok' });
  expect(check(3, said([5, 7]))).toEqual({ outcome: 'wrong', words: 'y[1]: expected 6, got 7' });
  expect(check(4, undefined)).toMatchObject({ outcome: 'late' });
  expect(check(5, { payload: '{"error": "INTERNAL: x"}' })).toMatchObject({ outcome: 'refused' });
  expect(check(6, { payload: 'x', crashed: 'Unhandled' })).toMatchObject({ outcome: 'failed' });
  const { outputs: _, ...unknown } = request;
  const form = checker([unknown], signature, 1e-4);
  expect(form(0, said([1]))).toEqual({ outcome: 'ok' });
  expect(form(0, { payload: '{"outputs": [{"name": "z", "datatype": "FP32"}]}' })).toEqual({
    outcome: 'wrong',
    words: 'expected the output y of FP32, got none',
  });
  expect(form(0, { payload: '[]' })).toMatchObject({ outcome: 'wrong' });
});

it('as many rows as fit are those of what Lambda is sent, which has large whole numbers twice', () => {
  const inputs = [tensor('id', 'INT64', [100, 10], Array(1000).fill(9007199254740993n))];
  const body = JSON.stringify({ inputs: [] });
  const { requests, less } = offlineRequests([{ body, rows: 100, inputs }], undefined, 100_000);
  const [bytes = 0] = requests.map((request) => Buffer.byteLength(eventOf(request.body)));
  expect([bytes > 0.9 * PAYLOAD_BYTES, bytes <= PAYLOAD_BYTES]).toEqual([true, true]);
  expect(less).toMatch(/^100000 rows are more than the 6 MB that Lambda takes of a request\./);
  const most = requests[0]?.rows ?? 0;
  expect(() => offlineRequests([{ body, rows: 100, inputs }], 2 * most, most)).toThrow(/Write \d+ or less/);
});
