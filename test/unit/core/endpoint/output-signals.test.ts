import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputSignal } from '../../../../core/drift/contract.ts';
import { createScorer, scoreNames } from '../../../../core/endpoint/output-signals.ts';
import type { Datatype, TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../../core/tensor/half.ts';
import { metricCount, signalsOf, slowEdgesOf } from '../../../../plugins/models/plan/watch/metrics.ts';

const spec = (name: string, datatype: Datatype, ...shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});
const of = (...outputs: TensorSpec[]): readonly OutputSignal[] =>
  signalsOf({ inputs: [], outputs, omitted: [] });
const float = (shape: number[], ...data: number[]): Tensor => ({
  datatype: 'FP64',
  shape,
  data: Float64Array.from(data) as never,
});
const scores = (signals: readonly OutputSignal[], tensors: Record<string, Tensor>): Record<string, number> =>
  JSON.parse(`{${createScorer(signals)(tensors).slice(1)}}`);

const legendre = (u: number): [number, number] => [
  Math.sqrt(3) * (2 * u - 1),
  Math.sqrt(5) * (6 * u * u - 6 * u + 1),
];
const arcsine = (p: number): number => (2 / Math.PI) * Math.asin(Math.sqrt(p));

describe('which outputs say something is told by the signature', () => {
  const names = (...outputs: TensorSpec[]): string[] =>
    of(...outputs).map(({ name, output }) => `${name} ${output}`);
  it.each([
    [
      'skl2onnx, two classes',
      [spec('label', 'INT64', -1), spec('probabilities', 'FP32', -1, 2)],
      ['label2_f1 probabilities', 'confidence_f1 probabilities'],
    ],
    [
      'three classes',
      [spec('probabilities', 'FP32', -1, 3)],
      ['label3_f1 probabilities', 'confidence_f1 probabilities', 'entropy3_f1 probabilities'],
    ],
    [
      'logits of a free number of classes',
      [spec('logits', 'FP16', -1, -1)],
      ['label_f1 logits', 'confidence_f1 logits', 'entropy_f1 logits'],
    ],
    ['a label alone', [spec('output_label', 'INT64', -1)], ['prediction_f1 output_label']],
    ['a regression', [spec('variable', 'FP32', -1, 1)], ['prediction_f1 variable']],
    [
      'several',
      ['a', 'b', 'c', 'd', 'e'].map((name) => spec(name, 'FP32', -1)),
      ['prediction_f1 a', 'prediction2_f1 b', 'prediction3_f1 c', 'prediction4_f1 d'],
    ],
    [
      'an embedding, a text, a picture, a flag',
      [
        spec('embedding', 'FP32', -1, 384),
        spec('t', 'BYTES', -1),
        spec('probability_map', 'FP32', -1, 3, 8, 8),
        spec('b', 'BOOL', -1),
      ],
      [],
    ],
    [
      'a probability of one class is a number',
      [spec('probability', 'FP32', -1, 1)],
      ['prediction_f1 probability'],
    ],
  ])('%s', (_name, outputs, expected) => {
    expect(names(...outputs)).toEqual(expected);
  });

  it('counts what CloudWatch bills, and spells the slow edges out', () => {
    const signals = of(spec('probabilities', 'FP32', -1, 2));
    expect(scoreNames(signals)).toHaveLength(7);
    expect([metricCount([], false), metricCount([], true), metricCount(signals, true)]).toEqual([10, 18, 32]);
    expect(slowEdgesOf(undefined)).toBeUndefined();
    expect(slowEdgesOf(100)?.map((edge) => edge.toFixed(6))).toEqual([
      '70.710678',
      '84.089642',
      '100.000000',
      '118.920712',
    ]);
  });
});

describe('scores', () => {
  const two = of(spec('probabilities', 'FP32', -1, 2));
  const three = of(spec('probabilities', 'FP32', -1, 3));

  it('of two classes: which, and how sure', () => {
    const [a, b] = legendre(arcsine(0.8));
    const got = scores(two, { probabilities: float([1, 2], 0.2, 0.8) });
    expect(Object.keys(got)).toEqual(scoreNames(two));
    expect(got).toMatchObject({ Out_label2_f1_a: 1, Out_label2_f1_aa: 1 });
    expect(got.Out_confidence_f1_a).toBeCloseTo(a, 4);
    expect(got.Out_confidence_f1_b).toBeCloseTo(b, 4);
    expect(got.Out_confidence_f1_aa).toBeCloseTo((got.Out_confidence_f1_a ?? 0) ** 2, 10);
    expect(got.Out_confidence_f1_ab).toBeCloseTo(
      (got.Out_confidence_f1_a ?? 0) * (got.Out_confidence_f1_b ?? 0),
      10,
    );
  });

  it('of three: entropy too; logits are the same as their softmax', () => {
    const p = [0.7, 0.2, 0.1];
    const entropy = -p.reduce((sum, share) => sum + share * Math.log(share), 0) / Math.log(3);
    const got = scores(three, { probabilities: float([1, 3], ...p) });
    const [a, b] = legendre(arcsine(entropy));
    expect(got.Out_entropy3_f1_a).toBeCloseTo(a, 4);
    expect(got.Out_entropy3_f1_b).toBeCloseTo(b, 4);
    expect(got.Out_label3_f1_a).toBeCloseTo(-Math.sqrt(3), 4);
    const logits = float([1, 3], ...p.map((share) => Math.log(share) + 700));
    expect(scores(of(spec('logits', 'FP32', -1, 3)), { logits })).toEqual(got);
  });

  it('of a request are one: the mean over its rows, whatever their order, copies changing nothing', () => {
    const rows = fc.array(
      fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)).filter((r) => r.some(Boolean)),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, (counts) => {
        const p = counts.map((row) => row.map((count) => count / row.reduce((sum, x) => sum + x, 0)));
        const whole = scores(three, { probabilities: float([p.length, 3], ...p.flat()) });
        const twice = scores(three, {
          probabilities: float([p.length * 2, 3], ...p.flat(), ...p.toReversed().flat()),
        });
        const single = p.map((row) => scores(three, { probabilities: float([1, 3], ...row) }));
        for (const name of scoreNames(three)) {
          expect(Math.abs((twice[name] ?? 9) - (whole[name] ?? 0))).toBeLessThan(6e-4);
          if (!/_[ab]$/.test(name)) continue;
          const mean = single.reduce((sum, one) => sum + (one[name] ?? 9), 0) / p.length;
          expect(Math.abs((whole[name] ?? 9) - mean)).toBeLessThan(2e-4);
          expect(Math.abs(whole[name] ?? 9)).toBeLessThanOrEqual(
            Math.sqrt(name.endsWith('_a') ? 3 : 5) + 1e-4,
          );
        }
      }),
    );
  });

  it('of predictions: a shift is as large in standard deviations in any unit, and nothing is too large', () => {
    const number = of(spec('y', 'FP64', -1));
    const score = (...values: number[]): number =>
      scores(number, { y: float([values.length], ...values) }).Out_prediction_f1_a ?? 9;
    for (const unit of [1, 1e3, 1e9]) {
      const [low, mid, high] = [190, 200, 210].map((x) => score(x * unit));
      expect(((high ?? 0) - (mid ?? 0)) / ((mid ?? 0) - (low ?? 0))).toBeCloseTo(0.951, 2);
    }
    expect(score(-3)).toBe(-score(3));
    for (const huge of [1.7e308, -1.7e308])
      expect(scores(number, { y: float([1], huge) }).Out_prediction_f1_aa).toBeCloseTo(
        Math.asinh(huge) ** 2,
        3,
      );
  });

  it('leave out rows that are not finite; where nothing is left, or no row came, they are 0', () => {
    const cases = [
      [two, [0.6, 0.4], [Number.NaN, Infinity]],
      [three, [0.6, 0.4, 0], [Number.NaN, Infinity]],
      [of(spec('logits', 'FP32', -1, 3)), [1, 0, -1], [Number.NaN, Infinity]],
      [of(spec('y', 'FP64', -1)), [2], [Number.NaN, Infinity, -Infinity]],
    ] as const;
    for (const [signals, good, bad] of cases) {
      const output = signals[0]?.output ?? '';
      const shape = (rows: number): number[] => (good.length === 1 ? [rows] : [rows, good.length]);
      const clean = scores(signals, { [output]: float(shape(1), ...good) });
      const zeros = Object.fromEntries(scoreNames(signals).map((name) => [name, expect.closeTo(0, 10)]));
      for (const value of bad) {
        for (let place = 0; place < good.length; place++) {
          const row = good.map((x, i) => (i === place ? value : x));
          expect(scores(signals, { [output]: float(shape(1), ...row) })).toEqual(zeros);
          expect(scores(signals, { [output]: float(shape(2), ...row, ...good) })).toEqual(clean);
        }
      }
      for (const tensors of [{}, { [output]: float(shape(0)) }])
        expect(scores(signals, tensors)).toEqual(zeros);
    }
  });

  it('read every number type alike', () => {
    const number = of(spec('y', 'INT64', -1));
    const types: [Datatype, unknown][] = [
      ['INT64', BigInt64Array.of(3n)],
      ['UINT64', BigUint64Array.of(3n)],
      ['INT8', Int8Array.of(3)],
      ['FP16', Uint16Array.of(toHalf(3))],
      ['FP32', Float32Array.of(3)],
    ];
    for (const [datatype, data] of types)
      expect(scores(number, { y: { datatype, shape: [1], data: data as never } })).toEqual({
        Out_prediction_f1_a: 1.818446,
        Out_prediction_f1_aa: expect.closeTo(1.818446 ** 2, 11),
      });
    expect(
      scores(number, { y: { datatype: 'BYTES', shape: [1], data: ['3'] as never } }).Out_prediction_f1_a,
    ).toBe(0);
  });
});
