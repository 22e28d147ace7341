/**
 * `node reference-child.ts FILE`: a baseline of a file of 50 columns, x_0 to x_49, as `sls package` builds
 * it, and what it cost.
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { shipBaseline } from '../../plugins/models/baseline/baseline.ts';

export type Cost = {
  readonly seconds: number;
  /** The most that the process had in memory at a time, Node.js itself included. */
  readonly megabytes: number;
  readonly rows: number;
  /** sha256 of the signals without their names, which arrays of NumPy lack. */
  readonly digest: string;
};

const COLUMNS = 50;
const path = process.argv[2] as string;
const inputs = Array.from({ length: COLUMNS }, (_, i) => ({
  name: `x_${i}`,
  datatype: 'FP32' as const,
  shape: [-1, 1],
}));
const began = performance.now();
const { baseline, facts } = await shipBaseline(
  'models.x.drift.baseline',
  path,
  {
    digest: '',
    graph: '',
    bytes: 0,
    signature: { inputs, outputs: [], omitted: [] },
    outputs: [],
    runtime: undefined,
    engine: onnxFormat.runtime,
  },
  { serviceDir: dirname(path), progress: () => {} },
);
const seconds = (performance.now() - began) / 1000;
const signals = baseline.signals.map((signal) => ({ ...signal, name: '', label: '' }));
const cost: Cost = {
  seconds,
  megabytes: process.resourceUsage().maxRSS / 1000,
  rows: facts.rows,
  digest: createHash('sha256').update(JSON.stringify(signals)).digest('hex'),
};
console.log(JSON.stringify(cost));
