import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NumericSignal, Signal } from '../../core/drift/contract.ts';
import { readLine } from '../../core/drift/lines.ts';
import { createResidual, elementPlaces } from '../../core/drift/residual.ts';
import { createSums } from '../../core/drift/sums.ts';
import { judgeSignals } from '../../core/drift/window-judge.ts';
import type { TensorSpec } from '../../core/tensor/contract.ts';
import { toHalf } from '../../core/tensor/half.ts';
import { createDrift } from '../../functions/runtime/drift.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { type ShippedBaseline, shipBaseline } from '../../plugins/models/baseline/baseline.ts';
import { runPython } from '../python.ts';
import { head, npy } from '../unit/plugins/models/baseline/setup.ts';
import { newService } from './setup.ts';

/**
 * What principal components leave of wide rows: built from reference data, scored by the endpoint, judged by
 * the monitor.
 */

const service = newService();

/** Numbers that are the same at every run: mulberry32, and normal ones from two of them. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Embeddings of so many topics: a mixture of their directions and a little noise, of Euclidean norm 1. */
function embeddings(count: number, width: number, topics: number, seed: number): Float32Array<ArrayBuffer> {
  const fixed = normals(7);
  const directions = Array.from({ length: topics }, () => Array.from({ length: width }, fixed));
  const normal = normals(seed);
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const mixture = directions.map((_, k) => normal() * (3 / (k + 1)));
    const all = Array.from(
      { length: width },
      (_, i) => mixture.reduce((sum, part, k) => sum + part * (directions[k]?.[i] ?? 0), 0) + normal() / 2,
    );
    const norm = Math.hypot(...all);
    all.forEach((value, i) => {
      rows[row * width + i] = value / norm;
    });
  }
  return rows;
}

const spec = (width: number): TensorSpec => ({ name: 'x', datatype: 'FP32', shape: [-1, width] });

async function build(rows: Float32Array<ArrayBuffer>, width: number, name: string): Promise<ShippedBaseline> {
  const bytes = new Uint8Array(rows.buffer);
  await service.write(name, npy(head('<f4', `${rows.length / width}, ${width}`), bytes));
  return shipBaseline(
    'models.m.drift.baseline',
    service.at(name),
    {
      digest: 'd',
      graph: '',
      bytes: 0,
      outputs: [],
      runtime: undefined,
      engine: onnxFormat.runtime,
      signature: { inputs: [spec(width)], outputs: [], omitted: [] },
    },
    service.context(),
  );
}
const residualOf = ({
  baseline,
}: ShippedBaseline): NumericSignal & Required<Pick<NumericSignal, 'components'>> => {
  const found = baseline.signals.find(({ value }) => value === 'residual');
  if (found?.kind !== 'numeric' || found.components === undefined) throw new Error('no residual');
  return { ...found, components: found.components };
};

describe('residuals of the reference', () => {
  it.each([
    [2000, 300, 5],
    [1500, 3000, 3],
    [11_000, 201, 2],
  ])('of %i rows of %i elements are numpy’s', async (count, width, topics) => {
    const rows = embeddings(count, width, topics, count);
    const built = await build(rows, width, `rows-${width}.npy`);
    const python = await runPython(
      join(import.meta.dirname, 'residual.py'),
      [service.at(`rows-${width}.npy`)],
      { timeout: 280_000 },
    );
    const expected: { components: number; residuals: number[] } = JSON.parse(python);
    const { components, ...signal } = residualOf(built);
    expect(signal).toMatchObject({ label: 'residual of x', nulls: 0, rows: expected.residuals.length });
    const size = Math.min(width, 1024);
    expect(Buffer.from(components.axes, 'base64').length).toBe(4 * expected.components * size);
    const sorted = expected.residuals.toSorted((one, other) => one - other);
    for (const part of [0, 30, 60, 90, 120]) {
      const place = ((sorted.length - 1) * part) / 120;
      const low = sorted[Math.floor(place)] ?? 0;
      const quantile = low + (place % 1) * ((sorted[Math.ceil(place)] ?? 0) - low);
      expect(Math.abs((signal.knots[part] ?? 0) / quantile - 1), String(part)).toBeLessThan(1e-6);
    }
    // The endpoint's own lines, of one row after another.
    const residual = createResidual(components);
    const places = elementPlaces(width);
    const used = Math.min(count, 10_000);
    const held = Array.from({ length: used }, (_, i) => i).filter(
      (i) => Math.floor((i * 20) / used) % 2 === 1,
    );
    for (const [at, i] of held.entries()) {
      const start = Math.floor((i * count) / used) * width;
      const taken = Array.from(places, (place) => rows[start + place] ?? Number.NaN);
      expect(Math.abs(residual(taken) / (expected.residuals[at] ?? 0) - 1)).toBeLessThan(1e-6);
    }
    expect(built.facts.bytes).toBeLessThan(150_000);
  });

  it('are none, as a line says, where there are few rows', async () => {
    const built = await build(embeddings(900, 250, 3, 1), 250, 'few.npy');
    expect(built.baseline.signals.map(({ value }) => value)).toEqual(['norm', 'mean', 'sd']);
    expect(built.notices).toEqual([
      'The residual of x is not watched: that takes 1000 rows without a gap, and the reference has fewer.',
    ]);
  });

  it('of elements that say nothing are no noise', async () => {
    const width = 210;
    const rows = Float32Array.from({ length: 1200 * width }, (_, i) =>
      i % width < 100 ? 0.1 : Math.floor(i / width),
    );
    const signal = residualOf(await build(rows, width, 'rank.npy'));
    expect([signal.sd, signal.knots[0], signal.knots[120]]).toEqual([0, 0, 0]);
  });
});

describe('live rows', () => {
  const WIDTH = 256;
  const judged = async (live: Float32Array, datatype: TensorSpec['datatype'] = 'FP32') => {
    const { baseline } = await build(embeddings(4000, WIDTH, 6, 1), WIDTH, 'embeddings.npy');
    const drift = createDrift(
      { baseline: 'ab'.repeat(32), native: true, signals: baseline.signals },
      { inputs: [spec(WIDTH)], outputs: [] },
      {},
    );
    const adder = createSums('ab'.repeat(32), baseline);
    for (let start = 0; start < live.length; start += 10 * WIDTH) {
      const part = live.slice(start, start + 10 * WIDTH);
      const data = datatype === 'FP16' ? Uint16Array.from(part, toHalf) : part;
      const scored = drift({ x: { datatype, shape: [10, WIDTH], data: data as never } }, {});
      const line = readLine(`${scored?.line}}`);
      if (line === undefined || !adder.add(line)) throw new Error('no line');
    }
    const found = judgeSignals(adder.sums(), baseline, { q: 0.01, effect: 0.1 });
    return Object.fromEntries(baseline.signals.map((signal: Signal, i) => [signal.value, found[i]?.drifted]));
  };

  it('of the same kind have not drifted', async () => {
    const rows = embeddings(1000, WIDTH, 6, 2);
    expect(await judged(rows)).toEqual({ norm: false, mean: false, sd: false, residual: false });
    // Rounding to half precision shows in norms that were 1, and not here.
    expect(await judged(rows, 'FP16')).toMatchObject({ norm: true, residual: false });
  });

  it('of another width have none', async () => {
    const { baseline } = await build(embeddings(1000, WIDTH, 6, 1), WIDTH, 'width.npy');
    const signals = baseline.signals.filter(({ value }) => value === 'residual' || value === 'norm');
    const drift = createDrift(
      { baseline: 'ab'.repeat(32), native: true, signals },
      { inputs: [{ ...spec(WIDTH), shape: [-1, -1] }], outputs: [] },
      {},
    );
    const x = { datatype: 'FP32', shape: [1, WIDTH - 1], data: new Float32Array(WIDTH - 1) } as const;
    const scored = drift({ x }, {});
    expect(JSON.parse(`${scored?.line}}`).cells).toMatch(/^\d-$/);
    expect(scored?.members).toContain('"Null_residual_of_x":1');
  });

  it('of another kind, which norm, mean and deviation cannot see, have drifted by their residual', async () => {
    const rows = embeddings(1000, WIDTH, 6, 2);
    // The same numbers in each row, at other places.
    for (let start = 0; start < rows.length; start += WIDTH) rows.subarray(start, start + WIDTH).reverse();
    expect(await judged(rows)).toEqual({ norm: false, mean: false, sd: false, residual: true });
  });
});
