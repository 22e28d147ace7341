import { describe, expect, it } from 'vitest';
import type { Baseline, Signal, SignalWindow } from '../../../../core/drift/contract.ts';
import { readLine } from '../../../../core/drift/lines.ts';
import { createSums } from '../../../../core/drift/sums.ts';
import { judgeSignals } from '../../../../core/drift/window-judge.ts';
import type { TensorSpec } from '../../../../core/tensor/contract.ts';
import { createDrift } from '../../../../functions/runtime/drift.ts';
import { categorySignal, numericSignal } from '../../../reference.ts';
import { baselineOf, category, HOUR, lineOf, numeric, scene, WATCHED } from './scene.ts';

/** Shares of an output's classes: scored by the endpoint, counted and judged by the monitor. */

const DIGEST = 'ab'.repeat(32);
const K = 4;
/** Four classes, as frequent as each other in the reference. */
const REFERENCE = Array.from({ length: 10_000 }, (_, i) => i % K);
const SIGNALS: readonly Signal[] = [
  categorySignal({ name: 'label', of: 'output', tensor: 'p', value: 'label' }, REFERENCE.map(String)),
  // The number of the class, as a model that answers with it would be watched.
  numericSignal({ name: 'number', of: 'output', tensor: 'y', value: 'prediction' }, REFERENCE),
];
const spec = (name: string, ...shape: number[]): TensorSpec => ({ name, datatype: 'FP32', shape });
const baseline: Baseline = { schema: 1, source: DIGEST, rows: REFERENCE.length, signals: SIGNALS };

/** What the monitor finds in requests, each with the classes of its rows, that the endpoint scored. */
function found(requests: readonly (readonly number[])[]): Readonly<Record<string, SignalWindow>> {
  const drift = createDrift(
    { baseline: DIGEST, native: false, signals: SIGNALS },
    { inputs: [], outputs: [spec('p', -1, K), spec('y', -1)] },
    {},
  );
  const adder = createSums(DIGEST, baseline);
  for (const classes of requests) {
    const data = new Float32Array(classes.length * K);
    classes.forEach((label, row) => {
      data[row * K + label] = 1;
    });
    const scored = drift(
      {},
      {
        p: { datatype: 'FP32', shape: [classes.length, K], data },
        y: { datatype: 'FP32', shape: [classes.length], data: Float32Array.from(classes) },
      },
    );
    const line = readLine(`${scored?.line}}`);
    if (line === undefined || !adder.add(line)) throw new Error('no line');
  }
  const signals = judgeSignals(adder.sums(), baseline, { q: 0.01, effect: 0.1 });
  return Object.fromEntries(signals.map((signal) => [signal.name, signal]));
}

/** So many requests of a row each, of every class. */
const ones = (...counts: readonly number[]) =>
  counts.flatMap((count, label) => Array.from({ length: count }, () => [label]));

describe('the classes of an output', () => {
  it('that are as frequent as they were have not drifted', () => {
    expect(found(ones(250, 240, 255, 255)).label).toMatchObject({ n: 1000, drifted: false });
  });

  it('have drifted where their shares have, also where no score of their numbers says so', () => {
    // The change of shares, −1 3 −3 1, is at right angles to location and to spread.
    const { label, number } = found(ones(200, 400, 100, 300));
    expect(number?.smooth?.t).toBeLessThan(0.1);
    expect(label).toMatchObject({ n: 1000, drifted: true, chi: { df: K - 1 } });
    expect(label?.smooth).toBeUndefined();
  });

  it('have drifted where one comes up that the reference does not have', () => {
    const without: Baseline = {
      ...baseline,
      signals: SIGNALS.map((signal) =>
        signal.kind === 'category' ? { ...signal, values: ['0', '1', '2', '9'] } : signal,
      ),
    };
    const cells = [240, 240, 240, 0, 0, 30];
    const of = { n: 750, nulls: 0, a: 0, b: 0 };
    const [label] = judgeSignals({ signals: [{ ...of, cells }] }, without, { q: 0.01, effect: 0.1 });
    expect(label?.drifted).toBe(true);
  });

  it('weigh as many as there are requests, however many rows one has', () => {
    const many = Array.from({ length: 1000 }, () => 3);
    const { label } = found([...ones(50, 50, 50, 50), many]);
    expect(label).toMatchObject({ n: 201, cells: [50, 50, 50, 51, 0, 0], drifted: false });
    const { label: mixed } = found([...ones(50, 50, 50, 50), [0, 0, 1]]);
    expect(mixed?.cells).toEqual([50.6667, 50.3333, 50, 50, 0, 0]);
  });
});

describe('the monitor', () => {
  const watched = baselineOf([
    numeric('age'),
    category('label', { of: 'output', tensor: 'p', value: 'label' }),
  ]);
  const run = async (counted: Baseline, row: (n: number) => Record<string, string>) => {
    const it = scene('2026-11-25T13:05:00Z');
    it.keep(counted);
    for (const hour of ['13', '14', '15'])
      it.serve(counted, `2026-11-25T${hour}:00:00Z`, 400, hour === '15' ? undefined : row);
    for (const time of ['13:05', '14:05', '15:05']) {
      it.at(`2026-11-25T${time}:00Z`);
      await it.run();
    }
    return it;
  };
  const shifted = (n: number) => ({ label: n % 2 === 0 ? 'a' : 'c' });

  it('counts those that drifted in two windows in a row, apart from inputs', async () => {
    const it = await run(watched, shifted);
    expect(it.published.map(({ DriftClasses, DriftFeatures }) => [DriftClasses, DriftFeatures])).toEqual([
      [0, 0],
      [1, 0],
      [0, 0],
    ]);
    expect(it.told[0]).toMatchObject({
      level: 'warn',
      message: expect.stringMatching(
        /400 rows: no input drifted\. 1 of 1 output drifted: "label" \d\.\d\d σ, other shares \(p \S+, 400 requests\)\.$/,
      ),
    });
  });

  it('publishes no count where no output has classes', async () => {
    const it = await run(baselineOf(), () => ({}));
    for (const line of it.published) expect(line).not.toHaveProperty('DriftClasses');
  });

  it('counts a request of many rows once', async () => {
    const it = scene('2026-11-25T14:03:00Z');
    const digest = it.keep(watched);
    it.serve(watched, '2026-11-25T14:00:00Z', 120);
    const rows = Array.from({ length: 500 }, () => ({ label: 'c' }));
    it.logs.put(
      WATCHED.logGroup,
      Date.parse('2026-11-25T14:00:00Z') - HOUR / 2,
      lineOf(watched, digest, ...rows),
    );
    await it.run();
    const [age, label] = it.document('2026-11-25T130000Z-3600').signals;
    expect([age.n, label.n, label.drifted]).toEqual([620, 121, false]);
  });
});
