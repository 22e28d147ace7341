import { isRefusal, refusal } from '../errors/refusals.ts';
import type { Block, RowFault } from '../tabular/cells/format.ts';
import { rowsOf } from '../tabular/cells/split.ts';
import { KINDS, type Tensor, type TensorData } from '../tensor/datatypes.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import type { Tensors } from '../tensor/tensors.ts';

/** All of the model on stacked rows: transform, session, transform. It may throw because of one of them. */
export type RunModel = (rows: Tensors) => Ran | Promise<Ran>;

/** `accepted` is called once these rows have their answers: what is run again is not told twice. */
type Ran = { readonly outputs: Tensors; readonly accepted?: () => void };

/** The same, for rows that nobody counts for drift. */
export const uncounted =
  (run: RunModel): RunModel =>
  async (rows) => ({ outputs: (await run(rows)).outputs });

/** Good rows with their answers, and the faulty ones. */
export type ScoredBlock = { readonly block: Block; readonly outputs: Tensors };

/**
 * An output, and its elements in a row; absent where any number will do, in each row another. `fixed`: its
 * first dimension by the signature, beyond 1, though the inputs' are free. It may be no dimension of rows,
 * as of what a recurrent network keeps by layer.
 */
export type ExpectedOutput = { readonly name: string; readonly width?: number; readonly fixed?: number };

type Piece = { readonly from: number; readonly to: number; readonly outputs: Tensors };

/**
 * Rows go through the model at once; where that fails, by halves, until it is known which ones are at fault.
 *
 * @param expected outputs that are wanted
 * @param most rows that the model takes at once
 * @param allowsNonFinite else a row with NaN or infinity among its answers is faulty, as in the endpoint's
 * JSON
 * @returns one; several where answers differ in size, of which the first has the faults of all
 */
export async function scoreBlock(
  run: RunModel,
  block: Block,
  expected: readonly ExpectedOutput[],
  most: number,
  allowsNonFinite: boolean,
): Promise<readonly [ScoredBlock, ...ScoredBlock[]]> {
  const { rows, lines } = block;
  const names = expected.map(({ name }) => name);
  const faults: RowFault[] = [...block.faults];
  const pieces: Piece[] = [];
  const faulty = (index: number, code: string, reason: string): void => {
    const line = lines?.[index];
    faults.push({ row: rows[index] as number, ...(line !== undefined && { line }), code, reason });
  };
  const attempt = async (from: number, to: number): Promise<void> => {
    if (from === to) return;
    try {
      const { outputs, accepted } = await run(rowsOf(block.tensors, from, to));
      pieces.push({ from, to, outputs: wanted(outputs, expected, to - from) });
      accepted?.();
    } catch (error) {
      if (to - from === 1) return faulty(from, ...faultOf(error));
      if (error instanceof Error && withoutRows.has(error)) {
        // What has as many as fewer rows are would have them by chance.
        for (let row = from; row < to; row++) await attempt(row, row + 1);
        return;
      }
      const middle = (from + to) >> 1;
      await attempt(from, middle);
      await attempt(middle, to);
    }
  };
  for (let from = 0; from < rows.length; from += most)
    await attempt(from, Math.min(rows.length, from + most));
  const pick = <T>(values: ArrayLike<T>, indices: readonly number[]): T[] =>
    indices.map((index) => values[index] as T);
  const [first = { block: withRows([]), outputs: {} }, ...more] = alike(pieces, names).map(scoredOf);
  faults.sort((one, other) => one.row - other.row);
  const isClean = faults.length === block.faults.length;
  return [{ ...first, block: isClean ? first.block : { ...first.block, faults } }, ...more];

  function scoredOf(some: readonly Piece[]): ScoredBlock {
    const [one] = some;
    const isWhole = one !== undefined && some.length === 1 && one.to - one.from === rows.length;
    const all = isWhole ? undefined : some.flatMap(({ from, to }) => range(from, to));
    const outputs = isWhole
      ? one.outputs
      : joined(
          some.map((piece) => piece.outputs),
          names,
        );
    const bad = allowsNonFinite ? NONE : nonFinite(outputs, names);
    if (bad.size === 0) return { block: all === undefined ? block : withRows(all), outputs };
    const indices = all ?? range(0, rows.length);
    for (const place of bad)
      faulty(indices[place] as number, 'NON_FINITE_OUTPUT', 'The model answers NaN or infinity.');
    const good = range(0, indices.length).filter((place) => !bad.has(place));
    return { block: withRows(pick(indices, good)), outputs: taken(outputs, good) };
  }

  function withRows(indices: readonly number[]): Block {
    return {
      ...block,
      rows: pick(rows, indices),
      ...(lines && { lines: pick(lines, indices) }),
      carried: block.carried.map((values) => pick(values, indices)),
    };
  }
}
const NONE: ReadonlySet<number> = new Set();

/** Pieces that follow one another, as long as their answers have one size. */
function alike(pieces: readonly Piece[], names: readonly string[]): readonly (readonly Piece[])[] {
  const sizes = ({ from, to, outputs }: Piece): string =>
    names.map((name) => (outputs[name] as Tensor).data.length / (to - from)).join();
  const groups: Piece[][] = [];
  let before: string | undefined;
  for (const piece of pieces) {
    const size = sizes(piece);
    if (size === before) groups.at(-1)?.push(piece);
    else groups.push([piece]);
    before = size;
  }
  return groups;
}

/** Characters of a reason: what a transform says has no limit of its own. */
const REASON = 1_000;

/**
 * The code of the refusal and its sentence, which hold no value. Any other error may hold one, so nothing of
 * it is told.
 */
function faultOf(error: unknown): [string, string] {
  if (isRefusal(error)) return [error.code, error.message.slice(0, REASON)];
  return ['MODEL_FAILED', 'The model could not compute this row.'];
}

/** Errors of answers whose first dimension does not count their rows, or may not: a row alone has its own. */
const withoutRows = new WeakSet<object>();

function noRows(name: string, rows: number): Error {
  const error = new Error(`output ${name} is not of ${rows} rows`);
  withoutRows.add(error);
  return error;
}

/** @throws where an output does not have as many elements as these rows have to have */
function wanted(outputs: Tensors, expected: readonly ExpectedOutput[], rows: number): Tensors {
  return Object.fromEntries(
    expected.map(({ name, width, fixed }) => {
      const tensor = outputs[name];
      if (tensor === undefined) throw new Error(`there is no output ${name}`);
      const { shape, data } = tensor;
      const due = width ?? Math.floor(data.length / rows);
      if (rows > 1 && (shape[0] !== rows || rows === fixed)) throw noRows(name, rows);
      if (data.length !== rows * due)
        throw refusal(
          'MODEL_FAILED',
          `The length of ${name} in the model’s answer to this row is ${data.length}; it must be ${due}.`,
        );
      // One row alone is what some models answer without its dimension.
      return [name, shape[0] === rows ? tensor : { ...tensor, shape: [1, ...shape] }];
    }),
  );
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const mapped = (tensors: Tensors, change: (tensor: Tensor) => Tensor): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));

function joined(pieces: readonly Tensors[], names: readonly string[]): Tensors {
  if (pieces.length === 0) return {};
  return Object.fromEntries(
    names.map((name) => {
      const parts = pieces.map((tensors) => tensors[name] as Tensor);
      const { datatype, shape } = parts[0] as Tensor;
      const rows = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0);
      const data = emptyOf(
        { datatype },
        parts.reduce((sum, part) => sum + part.data.length, 0),
      );
      let at = 0;
      for (const part of parts) {
        for (let i = 0; i < part.data.length; i++) data[at++] = part.data[i] as never;
      }
      return [name, { datatype, shape: [rows, ...shape.slice(1)], data } as Tensor];
    }),
  );
}

function taken(tensors: Tensors, indices: readonly number[]): Tensors {
  return mapped(tensors, (tensor) => {
    const { datatype, shape, data } = tensor;
    const width = sizeOfShape(shape.slice(1));
    const out = emptyOf(tensor, indices.length * width);
    indices.forEach((index, row) => {
      for (let i = 0; i < width; i++) out[row * width + i] = data[index * width + i] as never;
    });
    return { datatype, shape: [indices.length, ...shape.slice(1)], data: out } as Tensor;
  });
}

const emptyOf = ({ datatype }: Pick<Tensor, 'datatype'>, length: number): TensorData =>
  datatype === 'BYTES' ? new Array<string>(length).fill('') : KINDS[datatype].allocate(length);

/** Exponent bits of a half-precision number that is NaN or infinite. */
const HALF_EXPONENT = 0x7c00;

/** Rows with an answer that is no finite number, by their place. */
function nonFinite(outputs: Tensors, names: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (const name of names) {
    const tensor = outputs[name];
    if (tensor === undefined || !/^FP/.test(tensor.datatype)) continue;
    const data = tensor.data as Float32Array;
    const width = sizeOfShape(tensor.shape.slice(1));
    const isHalf = tensor.datatype === 'FP16';
    for (let i = 0; i < data.length; i++) {
      const value = data[i] as number;
      const bad = isHalf ? (value & HALF_EXPONENT) === HALF_EXPONENT : value - value !== 0;
      if (bad) found.add(Math.floor(i / width));
    }
  }
  return found;
}
