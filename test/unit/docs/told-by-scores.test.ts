/** What the pages say of logs and people, held against what a log line tells of a single row. */
import { expect, test } from 'vitest';
import type { CategorySignal, NumericSignal, OutputSignal } from '../../../core/drift/contract.ts';
import { createScorer } from '../../../core/endpoint/output-signals.ts';
import type { TensorSpec } from '../../../core/tensor/contract.ts';
import type { Tensor } from '../../../core/tensor/datatypes.ts';
import { createDrift } from '../../../functions/runtime/drift.ts';
import { categoryPart } from '../../../plugins/models/baseline/category.ts';
import { numericPart } from '../../../plugins/models/baseline/numeric.ts';
import { pages } from './pages.ts';

const KNOTS = Array.from({ length: 121 }, (_, i) => 17 + i / 2);
const common = { of: 'input', column: 0, nulls: 0, phi: 1 } as const;
const AGE: NumericSignal = {
  ...{ ...common, kind: 'numeric', value: 'element', name: 'age', label: 'age', tensor: 'age' },
  ...{
    knots: KNOTS,
    mean: 0.5,
    sd: 0.2887,
    skew: 0,
    spread: 0.0745,
    edges: [29, 41, 53],
    counts: [1, 1, 1, 1],
  },
};
const FOUND: CategorySignal = {
  ...{ ...common, kind: 'category', value: 'element', name: 'found', label: 'found', tensor: 'found' },
  ...{ values: ['nothing', 'diabetes', 'asthma'], rare: [], counts: [50, 30, 20, 0, 0] },
};
const column = (name: string, datatype: TensorSpec['datatype']): TensorSpec => ({
  ...{ name, datatype, shape: [-1, 1] },
});

test('a request of one row can be told by its line of drift, and the pages say so', () => {
  const graph = { inputs: [column('age', 'FP32'), column('found', 'BYTES')], outputs: [] };
  const baseline = { baseline: 'b', native: false, signals: [AGE, FOUND] };
  const age: Tensor = { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(43) };
  const found: Tensor = { datatype: 'BYTES', shape: [1, 1], data: ['diabetes'] };
  const drifted = createDrift(baseline, graph, {})({ age, found }, {});
  const { a, cells } = JSON.parse(`${drifted?.line}}`) as { a: number[]; cells: string };
  const rank = (a[0] as number) * AGE.sd + AGE.mean;
  expect(17 + rank * 60).toBeCloseTo(43, 1);
  expect(FOUND.values[Number.parseInt(cells.charAt(1), 36)]).toBe('diabetes');
  for (const [page, words] of [
    ['SECURITY.md', /\*\*Scores of a single row tell the row\.\*\*/],
    ['docs/drift.md', /^## What the log tells of a request$/m],
    ['docs/metrics.md', /drift\.md#what-the-log-tells-of-a-request/],
    ['docs/audit.md', /drift\.md#what-the-log-tells-of-a-request/],
    ['docs/host.md', /drift\.md#what-the-log-tells-of-a-request/],
  ] as const)
    expect(pages.get(page), page).toMatch(words);
  for (const [page, text] of pages) expect(text, page).not.toMatch(/holds? no values?\s+of\s+a\s+request/);
});

test('a baseline has values of single rows, and the pages say so', () => {
  const pay = Float64Array.from({ length: 400 }, (_, i) => (i === 7 ? 9_250_000 : 30_000 + i));
  const { knots } = numericPart(pay);
  expect([knots[0], knots.at(-1)]).toEqual([30_000, 9_250_000]);
  const texts = ['none', 'of one person'];
  const { values, rare } = categoryPart(
    Float64Array.from(pay, (_, i) => (i === 7 ? 1 : 0)),
    texts,
  );
  expect([...values, ...rare]).toContain('of one person');
  for (const page of ['SECURITY.md', 'docs/drift.md'])
    expect(pages.get(page)?.replace(/\s+/g, ' '), page).toMatch(/the least and the greatest/);
});

test('an answer of one number can be told by its line of metrics, and the pages say so', () => {
  const signal: OutputSignal = {
    ...{ name: 'prediction_f1', kind: 'prediction', output: 'y', logits: false, scores: 1 },
  };
  const members = createScorer([signal])({
    y: { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(812) },
  });
  const { Out_prediction_f1_a: told } = JSON.parse(`{${members.slice(1)}}`) as Record<string, number>;
  expect(Math.sinh(told ?? 0) / 812).toBeCloseTo(1, 6);
  expect(pages.get('docs/metrics.md')).toMatch(/by asinh with six decimals \(six digits of it, as a rule\)/);
  expect(pages.get('docs/metrics.md')).toMatch(/whatever `audit\.predictions` says/);
});
