import { type RefusalCode, refusal } from '../errors/refusals.ts';
import { newlines } from '../tabular/cells/cells.ts';
import type { Taken } from '../tabular/cells/columns.ts';
import type { Cursor } from '../tabular/cells/cursor.ts';
import type { Block, RowFault } from '../tabular/cells/format.ts';
import { BLOCK_ROWS, type RowStack, type Slot, stackOf, takeBlock } from '../tabular/cells/row-buffer.ts';
import { type CsvText, csvText } from '../tabular/csv/records.ts';
import { type CsvColumn, csvParser } from '../tabular/csv/rows.ts';
import type { Columns, Datatype, TensorSpec } from '../tensor/contract.ts';
import { KINDS, sizeOf, type Tensor, type TensorData } from '../tensor/datatypes.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { openingOf, tableIn } from './csv-head.ts';
import { checkRowsRoom } from './room.ts';

/** What is known of the columns beside the signature. */
type Rules = { readonly columns?: Columns; readonly missing?: 'nan' };

/**
 * Tensors from CSV (RFC 4180), a row a line: all columns belong to the one input of rank 2, or each to one
 * input. They are in the order of the model, or as a first line with names says; which of both is told.
 *
 * @throws Refusal with row and column, both from 1, the first line not counted where it is a header;
 * `TENSOR_TOO_LARGE` before there is room for more
 */
export function parseCsv(
  text: string,
  inputs: readonly TensorSpec[],
  { columns: known, missing }: Rules = {},
): { readonly tensors: Record<string, Tensor>; readonly taken: Taken } {
  const all = csvText(text);
  const isTable = tableIn(inputs) !== undefined;
  if (!isTable) checkSingle(inputs);
  const found = openingOf(all, inputs, known);
  const { places, isHeader, taken } = found;
  const width = isTable ? found.width : inputs.length;
  const from = isHeader ? found.next : all.start;
  const rows = Math.min(BLOCK_ROWS, newlines(all.bytes, from, all.end));
  const reader = readerFor({ inputs, isTable, width, places, missing: missing === 'nan' }, rows);
  return { tensors: tensorsOf(all, from, reader), taken };
}

/** Which of the file's columns goes where. */
type Fitting = {
  readonly inputs: readonly TensorSpec[];
  /** Are all columns those of the only input? */
  readonly isTable: boolean;
  readonly width: number;
  readonly places: readonly number[] | undefined;
  readonly missing: boolean;
};

type Reader = Fitting & {
  readonly slots: readonly Slot[];
  readonly stack: RowStack;
  /** Bytes of a row of all tensors. */
  readonly rowBytes: number;
  readonly parse: ReturnType<typeof csvParser>;
};

/** Rows that a reader which is kept has room for, and columns: it stays in memory. */
const KEPT_ROWS = 16;
const KEPT_COLUMNS = 4096;
/** The last one for a few rows: making it takes several times as long as reading a row. */
let kept: Reader | undefined;

/** @throws Refusal `WRONG_SHAPE`, `TENSOR_TOO_LARGE` */
function readerFor(fitting: Fitting, rows: number): Reader {
  const { inputs, isTable, width, places, missing } = fitting;
  const isKept = rows <= KEPT_ROWS && width <= KEPT_COLUMNS;
  if (kept !== undefined && isKept && isSame(kept, fitting)) return kept;
  const order = places ?? Array.from({ length: width }, (_, i) => i);
  const slots = inputs.map((spec): Slot => {
    const shape = spec.shape.length === 1 ? [] : [isTable ? order.length : 1];
    checkSize('columns', shape[0], spec.shape[1]);
    return { spec, shape };
  });
  const rowBytes = slots.reduce(
    (sum, { spec, shape }) => sum + sizeOf(spec.datatype) * sizeOfShape(shape),
    0,
  );
  checkRowsRoom(1, rowBytes);
  const inputOf = new Int32Array(width).fill(-1);
  for (const [at, column] of order.entries()) inputOf[column] = at;
  const columns = Array.from({ length: width }, (_, column): CsvColumn => {
    const at = inputOf[column] ?? -1;
    const name = String(column + 1);
    const spec = at < 0 ? undefined : inputs[isTable ? 0 : at];
    if (spec === undefined) return { name, carried: -1 };
    const field = { tensor: spec.name, datatype: spec.datatype, column: isTable ? at : 0, label: name };
    return { name, field, slot: isTable ? 0 : at, carried: -1 };
  });
  const stack = stackOf(slots, 0, isKept ? KEPT_ROWS : Math.max(1, rows));
  const reader = { ...fitting, slots, stack, rowBytes, parse: csvParser(columns, stack, missing) };
  if (isKept) kept = reader;
  return reader;
}

const isSame = (one: Fitting, other: Fitting): boolean =>
  one.inputs === other.inputs &&
  one.width === other.width &&
  one.missing === other.missing &&
  one.places?.length === other.places?.length &&
  (one.places ?? []).every((place, i) => place === other.places?.[i]);

function checkSingle(inputs: readonly TensorSpec[]): void {
  for (const { shape } of inputs) {
    const fits = shape.length === 1 || (shape.length === 2 && (shape[1] === 1 || shape[1] === -1));
    if (!fits) {
      throw refusal(
        'UNSUPPORTED_MEDIA_TYPE',
        'CSV has one value a row for each input, and an input of this model takes more; send JSON.',
      );
    }
  }
}

/** @param text from the first row on */
function tensorsOf(
  { bytes, end }: CsvText,
  from: number,
  { slots, stack, rowBytes, parse }: Reader,
): Record<string, Tensor> {
  const cursor: Cursor = {
    bytes,
    at: from,
    end,
    line: 1,
    base: 0,
    row: 0,
    done: true,
    most: Number.POSITIVE_INFINITY,
  };
  const blocks: Block[] = [];
  for (;;) {
    parse(cursor, end);
    const [fault] = stack.faults;
    if (fault !== undefined) {
      // It has rows in it that are nobody's.
      kept = undefined;
      throw rowRefusal(fault);
    }
    if (stack.read === 0) break;
    // A reader that is kept has room for a few rows, which never come to that.
    checkRowsRoom(cursor.row, rowBytes);
    blocks.push(takeBlock(stack, 0));
  }
  // Its last cell opens with a quote that no other closes.
  if (cursor.at < end) throw rowRefusal({ row: cursor.row + 1, code: 'INVALID_REQUEST', reason: MISPLACED });
  for (const { spec } of slots) checkSize('rows', cursor.row, spec.shape[0]);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { spec, shape } of slots) {
    const data = joined(
      spec.datatype,
      blocks.map((block) => block.tensors[spec.name] as Tensor),
    );
    tensors[spec.name] = { datatype: spec.datatype, shape: [cursor.row, ...shape], data: data as never };
  }
  return tensors;
}

const MISPLACED = 'The row is not CSV: a quote is out of place.';

/** The refusal of a row: its number stands in place of `The row …`, or before `Column …`. */
function rowRefusal({ row, code, reason }: RowFault): Error {
  const where = `Row ${row}`;
  return refusal(
    code as RefusalCode,
    reason.replace(/^The row/, where).replace(/^Column/, `${where}, column`),
  );
}

function checkSize(what: 'rows' | 'columns', size: number | undefined, due = -1): void {
  if (size === undefined || due < 0 || size === due) return;
  throw refusal('WRONG_SHAPE', `The body has ${size} ${what}; the model takes ${due}.`);
}

function joined(datatype: Datatype, parts: readonly Tensor[]): TensorData {
  const [first, ...others] = parts;
  if (first !== undefined && others.length === 0) return first.data;
  if (datatype === 'BYTES') return parts.flatMap(({ data }) => data as string[]);
  const all = KINDS[datatype].allocate(parts.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of parts) {
    (all as Float64Array).set(data as Float64Array, at);
    at += data.length;
  }
  return all;
}
