import { expect, it } from 'vitest';
import type { Signal } from '../../../../../core/drift/contract.ts';
import type { TensorSpec } from '../../../../../core/tensor/contract.ts';
import { numericPart } from '../../../../../plugins/models/baseline/numeric.ts';
import { refusedAbsence } from '../../../../../plugins/models/ship/reference.ts';
import { declaredModels } from '../../../../fixtures/service.ts';

/** Every so many-th row has no value. */
const signal = (label: string, every: number, more: Partial<Signal> = {}): Signal =>
  ({
    ...{ name: label, label, of: 'input', tensor: 'x', column: 0, kind: 'numeric', value: 'element' },
    ...numericPart(Float64Array.from({ length: 1000 }, (_, row) => (row % every === 0 ? Number.NaN : row))),
    ...more,
  }) as Signal;

function notices(signals: readonly Signal[], more: object = {}, drift: object = {}): readonly string[] {
  const [model] = declaredModels({ churn: { drift: { baseline: 'reference.csv', ...drift }, ...more } });
  if (model === undefined) throw new Error('no model');
  const facts = { sha256: '', bytes: 0, rows: 1000, native: false, signals: [] };
  return refusedAbsence(model, { scored: { baseline: '', native: false, signals }, facts }, INPUTS);
}

const INPUTS: readonly TensorSpec[] = [
  { name: 'x', datatype: 'FP32', shape: [-1, 3] },
  { name: 'image', datatype: 'FP16', shape: [-1, 3, 300] },
  { name: 'n', datatype: 'INT64', shape: [-1, 2] },
  { name: 'flag', datatype: 'BOOL', shape: [-1, 1] },
];

it('packaging says where the reference lacks values that no request may lack: it will be told as drift', () => {
  const [notice, ...others] = notices([signal('age', 20), signal('income', 10), signal('since', 1001)]);
  expect(others).toEqual([]);
  expect(notice).toMatch(
    /^Csv and JSON are refused without a value of age, income, which the reference lacks/,
  );
  // A wide row is named by its input.
  const wide = ['norm', 'mean'].map((value) =>
    signal(`${value} of image`, 20, { tensor: 'image', value } as Partial<Signal>),
  );
  expect(notices(wide)[0]).toContain('without a value of image, which');
});

it('it says nothing of what is too little to be told, or may be absent in what is scored', () => {
  // 0.5 % of the rows are 0.07 σ.
  expect(notices([signal('age', 200)])).toEqual([]);
  expect(notices([signal('age', 200)], {}, { effect: 0.05 })).toHaveLength(1);
  expect(notices([signal('age', 20)], { missing: 'nan' })).toEqual([]);
  const batch = [{ input: 's3://incoming/in/', output: 's3://scored/out/', missing: 'nan' }];
  expect(notices([signal('age', 20)], { batch })).toEqual([]);
  // A text may be empty, an answer may not be finite, and what has no value at all is told by itself.
  expect(notices([signal('age', 20, { of: 'output' }), signal('empty', 1)])).toEqual([]);
});

it('a whole number and a flag have no missing value: `missing: nan` helps no request to lack one', () => {
  const whole = ['n', 'flag'].map((tensor) => signal(tensor, 20, { tensor } as Partial<Signal>));
  for (const missing of [{}, { missing: 'nan' }]) {
    const [notice, ...others] = notices(whole, missing);
    expect(others).toEqual([]);
    expect(notice).toMatch(/^No request can be without a value of n, flag, which the reference lacks/);
  }
  const both = notices([signal('age', 20), ...whole]);
  expect(both.map((text) => text.slice(0, 12))).toEqual(['Csv and JSON', 'No request c']);
});
