/** Drift in what the endpoint writes: both lines, as CloudWatch and the monitor read them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Signal } from '../../../../core/drift/contract.ts';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { createMeter } from '../../../../functions/infer/metrics.ts';
import { spokenLine } from '../../../../plugins/models/serve/lines.ts';
import { sumsOf } from '../../../emf.ts';
import { categorySignal, numericSignal } from '../../../reference.ts';

const DIGEST = 'cd'.repeat(32);
const ENVIRONMENT = { AWS_LAMBDA_FUNCTION_NAME: 'shop-dev-m', AWS_LAMBDA_FUNCTION_VERSION: '7' };
const REFERENCE = Array.from({ length: 121 }, (_, i) => i);
const column = (name: string, column = 0, of: Signal['of'] = 'input'): Signal =>
  numericSignal({ name, of, tensor: of === 'input' ? 'X' : 'y', column }, REFERENCE);
const prediction = numericSignal({ name: 'y', of: 'output', tensor: 'y', value: 'prediction' }, REFERENCE);
const floats = (shape: number[], ...data: number[]): Tensor => ({
  datatype: 'FP32',
  shape,
  data: Float32Array.from(data) as never,
});

function answered(
  signals: readonly Signal[],
  native: boolean,
  requests: { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> }[],
  environment: NodeJS.ProcessEnv = ENVIRONMENT,
): string[] {
  const writes: string[] = [];
  const manifest: Manifest = {
    schema: 1,
    model: 'm',
    identity: 'i',
    signature: {
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
      omitted: [],
    },
    opset: 17,
    file: 'f',
    remote: [],
    drift: { baseline: DIGEST, native, signals },
  };
  const meter = createMeter(manifest, environment, true, (lines) => {
    writes.push(lines);
  });
  for (const { inputs, outputs } of requests)
    meter.answered(1000, meter.score(outputs), meter.drift?.(inputs, outputs));
  return writes;
}
const ask = (rows: number[][], y: number[] = [60]) => ({
  inputs: { X: floats([rows.length, 2], ...rows.flat()) },
  outputs: { y: floats([y.length], ...y) },
});
const metricsOf = (writes: readonly string[]): Record<string, number> =>
  sumsOf(writes.map((lines) => lines.split('\n')[0] ?? ''));

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('an answered request', () => {
  it('has its two lines in one write', () => {
    vi.useFakeTimers({ now: 1_795_564_800_123, toFake: ['Date'] });
    vi.spyOn(performance, 'now').mockReturnValue(1002);
    const write = answered([column('age'), prediction], true, [ask([[60, 0]])]);
    expect(write).toEqual([
      '{"_aws":{"CloudWatchMetrics":[{"Namespace":"ServerlessModels","Dimensions":[["Model"],["Model","Version"]],' +
        '"Metrics":[{"Name":"Requests"},{"Name":"Latency","Unit":"Milliseconds"}]},' +
        '{"Namespace":"ServerlessModels","Dimensions":[["Model"]],"Metrics":[{"Name":"ScaledRows"},{"Name":"ScaledRowsNoise"},' +
        '{"Name":"ScaledAnswers"},{"Name":"Scaled_age_a"},{"Name":"Scaled_age_b"},{"Name":"Scaled_y_a"},{"Name":"Scaled_y_b"}]}],' +
        '"Timestamp":1795564800123},' +
        '"Model":"shop-dev-m","Version":"7","Requests":1,"Latency":2000e-3,' +
        // 1/√121.
        '"ScaledRows":1,"ScaledRowsNoise":90909090909e-12,"ScaledAnswers":90909090909e-12,' +
        '"Scaled_age_a":0,"Scaled_age_b":-11181e-4,"Scaled_y_a":0,"Scaled_y_b":-11181e-4}\n' +
        `{"drift":"${DIGEST}","v":"7","rows":1,"a":[0,0],"b":[-1.1181,-1.1181],"cells":"44"}\n`,
    ]);
  });

  it('keeps both through Lambda’s JSON format and its level', () => {
    vi.useFakeTimers({ now: 1_795_564_800_123, toFake: ['Date'] });
    const of = (level: string): unknown[] => {
      const environment = { ...ENVIRONMENT, AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: level };
      const [write = ''] = answered([column('age')], false, [ask([[60, 0]])], environment);
      const lines = write.trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      return lines.map((line) => {
        const { level: written, timestamp } = JSON.parse(line);
        return [written, timestamp];
      });
    };
    const kept = ['WARN', '2026-11-25T00:00:00.123Z'];
    expect(of('WARN')).toEqual([kept, kept]);
    expect(of('INFO')).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('is no talk to those who watch `sls models serve`', () => {
    for (const level of ['INFO', 'ERROR']) {
      const environment = { ...ENVIRONMENT, AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: level };
      const [write = ''] = answered([column('age')], false, [ask([[60, 0]])], environment);
      expect(write.trimEnd().split('\n').map(spokenLine)).toEqual([undefined, undefined]);
    }
    const own = '{"drift":"what a transform prints"}';
    expect(spokenLine(own)).toBe(own);
  });
});

describe('metrics', () => {
  it('of inputs are there where they are native, by the model alone, nulls where there are any', () => {
    const requests = [
      ask(
        [
          [90, 30],
          [Number.NaN, 30],
          [120, Number.NaN],
        ],
        [60, 60, 60],
      ),
      ask([[0, 0]], [0]),
    ];
    const job = categorySignal({ name: 'job', of: 'input', tensor: 'X', column: 1 }, ['30']);
    const {
      'Latency Model=shop-dev-m': _,
      'Latency Model=shop-dev-m,Version=7': __,
      ...sums
    } = metricsOf(answered([column('age'), column('pay', 1), job, prediction], true, requests));
    expect(sums).toEqual({
      'Requests Model=shop-dev-m': 2,
      'Requests Model=shop-dev-m,Version=7': 2,
      'ScaledRows Model=shop-dev-m': 4,
      'ScaledRowsNoise Model=shop-dev-m': expect.closeTo(4 / Math.sqrt(121), 9),
      'ScaledAnswers Model=shop-dev-m': expect.closeTo(2 / Math.sqrt(121), 9),
      'Null_age Model=shop-dev-m': 1,
      'Null_pay Model=shop-dev-m': 1,
      'Scaled_age_a Model=shop-dev-m': expect.closeTo(0.25 / 0.2911 + 0.5 / 0.2911 - 0.4959 / 0.2911, 1),
      'Scaled_age_b Model=shop-dev-m': expect.any(Number),
      'Scaled_pay_a Model=shop-dev-m': expect.any(Number),
      'Scaled_pay_b Model=shop-dev-m': expect.any(Number),
      'Scaled_y_a Model=shop-dev-m': expect.any(Number),
      'Scaled_y_b Model=shop-dev-m': expect.any(Number),
    });
  });

  it('else of outputs only', () => {
    const names = Object.keys(metricsOf(answered([column('age'), prediction], false, [ask([[60, 0]])])));
    expect(names.filter((name) => /^(ScaledRows|Scaled_|Null_)/.test(name))).toEqual([
      'Scaled_y_a Model=shop-dev-m',
      'Scaled_y_b Model=shop-dev-m',
    ]);
  });

  it('are the sums of the line over √φ, and rows over √m, of the version’s own reference', () => {
    const signals = [column('age'), { ...column('pay', 1), phi: 2.5 }, { ...prediction, phi: 9 }];
    const [write = ''] = answered(signals, true, [
      ask([
        [7, 80],
        [33.3, 110],
      ]),
    ]);
    const [metrics = '{}', line = '{}'] = write.split('\n');
    const { a, b } = JSON.parse(line);
    const document = JSON.parse(metrics);
    signals.forEach(({ name, phi }, i) => {
      expect(document[`Scaled_${name}_a`]).toBeCloseTo(a[i] / Math.sqrt(phi), 4);
      expect(document[`Scaled_${name}_b`]).toBeCloseTo(b[i] / Math.sqrt(phi), 4);
    });
    expect(document.Scaled_pay_a).not.toBe(a[1]);
    expect([document.ScaledRows, document.ScaledRowsNoise]).toEqual([2, expect.closeTo(2 / 11, 9)]);
  });

  it('take the fewest rows of a side, and leave out what has none in the reference', () => {
    const fewer = { ...column('pay', 1), counts: [20, 30] };
    const none = { ...prediction, name: 'z', counts: [0] };
    const sums = metricsOf(answered([column('age'), fewer, prediction, none], true, [ask([[7, 80]])]));
    expect(sums['ScaledRowsNoise Model=shop-dev-m']).toBeCloseTo(1 / Math.sqrt(50), 9);
    expect(sums['ScaledAnswers Model=shop-dev-m']).toBeCloseTo(1 / 11, 9);
    expect(Object.keys(sums).filter((name) => name.startsWith('Scaled_z'))).toEqual([]);
  });

  it.each([300, 10_000, 1_234_567, 10_000_000])('have 1/√m to nine digits: of %d rows', (m) => {
    const [rows] = [1000];
    const data = Array.from({ length: rows }, (_, i) => [i % 121, 0]);
    const sums = metricsOf(answered([{ ...column('age'), counts: [m] }], true, [ask(data)]));
    const found = sums['ScaledRowsNoise Model=shop-dev-m'] ?? 0;
    expect(found / (rows / Math.sqrt(m))).toBeCloseTo(1, 8);
  });

  it('stay within the format’s limits, however many there are', () => {
    const inputs = Array.from({ length: 150 }, (_, i) => column(`an_input_of_some_length_${i}`, i % 2));
    const [write = ''] = answered([...inputs, prediction], true, [
      ask(Array.from({ length: 2000 }, (_, i) => [i % 3 === 0 ? 1 : Number.NaN, Number.NaN])),
    ]);
    const [metrics = ''] = write.split('\n');
    const directives = JSON.parse(metrics)._aws.CloudWatchMetrics;
    expect(directives.length).toBeGreaterThan(4);
    for (const { Metrics, Dimensions } of directives) {
      expect(Metrics.length).toBeLessThanOrEqual(100);
      expect(Math.max(...Dimensions.map((set: string[]) => set.length))).toBeLessThanOrEqual(30);
    }
    const names = Object.keys(metricsOf([write]));
    expect(names.filter((name) => name.startsWith('Null_'))).toHaveLength(150);
    expect(write.length).toBeLessThan(1024 ** 2 / 10);
  });

  // A log event has 1 MB:
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html. A pipe takes 64 KiB
  // at once, and what is longer may come out of it in pieces.
  it.each([
    ['200 columns of the monitor', false, 200],
    ['four of CloudWatch alone', true, 4],
  ])('and lines of the widest baseline within a pipe’s 64 KiB: %s', (_, native, columns) => {
    const LONG = 60;
    const width = 200;
    const CLASSES = 5;
    // More than any model gives: it is four numbers, or what is told of one output of classes.
    const outputs = ['p', 'q', 'r', 's'].map((letter) => letter.repeat(LONG));
    const told = outputs.flatMap((output) =>
      (['label', 'confidence', 'entropy'] as const).map((kind) => ({
        name: `${kind}_${output}`.slice(0, LONG),
        kind,
        output,
      })),
    );
    const inputs = Array.from({ length: columns }, (_, i) =>
      numericSignal({ name: `c${i}_`.padEnd(LONG, 'x'), of: 'input', tensor: 'X', column: i }, REFERENCE),
    );
    const manifest: Manifest = {
      schema: 1,
      model: 'm',
      identity: 'i',
      signature: {
        inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, width] }],
        outputs: outputs.map((name) => ({ name, datatype: 'FP32', shape: [-1, CLASSES] })),
        omitted: [],
      },
      opset: 17,
      file: 'f',
      remote: [],
      slowEdges: [-4, -3, -2, -1],
      signals: told.map(({ name, kind, output }) => ({ name, kind, output, logits: false, scores: 2 })),
      drift: {
        baseline: DIGEST,
        native,
        signals: [
          ...inputs,
          ...told.map(({ name, kind, output }) =>
            kind === 'label'
              ? categorySignal({ name, of: 'output', tensor: output, value: kind }, [...'0123456789'])
              : numericSignal({ name, of: 'output', tensor: output, value: kind }, REFERENCE),
          ),
        ],
      },
    };
    const environment = {
      AWS_LAMBDA_FUNCTION_NAME: 'f'.repeat(64),
      AWS_LAMBDA_FUNCTION_VERSION: '1234567',
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_LEVEL: 'ERROR',
    };
    for (const primed of [false, true]) {
      const writes: string[] = [];
      const meter = createMeter(manifest, environment, primed, (lines) => writes.push(lines));
      const rows = 1000;
      // Counts of three digits in every cell, sums of all their digits, and in every column a row without a
      // value.
      const data = Array.from({ length: rows * width }, (_, i) =>
        i < width ? Number.NaN : (i * 7919) % 121.3,
      );
      const tensor = (columns: number, values: readonly number[]): Tensor => ({
        datatype: 'FP32',
        shape: [rows, columns],
        data: Float32Array.from(values),
      });
      const shares = Array.from({ length: rows * CLASSES }, (_, i) => (i % CLASSES === 2 ? 0.6 : 0.1));
      const answers = Object.fromEntries(outputs.map((name) => [name, tensor(CLASSES, shares)]));
      meter.answered(
        performance.now() - 29_000,
        meter.score(answers),
        meter.drift?.({ X: tensor(width, data) }, answers),
      );
      const lines = writes.join('').trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line.length).toBeLessThan(64 * 1024);
      const [metrics = '', drift = ''] = lines;
      expect(JSON.parse(drift).cells).toHaveLength(columns + told.length);
      const { _aws: aws, ...members } = JSON.parse(metrics);
      for (const { Metrics, Dimensions } of aws.CloudWatchMetrics) {
        expect(Metrics.length).toBeLessThanOrEqual(100);
        expect(Math.max(...Dimensions.map((set: string[]) => set.length))).toBeLessThanOrEqual(30);
        // One number each: no array, of which 100 values would count.
        for (const { Name } of Metrics) {
          expect(typeof members[Name], Name).toBe('number');
          expect(Name.length).toBeLessThanOrEqual(255);
        }
      }
    }
  });
});
