import { objectFault } from '../../errors/object-errors.ts';
import type { Signature, TensorSpec } from '../../tensor/contract.ts';
import { KINDS, sizeOf } from '../../tensor/datatypes.ts';
import { allFinite } from '../../tensor/finite.ts';
import {
  blockOf,
  blockRows,
  slotWidth as elementsOf,
  mark,
  numbersIn,
  stacked,
} from '../cells/array-rows.ts';
import { IN_ORDER } from '../cells/columns.ts';
import type { Part } from '../cells/contract.ts';
import { cast, type FileNumbers, NAN, type Reason } from '../cells/convert.ts';
import type { Block, Extras, Rows, Source } from '../cells/format.ts';
import { type Header, layoutOf, rowDimensions, widthOf } from '../cells/layout.ts';
import type { Slot } from '../cells/row-buffer.ts';
import { shapesOf } from '../cells/slots.ts';
import { columnParts } from './column-parts.ts';
import { type NpyHeader, readNpyHeader } from './header.ts';

/** Bytes of a processor's first cache that rows and their copies may take. */
const CACHE_BYTES = 32 * 1024;

/** An array that is known to fit the model. */
type Fitting = NpyHeader & {
  readonly inputs: readonly Slot[];
  readonly rows: number;
  /** Elements a row. */
  readonly width: number;
  /** Bytes of a row in the file. */
  readonly rowBytes: number;
  /** Which of the floats that are no numbers are good values. */
  readonly passes: (reason: Reason) => boolean;
};

const isNothing = (): boolean => false;
const isNaNOnly = (reason: Reason): boolean => reason === NAN;
const isNoNumber = ([code]: Reason): boolean => code === 'NOT_FINITE';

/** Elements of a row, where there is none to count them by. */
const WIDEST_EMPTY = 1e6;

/**
 * Rows of an array of NumPy, `[rows, …]`: each has the elements of all inputs, one input after the other in
 * the signature's order.
 *
 * @throws an object fault `UNREADABLE` for what is no array, or is cut short; `WRONG_HEADER` for one that
 * does not fit the model, or where columns are to be carried, which have no names here
 */
export async function openNpy(
  source: Source,
  signature: Signature,
  { ids, join, missing, reference, columns: known }: Extras,
): Promise<Rows> {
  const { inputs } = signature;
  if (ids.length > 0 || join)
    throw wrongHeader(
      'Columns of a NumPy array have no names, so none can be carried.',
      'Leave out ids and join, or upload Parquet or CSV.',
    );
  const header = await readNpyHeader(source);
  const { shape, datatype, start } = header;
  const [rows = 0, ...dimensions] = shape;
  const width = dimensions.reduce((product, one) => product * one, 1);
  if (width === 0) throw wrongHeader('The array’s rows have no elements.', 'Write rows with the model’s.');
  // Before anything is made for each element.
  const rowBytes = width * sizeOf(datatype);
  const due = rows * rowBytes;
  if (source.bytes - start !== due) {
    throw objectFault(
      'UNREADABLE',
      `The object has ${source.bytes - start} bytes of elements, where its head says ${due}. Write it again with numpy.save.`,
    );
  }
  // A head of no rows may claim any width.
  if (rows === 0 && width > WIDEST_EMPTY)
    throw objectFault('UNREADABLE', `Its head says rows of ${width} elements, and there are none.`);
  const flat: Header = { widths: Array.from({ length: reference ? width : 0 }, () => 1) };
  const layout = reference && layoutOf(signature, flat, wrongHeader, known);
  // Only its elements count of a row that is looked at.
  const inner = layout ? [width] : dimensions;
  const array: Fitting = {
    ...header,
    inputs: slotsOf(inputs, inner, width),
    rows,
    width,
    rowBytes,
    passes: reference ? isNoNumber : missing === 'nan' ? isNaNOnly : isNothing,
  };
  async function* plan(partBytes: number): AsyncGenerator<Part> {
    const step = Math.max(1, Math.floor(partBytes / rowBytes));
    for (let from = 0, part = 0; from < rows; from += step, part++)
      yield { part, from, to: Math.min(rows, from + step), row: from };
  }
  const read = header.isByColumn ? columns : blocks;
  const part = (of: Part): AsyncIterable<Block> => read(source, array, of);
  return {
    carried: [],
    shapes: shapesOf(array.inputs),
    count: rows,
    taken: IN_ORDER,
    ...(layout && { table: { header: flat, layout } }),
    plan,
    part,
    async *all(partBytes) {
      for await (const of of plan(partBytes)) yield* part(of);
    },
  };
}

const wrongHeader = (message: string, fix: string): Error => objectFault('WRONG_HEADER', `${message} ${fix}`);
const described = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** What each input gets of a row with these dimensions. */
function slotsOf(inputs: readonly TensorSpec[], inner: readonly number[], width: number): Slot[] {
  const text = inputs.find(({ datatype }) => datatype === 'BYTES');
  if (text !== undefined)
    throw wrongHeader(
      `The model’s input ${text.name} is text, which an array of numbers cannot hold.`,
      'Upload CSV, JSON lines or Parquet.',
    );
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) {
    const due = rowDimensions(only);
    // Rows of several dimensions must have the model's own: another order of them would have as many
    // elements, and other meaning.
    const isSame = due.length === inner.length && due.every((one, i) => one < 0 || one === inner[i]);
    if (isSame) return [{ spec: only, shape: inner }];
    const isOpen = widthOf(only) < 0;
    if (inner.length > 1 || isOpen || widthOf(only) !== width)
      throw wrongHeader(
        `The array’s rows are ${described(inner)}; the model’s input ${only.name} takes ${described(due)}${isOpen ? ', where -1 is any size' : ''}.`,
        'Give it rows of the model’s shape, or flat ones with as many elements.',
      );
    return [{ spec: only, shape: due }];
  }
  const open = inputs.filter((spec) => widthOf(spec) < 0);
  if (open.length > 1)
    throw wrongHeader(
      `The model’s inputs ${open.map(({ name }) => name).join(', ')} have free sizes, and rows of an array do not tell where one of them ends.`,
      'Upload JSON lines, or CSV or Parquet with a column for each element: <input>_0, <input>_1 and so on.',
    );
  const known = inputs.reduce((sum, spec) => sum + Math.max(0, widthOf(spec)), 0);
  const rest = width - known;
  const isFit = open.length === 0 ? rest === 0 : open[0]?.shape.length === 2 && rest > 0;
  if (inner.length > 1 || !isFit) {
    throw wrongHeader(
      `The array’s rows are ${described(inner)}; the model’s inputs ${inputs.map(({ name }) => name).join(', ')} take ${known}${open.length > 0 ? ' or more' : ''} elements together.`,
      'Give each row the elements of all inputs, one input after the other.',
    );
  }
  return inputs.map((spec) => ({ spec, shape: widthOf(spec) < 0 ? [rest] : rowDimensions(spec) }));
}

async function* blocks(source: Source, array: Fitting, { part, from, to }: Part): AsyncGenerator<Block> {
  const { start, rowBytes } = array;
  const step = blockRows(array.inputs);
  const sizes = (first: number): number => Math.min(step, to - first) * rowBytes;
  let row = from;
  let bytes = new Uint8Array(sizes(row));
  let filled = 0;
  for await (const chunk of source.stream(start + from * rowBytes, start + to * rowBytes)) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + bytes.length - filled);
      bytes.set(piece, filled);
      at += piece.length;
      filled += piece.length;
      if (filled < bytes.length) continue;
      const count = bytes.length / rowBytes;
      yield block(part, array, row, count, bytes);
      row += count;
      bytes = new Uint8Array(sizes(row));
      filled = 0;
    }
  }
  if (row < to) throw objectFault('UNREADABLE', `The object ends within row ${row + 1}.`);
}

/** Reads an array that lies by columns: a part of each, put side by side. All of the part is in memory. */
async function* columns(source: Source, array: Fitting, { part, from, to }: Part): AsyncGenerator<Block> {
  const { start, rows, width, rowBytes, datatype } = array;
  const size = sizeOf(datatype);
  const { view } = KINDS[datatype];
  const lie = { start: start + from * size, own: (to - from) * size, stride: rows * size, width };
  const { buffer } = await columnParts(source, lie);
  const step = blockRows(array.inputs);
  for (let row = from; row < to; row += step) {
    const count = Math.min(step, to - row);
    const bytes = new Uint8Array(count * rowBytes);
    const out = view(bytes.buffer, 0, count * width) as Float64Array;
    for (let column = 0; column < width; column++) {
      const values = view(buffer, (column * (to - from) + row - from) * size, count);
      for (let i = 0; i < count; i++) out[i * width + column] = values[i] as number;
    }
    yield block(part, array, row, count, bytes);
  }
}

/** @param bytes of these rows; they become the tensor's own where it holds them as they are */
function block(
  part: number,
  { inputs, datatype, width, passes }: Fitting,
  first: number,
  count: number,
  bytes: Uint8Array<ArrayBuffer>,
): Block {
  const from: FileNumbers = { datatype, data: KINDS[datatype].view(bytes.buffer, 0, count * width) };
  const [only] = inputs;
  if (
    only?.spec.datatype === datatype &&
    inputs.length === 1 &&
    datatype !== 'BOOL' &&
    allFinite(datatype, from.data)
  )
    return blockOf(part, inputs, { first, count, data: [from.data], faults: new Map() }, []);
  const rows = stacked(inputs, first, count);
  const fault = (row: number, column: string, reason: Reason): void => {
    if (!passes(reason)) mark(rows, row, column, reason);
  };
  const label = ({ spec: { name } }: Slot, own: number, column: number): string =>
    own === 1 ? name : `${name}[${column}]`;
  if (only !== undefined && inputs.length === 1) {
    const to = numbersIn(only.spec, rows.data[0] ?? []);
    cast(from, { at: 0, step: 1 }, to, { at: 0, step: 1 }, count * width, (index, reason) =>
      fault(Math.floor(index / width), label(only, width, index % width), reason),
    );
    return blockOf(part, inputs, rows, []);
  }
  // Some rows at a time: their elements stay in the processor's cache until the last column has them.
  const step = Math.max(1, Math.floor(CACHE_BYTES / (width * sizeOf(datatype))));
  for (let row = 0; row < count; row += step) {
    const some = Math.min(step, count - row);
    let before = row * width;
    inputs.forEach((input, i) => {
      const own = elementsOf(input);
      const to = numbersIn(input.spec, rows.data[i] ?? []);
      for (let column = 0; column < own; column++) {
        const target = { at: row * own + column, step: own };
        cast(from, { at: before + column, step: width }, to, target, some, (at, reason) =>
          fault(row + at, label(input, own, column), reason),
        );
      }
      before += own;
    });
  }
  return blockOf(part, inputs, rows, []);
}
