/**
 * The program that runs a model on reference data, in a process of its own as the probe of an artifact is:
 * `sandbox.ts` watches it, and kills it. Rows are read from the store, and nothing but the signals' values
 * comes back.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { OutputSignal } from '../../../core/drift/contract.ts';
import type { RowTensor } from '../../../core/tabular/cells/layout.ts';
import { KINDS, type NumericData, type Tensor } from '../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../core/tensor/half.ts';
import type { AskModel, OpenModel } from '../contracts/artifact-format.ts';
import { ownFile } from '../disk/own-file.ts';
import type { ProcessReply } from '../sandbox/sandbox.ts';
import { outputValues } from './outputs.ts';
import { readBlocks, type Stored } from './store.ts';
import type { SignalValues } from './values.ts';

export type BaselineTask = {
  /** Absolute path of the graph. */
  readonly model: string;
  /** `ArtifactRuntime.session` of its format. */
  readonly session: string;
  readonly stored: Stored;
  readonly tensors: readonly RowTensor[];
  readonly signals: readonly OutputSignal[];
  /** Ways to ask, until the model takes one: rows at a time, and the most rows in all, evenly spaced. */
  readonly ways: readonly { readonly batch: number; readonly most: number }[];
};

export type Result =
  /**
   * By signal, a value for each row that was chosen, NaN for none; and how many of them the model was asked.
   */
  | { readonly values: readonly Float64Array[]; readonly asked: number }
  /** It answers, but not each row with one value, or with one row of classes. */
  | { readonly isUnfit: true }
  | { readonly refusal: string };

const send = (reply: ProcessReply<Result>): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(reply, () => resolve());
  });
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

process.once('message', async (task: BaselineTask) => {
  await send(
    await work(task).catch(
      (error): ProcessReply<Result> => ({ kind: 'failed', stage: 'loading', message: messageOf(error) }),
    ),
  );
  process.exit(0);
});

async function work(task: BaselineTask): Promise<ProcessReply<Result>> {
  await send({ kind: 'stage', stage: 'loading' });
  const { openModel }: { readonly openModel: OpenModel } = await import(
    pathToFileURL(ownFile(task.session)).href
  );
  const run = await openModel(task.model);
  await send({ kind: 'stage', stage: 'running' });
  const file = await open(task.stored.path);
  let refusal: string | undefined;
  for (const { batch, most } of task.ways) {
    try {
      const result = await ask(run, file, task, batch, most);
      if (result !== undefined) return { kind: 'done', result };
      refusal = undefined;
    } catch (error) {
      refusal = messageOf(error);
    }
  }
  return { kind: 'done', result: refusal === undefined ? { isUnfit: true } : { refusal } };
}

/** @returns undefined where an answer has not a row for each row */
async function ask(
  askModel: AskModel,
  file: FileHandle,
  { stored, tensors, signals }: BaselineTask,
  batch: number,
  most: number,
): Promise<{ readonly values: readonly Float64Array[]; readonly asked: number } | undefined> {
  const count = Math.min(most, stored.rows);
  const rowAt = (index: number): number => Math.floor((index * stored.rows) / count);
  const values = signals.map(() => new Float64Array(count).fill(Number.NaN));
  const outputs = [...new Set(signals.map(({ output }) => output))];
  const feeds = tensors.map((tensor) => ({ tensor, data: elements(tensor, batch) }));
  // Places in `values` of the rows that wait to be asked.
  let waiting: number[] = [];
  let next = 0;
  let asked = 0;
  let fits = true;
  const run = async (): Promise<void> => {
    const rows = waiting.length;
    const inputs = feeds.map(({ tensor, data }) => [tensor.spec.name, tensorOf(tensor, data, rows)] as const);
    const found = outputValues(signals, await askModel(Object.fromEntries(inputs), outputs), rows);
    fits &&= found !== undefined;
    for (const [i, part] of found?.entries() ?? [])
      for (const [j, place] of waiting.entries()) (values[i] as Float64Array)[place] = part[j] as number;
    asked += rows;
    waiting = [];
  };
  await readBlocks(file, stored, 0, stored.fields.length, async (block, first, size) => {
    for (; fits && next < count && rowAt(next) < first + size; next++) {
      const row = rowAt(next) - first;
      if (!put(feeds, block, row, waiting.length, stored)) continue;
      waiting.push(next);
      if (waiting.length === batch) await run();
    }
  });
  // A first dimension that is fixed takes no fewer rows.
  if (fits && waiting.length > 0 && tensors.every(({ spec }) => spec.shape[0] === -1)) await run();
  return fits ? { values, asked } : undefined;
}

type Feed = { readonly tensor: RowTensor; readonly data: NumericData | string[] };

const elements = ({ spec, width }: RowTensor, rows: number): NumericData | string[] =>
  spec.datatype === 'BYTES' ? [] : KINDS[spec.datatype].allocate(rows * width);

/** @returns false where the row cannot be asked: an integer is absent */
function put(
  feeds: readonly Feed[],
  block: readonly SignalValues[],
  row: number,
  place: number,
  { texts }: Stored,
): boolean {
  for (const { tensor, data } of feeds) {
    const { spec, width, first } = tensor;
    for (let i = 0; i < width; i++) {
      const value = (block[first + i] as SignalValues)[row] as number;
      const at = place * width + i;
      if (Array.isArray(data)) data[at] = texts[first + i]?.[value] ?? '';
      else if (spec.datatype === 'FP16') data[at] = toHalf(value);
      else if (!spec.datatype.startsWith('FP') && Number.isNaN(value)) return false;
      else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value);
      else data[at] = value;
    }
  }
  return true;
}

function tensorOf({ spec, width }: RowTensor, data: NumericData | string[], rows: number): Tensor {
  const { datatype, shape } = spec;
  // What is open beside the first dimension is all of a row.
  const dims = shape.map((dimension, i) => (dimension >= 0 ? dimension : i === 0 ? rows : width));
  const part = Array.isArray(data) ? data.slice(0, rows * width) : data.subarray(0, rows * width);
  return { datatype, shape: dims, data: part as never };
}
