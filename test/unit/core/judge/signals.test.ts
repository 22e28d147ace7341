/** The scores that an endpoint writes, summed as CloudWatch sums them, in the judge's hands. */
import { expect, test } from 'vitest';
import type { OutputSignal } from '../../../../core/drift/contract.ts';
import { createScorer } from '../../../../core/endpoint/output-signals.ts';
import { shift } from '../../../../core/judge/output.ts';

const signal: OutputSignal = {
  name: 'prediction_f1',
  kind: 'prediction',
  output: 'y',
  logits: false,
  scores: 1,
};

function sumsOf(values: readonly number[]) {
  const scorer = createScorer([signal]);
  const sums = { n: values.length, a: 0, b: 0, aa: 0, bb: 0, ab: 0 };
  for (const value of values) {
    const text = scorer({ y: { datatype: 'FP64', shape: [1], data: Float64Array.of(value) } });
    const scores = JSON.parse(`{${text.slice(1)}}`);
    sums.a += scores.Out_prediction_f1_a;
    sums.aa += scores.Out_prediction_f1_aa;
  }
  return sums;
}
const repeated = (n: number, of: (i: number) => number): number[] =>
  Array.from({ length: n }, (_, i) => of(i));

test('answers that never differ have no noise, though their sums are rounded: a rare other one is a small shift', () => {
  for (const usual of [1, 3, 0.7, 1234.5]) {
    const stable = sumsOf(repeated(9000, () => usual));
    const candidate = sumsOf(repeated(1000, (i) => (i % 200 === 0 ? usual * 1.2 : usual)));
    expect(shift([[candidate, stable]]).q).toBeLessThan(0.01);
  }
});

test('a shift is found in the standard deviations that it has, also far from zero', () => {
  // Normal quantiles, in turns: the same spread on both sides.
  const noise = [-1.28, -0.84, -0.52, -0.25, 0, 0.25, 0.52, 0.84, 1.28];
  for (const centre of [0, 100, 1e6]) {
    const spread = Math.max(1, centre / 50);
    const of = (n: number, moved: number) =>
      sumsOf(repeated(n, (i) => centre + spread * ((noise[i % noise.length] ?? 0) + moved)));
    const deviation = 0.77;
    expect(shift([[of(900, 0.5), of(9000, 0)]]).q).toBeCloseTo(0.5 / deviation, 1);
    expect(shift([[of(900, 0), of(9000, 0)]]).q).toBeLessThan(1e-3);
  }
});
