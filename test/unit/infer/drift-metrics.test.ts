/** Drift in what the endpoint writes: both lines, as CloudWatch and the monitor read them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Signal } from '../../../functions/drift/contract.ts';
import type { Manifest } from '../../../functions/infer/contract.ts';
import type { Tensor } from '../../../functions/infer/datatypes.ts';
import { createMeter } from '../../../functions/infer/metrics.ts';
import { spokenLine } from '../../../plugins/models/serve/lines.ts';
import { sumsOf } from '../../emf.ts';
import { categorySignal, numericSignal } from '../../reference.ts';

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
        '{"Namespace":"ServerlessModels","Dimensions":[["Model"]],"Metrics":[{"Name":"Rows"},{"Name":"Drift_age_a"},' +
        '{"Name":"Drift_age_b"},{"Name":"Drift_y_a"},{"Name":"Drift_y_b"}]}],"Timestamp":1795564800123},' +
        '"Model":"shop-dev-m","Version":"7","Requests":1,"Latency":2000e-3,' +
        '"Rows":1,"Drift_age_a":0,"Drift_age_b":-11181e-4,"Drift_y_a":0,"Drift_y_b":-11181e-4}\n' +
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
        const { level: said, timestamp } = JSON.parse(line);
        return [said, timestamp];
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
      'Rows Model=shop-dev-m': 4,
      'Null_age Model=shop-dev-m': 1,
      'Null_pay Model=shop-dev-m': 1,
      'Drift_age_a Model=shop-dev-m': expect.closeTo(0.25 / 0.2911 + 0.5 / 0.2911 - 0.4959 / 0.2911, 1),
      'Drift_age_b Model=shop-dev-m': expect.any(Number),
      'Drift_pay_a Model=shop-dev-m': expect.any(Number),
      'Drift_pay_b Model=shop-dev-m': expect.any(Number),
      'Drift_y_a Model=shop-dev-m': expect.any(Number),
      'Drift_y_b Model=shop-dev-m': expect.any(Number),
    });
  });

  it('else of outputs only', () => {
    const names = Object.keys(metricsOf(answered([column('age'), prediction], false, [ask([[60, 0]])])));
    expect(names.filter((name) => /^(Rows|Drift_|Null_)/.test(name))).toEqual([
      'Drift_y_a Model=shop-dev-m',
      'Drift_y_b Model=shop-dev-m',
    ]);
  });

  it('are the same sums as the line’s', () => {
    const signals = [column('age'), column('pay', 1), prediction];
    const [write = ''] = answered(signals, true, [
      ask([
        [7, 80],
        [33.3, 110],
      ]),
    ]);
    const [metrics = '{}', line = '{}'] = write.split('\n');
    const { a, b } = JSON.parse(line);
    const document = JSON.parse(metrics);
    signals.forEach(({ name }, i) => {
      expect([document[`Drift_${name}_a`], document[`Drift_${name}_b`]]).toEqual([a[i], b[i]]);
    });
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
});
