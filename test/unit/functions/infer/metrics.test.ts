import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OutputSignal } from '../../../../core/drift/contract.ts';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { createMeter, type Meter } from '../../../../functions/infer/metrics.ts';
import { lineBytes, signalsOf } from '../../../../plugins/models/plan/watch/metrics.ts';
import { ofVersion, sumsOf } from '../../../emf.ts';

const LABEL: OutputSignal = { name: 'label2_f1', kind: 'label', output: 'p', logits: false, scores: 1 };
const MANIFEST: Manifest = {
  schema: 1,
  model: 'm',
  identity: 'i',
  signature: { inputs: [], outputs: [], omitted: [] },
  opset: 17,
  file: 'f',
  remote: [],
};
const ENVIRONMENT = { AWS_LAMBDA_FUNCTION_NAME: 'shop-dev-m', AWS_LAMBDA_FUNCTION_VERSION: '7' };
const row = (...p: number[]): { p: Tensor } => ({
  p: { datatype: 'FP32', shape: [1, p.length], data: Float32Array.from(p) as never },
});

function meterOf(
  manifest: Partial<Manifest> = {},
  environment: NodeJS.ProcessEnv = ENVIRONMENT,
  primed = true,
): { meter: Meter; lines: string[] } {
  const lines: string[] = [];
  const meter = createMeter({ ...MANIFEST, ...manifest }, environment, primed, (line) => {
    lines.push(line);
  });
  return { meter, lines };
}
/** An answer that took so many milliseconds. */
function answer(meter: Meter, took: number, scores = ''): void {
  vi.spyOn(performance, 'now').mockReturnValue(1000 + took);
  meter.answered(1000, scores);
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a line', () => {
  it('is what CloudWatch wants, and nothing that is 0', () => {
    vi.useFakeTimers({ now: 1_795_564_800_123, toFake: ['Date'] });
    const { meter, lines } = meterOf({ signals: [LABEL], slowEdges: [70, 84, 100, 118] });
    answer(meter, 90.5, meter.score(row(0.25, 0.75)));
    meter.failed();
    meter.rejected();
    expect(lines).toEqual([
      '{"_aws":{"CloudWatchMetrics":[{"Namespace":"ServerlessModels","Dimensions":[["Model"],["Model","Version"]],' +
        '"Metrics":[{"Name":"Requests"},{"Name":"Latency","Unit":"Milliseconds"},{"Name":"Slow0"},{"Name":"Slow1"},' +
        '{"Name":"Out_label2_f1_a"},{"Name":"Out_label2_f1_aa"}]}],"Timestamp":1795564800123},' +
        '"Model":"shop-dev-m","Version":"7","Requests":1,"Latency":90500e-3,"Slow0":1,"Slow1":1,' +
        '"Out_label2_f1_a":10000e-4,"Out_label2_f1_aa":100000000e-8}\n',
      '{"_aws":{"CloudWatchMetrics":[{"Namespace":"ServerlessModels","Dimensions":[["Model"],["Model","Version"]],' +
        '"Metrics":[{"Name":"Requests"},{"Name":"Errors"}]}],"Timestamp":1795564800123},' +
        '"Model":"shop-dev-m","Version":"7","Requests":1,"Errors":1}\n',
      '{"_aws":{"CloudWatchMetrics":[{"Namespace":"ServerlessModels","Dimensions":[["Model"],["Model","Version"]],' +
        '"Metrics":[{"Name":"Rejected"}]}],"Timestamp":1795564800123},' +
        '"Model":"shop-dev-m","Version":"7","Rejected":1}\n',
    ]);
  });

  it('is as long as the plan reckons', () => {
    for (const classes of [2, 10]) {
      const output = { name: 'p', datatype: 'FP32', shape: [-1, classes] } as const;
      const signals = signalsOf({ inputs: [], outputs: [{ ...output, name: 'probabilities' }], omitted: [] });
      const { meter, lines } = meterOf({ signals });
      const data = Array.from({ length: classes }, (_, i) => (i + 1) / ((classes * (classes + 1)) / 2));
      answer(meter, 12.345, meter.score({ probabilities: row(...data).p }));
      const [line = ''] = lines;
      expect(Math.abs(lineBytes(signals) / line.length - 1)).toBeLessThan(0.05);
    }
  });

  it('names the level that Lambda is told to keep, in the JSON format only', () => {
    vi.useFakeTimers({ now: 1_795_564_800_123, toFake: ['Date'] });
    const of = (format: string, level: string): unknown => {
      const environment = { ...ENVIRONMENT, AWS_LAMBDA_LOG_FORMAT: format, AWS_LAMBDA_LOG_LEVEL: level };
      const { meter, lines } = meterOf({}, environment);
      meter.failed();
      const { level: written, timestamp } = JSON.parse(lines[0] ?? '');
      return [written, timestamp];
    };
    expect(of('JSON', 'ERROR')).toEqual(['ERROR', '2026-11-25T00:00:00.123Z']);
    for (const [format, level] of [
      ['JSON', 'INFO'],
      ['JSON', 'DEBUG'],
      ['Text', 'ERROR'],
      ['JSON', '"}'],
    ] as const)
      expect(of(format, level)).toEqual([undefined, undefined]);
  });

  it('counts nothing of what is no traffic, but the instance is warm then', () => {
    const { meter, lines } = meterOf({}, ENVIRONMENT, false);
    meter.uncounted();
    expect(lines).toEqual([]);
    answer(meter, 5);
    expect(lines[0]).not.toContain('ColdStart');
  });

  it('counts the first answer of an instance as cold and never as slow; of a primed one none', () => {
    for (const primed of [false, true]) {
      const { meter, lines } = meterOf({ slowEdges: [1, 2, 3, 4] }, ENVIRONMENT, primed);
      meter.rejected();
      meter.failed();
      answer(meter, 900);
      answer(meter, 900);
      const sums = ofVersion(lines, 'shop-dev-m', '7');
      expect([sums.ColdStart, sums.Slow3, sums.Requests]).toEqual(primed ? [undefined, 2, 3] : [1, 1, 3]);
    }
  });
});

it('any stream of requests is counted right, by model and by version', () => {
  const events = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('answered' as const),
        took: fc.double({ min: 0, max: 30, noNaN: true }),
        yes: fc.boolean(),
      }),
      fc.record({ kind: fc.constantFrom('failed' as const, 'rejected' as const) }),
    ),
  );
  const edges = [7.0710678, 8.408964, 10, 11.892071];
  fc.assert(
    fc.property(events, fc.boolean(), fc.boolean(), (stream, primed, hasEdges) => {
      const { meter, lines } = meterOf(
        { signals: [LABEL], ...(hasEdges && { slowEdges: edges }) },
        ENVIRONMENT,
        primed,
      );
      for (const event of stream) {
        if (event.kind === 'answered')
          answer(meter, event.took, meter.score(event.yes ? row(0, 1) : row(1, 0)));
        else meter[event.kind]();
      }
      const answers = stream.filter((event) => event.kind === 'answered');
      const warm = primed ? answers : answers.slice(1);
      const failures = stream.filter(({ kind }) => kind === 'failed').length;
      const expected: Record<string, number> = {
        Requests: answers.length + failures,
        Errors: failures,
        Rejected: stream.filter(({ kind }) => kind === 'rejected').length,
        ColdStart: answers.length - warm.length,
        Out_label2_f1_a: answers.reduce((sum, { yes }) => sum + (yes ? 1 : -1), 0),
        Out_label2_f1_aa: answers.length,
      };
      for (const [i, edge] of edges.entries())
        expected[`Slow${i}`] = hasEdges ? warm.filter(({ took }) => 1000 + took - 1000 > edge).length : 0;
      const sums = sumsOf(lines);
      for (const [name, value] of Object.entries(expected))
        for (const dimensions of ['Model=shop-dev-m', 'Model=shop-dev-m,Version=7'])
          expect([name, sums[`${name} ${dimensions}`] ?? 0]).toEqual([name, value]);
      const latency = answers.reduce((sum, { took }) => sum + took, 0);
      expect(sums['Latency Model=shop-dev-m'] ?? 0).toBeCloseTo(latency, 1);
    }),
    { numRuns: 200 },
  );
});
