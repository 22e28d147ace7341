import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';
import { batchFitProblems } from '../../../../../plugins/models/ship/batch.ts';

const spec = (
  name: string,
  shape: readonly number[],
  datatype: TensorSpec['datatype'] = 'FP32',
): TensorSpec => ({
  name,
  datatype,
  shape,
});
const SIGNATURE: Signature = {
  inputs: [spec('x', [-1, 3])],
  outputs: [spec('label', [-1], 'INT64'), spec('p', [-1, 2])],
  omitted: ['map'],
};

function messagesOf(entry: object, signature: Partial<Signature> = {}): readonly string[] {
  const declared = { input: 's3://incoming/', output: 's3://scored/', ...entry };
  const { models, problems } = parseModels({ churn: { artifact: 'a.onnx', batch: [declared] } });
  expect(problems).toEqual([]);
  const batch = models[0]?.batch;
  if (batch === undefined) throw new Error('no batch');
  return batchFitProblems('batch', batch, { ...SIGNATURE, ...signature }).map(formatProblem);
}

describe('a batch and its model', () => {
  it.each([
    ['as they are', {}, {}],
    ['with outputs chosen', { emit: ['p', 'label'] }, {}],
    ['with ids', { ids: ['customer', 'p'] }, {}],
    ['in numbers', { format: 'npy' }, {}],
    ['row by row', {}, { inputs: [spec('x', [1, 3])] }],
    ['with one value a row', {}, { inputs: [spec('x', [-1])] }],
    ['with rows of any length', {}, { inputs: [spec('x', [-1, -1])] }],
    ['with text', { format: 'jsonl' }, { inputs: [spec('x', [-1], 'BYTES')] }],
    ['with a label of one, as LightGBM exports it', {}, { outputs: [spec('label', [1], 'INT64')] }],
    [
      'with more columns than any list has',
      { ids: ['p_x', 'p_01'] },
      { outputs: [spec('p', [-1, 2 ** 40])] },
    ],
    [
      'with outputs whose columns would have one name, in numbers alone',
      { outputFormat: 'npy' },
      { outputs: [spec('p_0', [-1]), spec('p', [-1, 2])] },
    ],
    [
      'with outputs of like names and other columns',
      {},
      { outputs: [spec('p_2', [-1]), spec('p_0', [-1, 3]), spec('p', [-1, 2])] },
    ],
    [
      'with text that is not written',
      { outputFormat: 'npy', emit: ['p'] },
      { outputs: [spec('label', [-1], 'BYTES'), spec('p', [-1, 2])] },
    ],
  ])('fit %s', (_, entry, signature) => {
    expect(messagesOf(entry, signature)).toEqual([]);
  });

  it.each<[string, object, Partial<Signature>, string]>([
    [
      'two columns of one name',
      { outputFormat: 'parquet' },
      { outputs: [spec('p_0', [-1]), spec('p', [-1, 2])] },
      'batch.0: has the output p_0, and a column of the output p has that name in parquet, too. Choose other outputs with `emit`, write jsonl, or rename one of them in the model.',
    ],
    [
      'an output that is not there',
      { emit: ['q'] },
      {},
      'batch.0.emit: names q, which is no output of the model. Choose from label, p.',
    ],
    [
      'an output that is left out',
      { emit: ['map'] },
      {},
      'batch.0.emit: names map, which is left out of the signature',
    ],
    ['an input as an id', { ids: ['x'] }, {}, 'batch.0.ids: names x, which is an input of the model.'],
    [
      'an output as an id',
      { ids: ['label'] },
      {},
      'batch.0.ids: names label, which is also the name of a written output.',
    ],
    [
      'an output’s column as an id',
      { ids: ['p_1'] },
      {},
      'batch.0.ids: names p_1, which is also the name of a written output.',
    ],
    [
      'one of very many columns as an id',
      { ids: ['p_1099511627775'] },
      { outputs: [spec('p', [-1, 2 ** 40])] },
      'batch.0.ids: names p_1099511627775, which is also the name of a written output.',
    ],
    [
      'a column of what is found in a row, which goes through alone',
      { ids: ['p_3'] },
      { inputs: [spec('x', [1, 3])], outputs: [spec('p', [2, 2])] },
      'batch.0.ids: names p_3, which is also the name of a written output.',
    ],
    [
      'text from npy',
      { format: 'npy', outputFormat: 'csv' },
      { inputs: [spec('t', [-1], 'BYTES')] },
      'batch.0.format: is npy, which has numbers only, and the input t takes text.',
    ],
    [
      'text into npy',
      { outputFormat: 'npy' },
      { outputs: [spec('label', [-1], 'BYTES')] },
      'batch.0.outputFormat: is npy, which has numbers only, and the output label is text.',
    ],
    [
      'a fixed number of rows',
      {},
      { inputs: [spec('x', [32, 3])] },
      'batch: needs rows, but the input x has the shape [32, 3]: its first dimension is fixed, so rows can be neither stacked nor sent one by one.',
    ],
    [
      'a fixed number of values',
      {},
      { inputs: [spec('x', [3])] },
      'batch: needs rows, but the input x has the shape [3]',
    ],
    [
      'a single value',
      {},
      { inputs: [spec('x', [])] },
      'batch: needs rows, but the input x is a single value',
    ],
    [
      'rows of an open shape',
      {},
      { inputs: [spec('x', [-1, -1, 3])] },
      'batch: needs rows of a known size, but the input x has the shape [-1, -1, 3].',
    ],
  ])('do not fit with %s', (_, entry, signature, problem) => {
    const [first = '', ...others] = messagesOf(entry, signature);
    expect(first).toContain(problem);
    expect(first).toContain('[MODELS_BATCH]');
    expect(others).toEqual([]);
  });
});
