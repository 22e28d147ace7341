/**
 * Batch: rows a second from an object's bytes to those of the scored parts, on local disk, with the
 * employment model. S3's own time is not in it: an invocation reads and writes beside its work, at some 90
 * MB/s.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Format, SIZES } from '../../core/batch/contract.ts';
import { runPython } from '../../test/python.ts';
import { columnsOf, mustAgree } from '../answers.ts';
import { lambdaEnvironment, run, SIDES, WORK } from '../children.ts';
import { type Claim, type Effort, type Sample, SHORT } from '../claims.ts';
import { median } from '../median.ts';
import { employment, runtime } from '../stage.ts';
import type { Answer, Task } from './worker.ts';

const bench = dirname(import.meta.dirname);
const EMPLOYMENT = join(dirname(bench), 'examples', 'employment');

/** Folder with so many rows as one file, `rows.<format>`. */
async function rowsFolder(count: number, format: Format): Promise<string> {
  const folder = join(WORK, 'batch', `${count}-${format}`);
  await mkdir(folder, { recursive: true });
  const args = ['make', join(EMPLOYMENT, 'later.csv'), String(count), join(folder, `rows.${format}`)];
  await runPython(join(SIDES, 'batch.py'), args, { timeout: 600_000 });
  return folder;
}

async function worker(count: number, format: Format, sides: Task['sides'], times: number): Promise<Answer> {
  const folder = await rowsFolder(count, format);
  const { manifest, dir } = await employment();
  const task: Task = {
    manifest,
    file: join(folder, `rows.${format}`),
    format,
    folder: join(folder, 'out'),
    sides,
    times,
    part: SIZES.part,
  };
  const file = join(folder, 'task.json');
  await writeFile(file, JSON.stringify(task));
  const { text } = await run({
    program: process.execPath,
    args: [join(bench, 'batch', 'worker.ts'), file],
    cwd: dir,
    env: lambdaEnvironment(dir, { NODE_PATH: await runtime() }),
    // Gigabytes take minutes.
    deadline: 1_800_000,
  });
  await rm(folder, { recursive: true, force: true });
  const answer: Answer = JSON.parse(text);
  if (answer.rows !== count) throw new Error(`${answer.rows} of ${count} rows were scored.`);
  return answer;
}

/** Rows of the comparisons; in the short form a hundredth. */
const rowsOf = (effort: Effort, count: number): number => (effort === SHORT ? count / 100 : count);

const besideBare = (format: 'npy' | 'parquet'): Claim => ({
  name: `batch-${format}`,
  group: 'batch',
  about: `400,000 rows of ${format}, read, scored, written: the time for bare \`session.run\` on the same rows, made before`,
  ours: 'batch function',
  other: 'session.run',
  unit: 'ms',
  compare: 'ratio',
  // At least 0.8 of its rows a second.
  limit: 1.25,
  measure: async (effort): Promise<Sample> => {
    const { ours, bare } = await worker(rowsOf(effort, 400_000), format, ['ours', 'bare'], effort.repeats);
    return { ours, other: bare };
  },
});

/** Rows whose answers are compared. */
const LOOKED_AT = 500;

const CSV: Claim = {
  name: 'batch-csv',
  group: 'batch',
  about: '400,000 rows of csv, read, scored, written',
  ours: 'batch function',
  other: 'pandas and onnxruntime in one process',
  unit: 'ms',
  compare: 'ratio',
  limit: 1,
  measure: async (effort) => {
    const count = rowsOf(effort, 400_000);
    const ours: number[] = [];
    const other: number[] = [];
    // In turns, a few runs a process: each language has a process of its own.
    const times = Math.min(3, effort.repeats);
    const turns = Math.ceil(effort.repeats / 3);
    for (let turn = 0; turn < turns; turn++) {
      const [batch, beside] = [await worker(count, 'csv', ['ours'], times), await pandas(count, times)];
      mustAgree(columnsOf(batch.written, LOOKED_AT), columnsOf(beside.written, LOOKED_AT));
      ours.push(...batch.ours);
      other.push(...beside.times);
    }
    return { ours, other };
  },
};

async function pandas(
  count: number,
  times: number,
): Promise<{ readonly times: readonly number[]; readonly written: string }> {
  const folder = await rowsFolder(count, 'csv');
  const args = [
    'run',
    join(EMPLOYMENT, 'employment.onnx'),
    join(folder, 'rows.csv'),
    join(folder, 'out.csv'),
    String(times),
  ];
  const text = await runPython(join(SIDES, 'batch.py'), args, { timeout: 600_000 });
  const written = await readFile(join(folder, 'out.csv'), 'utf8');
  await rm(folder, { recursive: true, force: true });
  return { times: text.trim().split('\n').map(Number), written };
}

const COUNTS = [10_000, 100_000, 1_000_000, 10_000_000] as const;
/** Rows of each size, at least: a process gets faster over its first few hundred thousand. */
const MEASURED = 3_000_000;

const GROWTH: Claim = {
  name: 'batch-growth',
  group: 'batch',
  about: 'csv of 10⁴ to 10⁷ rows: the dearest row ÷ the cheapest',
  ours: 'time a row',
  unit: '',
  compare: 'value',
  limit: 1.1,
  measure: async (effort) => {
    const each: number[] = [];
    for (const size of COUNTS) {
      const count = rowsOf(effort, size);
      const times = effort === SHORT ? 1 : Math.max(1, MEASURED / count);
      const { ours } = await worker(count, 'csv', ['ours'], times);
      each.push((1000 * median(ours)) / count);
    }
    const beside = `µs a row: ${each.map((one) => one.toFixed(2)).join(', ')}`;
    return { ours: [Math.max(...each) / Math.min(...each)], other: [], beside };
  },
};

/** A row of the employment data has 34 bytes. */
const [SMALL, LARGE] = [600_000, 60_000_000] as const;

const MEMORY: Claim = {
  name: 'batch-memory',
  group: 'batch',
  about: 'most memory of the process, csv of 2 GB and of 20 MB',
  ours: '2 GB',
  other: '20 MB',
  unit: 'MB',
  compare: 'ratio',
  limit: 1.2,
  measure: async (effort) => {
    const large = await worker(rowsOf(effort, LARGE), 'csv', ['ours'], 0);
    const small = await worker(rowsOf(effort, SMALL), 'csv', ['ours'], 0);
    return { ours: [large.peak], other: [small.peak] };
  },
};

export const BATCH: readonly Claim[] = [besideBare('npy'), besideBare('parquet'), CSV, GROWTH, MEMORY];
