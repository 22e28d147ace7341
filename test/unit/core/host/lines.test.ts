import { describe, expect, it } from 'vitest';
import type { OutputSignal } from '../../../../core/drift/contract.ts';
import { splitLines, sumsOf } from '../../../../core/host/lines.ts';
import { createMeter } from '../../../../functions/infer/metrics.ts';

const SIGNALS: readonly OutputSignal[] = [
  { name: 'label2_f1', kind: 'label', output: 'p', logits: false, scores: 1 },
  { name: 'confidence_f1', kind: 'confidence', output: 'p', logits: false, scores: 2 },
  { name: 'prediction_f1', kind: 'prediction', output: 'y', logits: false, scores: 1 },
];

/** What the endpoint itself writes. */
function written(act: (meter: ReturnType<typeof createMeter>) => void): string {
  const lines: string[] = [];
  const manifest = {
    ...{ schema: 1 as const, model: 'm', identity: 'i', opset: 17, file: 'f', remote: [], signals: SIGNALS },
    signature: { inputs: [], outputs: [], omitted: [] },
  };
  act(createMeter(manifest, {}, true, (text) => lines.push(text)));
  return lines.join('');
}

describe('the lines of a request', () => {
  it('give the scores that its endpoint wrote, and nothing to the log', () => {
    const text = written((meter) => {
      const scores = meter.score({
        p: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.2, 0.8) as never },
        y: { datatype: 'FP32', shape: [1], data: Float32Array.of(-3) as never },
      });
      meter.answered(0, scores);
    });
    const embedded = JSON.parse(text) as Record<string, number>;
    const own = Object.entries(embedded).filter(([name]) => name.startsWith('Out_'));
    expect(own).toHaveLength(2 + 5 + 2);
    const { scores = '', rest } = splitLines(text);
    expect(rest).toBe('');
    expect(sumsOf(scores)).toEqual(Object.fromEntries(own.map(([name, value]) => [name.slice(4), value])));
    expect(sumsOf(scores).prediction_f1_a).toBeCloseTo(Math.asinh(-3), 5);
  });

  it('are the log’s where they are none of metrics: drift and audit', () => {
    const audit = '{"audit":1}\n';
    const text = written((meter) =>
      meter.answered(
        0,
        ',"Out_p_a":-12e-4,"Out_p_aa":144e-8',
        { line: '{"drift":1', directives: '', members: ',"Scaled_x_a":7' },
        audit,
      ),
    );
    const { scores = '', rest } = splitLines(text);
    expect(rest).toBe(`{"drift":1}\n${audit}`);
    expect(sumsOf(scores)).toEqual({ p_a: -0.0012, p_aa: 0.00000144 });
    expect(splitLines(audit)).toEqual({ rest: audit });
  });

  it('of a failed or refused request have no scores', () => {
    const scored = '{"audit":1,"Out_p_a":1}\n';
    expect(splitLines(written((meter) => meter.failed()))).toEqual({ rest: '' });
    expect(splitLines(written((meter) => meter.rejected(scored)))).toEqual({ rest: scored });
  });

  it('are told by a process whose code may have made them up: what is no number ends them', () => {
    const huge = '9'.repeat(400);
    expect(sumsOf(`,"Out_a":1,"Out_b":${huge},"Out_c":2`)).toEqual({ a: 1 });
    expect(sumsOf(',"Out_a":1,"Out_b":"2"')).toEqual({ a: 1 });
    expect(sumsOf('Out_a')).toEqual({});
    expect(sumsOf(',"Out_a":3}')).toEqual({ a: 3 });
  });
});
