import { type RefusalCode, refusal } from '../errors/refusals.ts';
import { COMMA, NEWLINE, newlines, numberIn } from '../tabular/cells/cells.ts';
import {
  BY_NAME,
  firstOf,
  headerPlaces,
  IN_ORDER,
  isOfFractions,
  listOf,
  mayBeNames,
  type Taken,
} from '../tabular/cells/columns.ts';
import type { Cursor } from '../tabular/cells/cursor.ts';
import type { Block, RowFault } from '../tabular/cells/format.ts';
import { BLOCK_ROWS, type RowStack, type Slot, stackOf, takeBlock } from '../tabular/cells/row-buffer.ts';
import { type CsvText, csvText, nextRecord } from '../tabular/csv/records.ts';
import { type CsvColumn, csvParser } from '../tabular/csv/rows.ts';
import type { Columns, Datatype, TensorSpec } from '../tensor/contract.ts';
import { KINDS, type Tensor, type TensorData } from '../tensor/datatypes.ts';
import { AT, decimal, FRACTION, stopped } from '../tensor/decimal.ts';

/** What is known of the columns beside the signature. */
type Rules = { readonly columns?: Columns; readonly missing?: 'nan' };

/** The first records of a body: they say what its columns are. */
type Head = {
  /** Cells of the first record, and of the second, if there is one. */
  readonly first: readonly string[];
  readonly second?: readonly string[];
};

/**
 * Tensors from CSV (RFC 4180), a row a line: all columns belong to the one input of rank 2, or each to one
 * input. They are in the order of the model, or as a first line with names says; which of both is told.
 *
 * @throws Refusal with row and column, both from 1, the first line not counted where it is a header
 */
export function parseCsv(
  text: string,
  inputs: readonly TensorSpec[],
  { columns: known, missing }: Rules = {},
): { readonly tensors: Record<string, Tensor>; readonly taken: Taken } {
  const all = csvText(text);
  const [only] = inputs;
  const isTable = only !== undefined && inputs.length === 1 && only.shape.length === 2;
  if (!isTable) checkSingle(inputs);
  const found =
    bareHead(all, isTable ? (known?.names[0] ?? NAME) : (only?.name ?? '')) ?? headOf(all, inputs, known);
  const { places, isHeader, taken } = found;
  const width = isTable ? found.width : inputs.length;
  const from = isHeader ? found.next : all.start;
  const rows = Math.min(BLOCK_ROWS, newlines(all.bytes, from, all.end));
  const reader = readerFor({ inputs, isTable, width, places, missing: missing === 'nan' }, rows);
  return { tensors: tensorsOf(all, from, reader), taken };
}

/** What the first record says of the columns. */
type Opening = Found & { readonly width: number /** Byte after it. */; readonly next: number };

/** Any that is no number. */
const NAME = 'name';
const ZERO = 48;
const NINE = 57;

/**
 * A first line of plain numbers, one of them with a fraction, is a row whatever the rules for headers are,
 * unless names are numbers, too: most requests begin so, and no text is made of a cell.
 * @param name one that a header would have
 * @returns undefined for any other line
 */
function bareHead({ bytes, start }: CsvText, name: string): Opening | undefined {
  if (numberIn(name) !== undefined) return undefined;
  let isFraction = false;
  let width = 1;
  for (let at = start; ; width++) {
    // Whether or not `decimal` could read all of its digits.
    decimal(bytes, at);
    isFraction ||= (stopped[FRACTION] as number) > 1;
    const last = bytes[(stopped[AT] as number) - 1] as number;
    if (stopped[AT] === at || last < ZERO || last > NINE) return undefined;
    at = stopped[AT] as number;
    if (bytes[at] === NEWLINE)
      return isFraction ? { width, next: at + 1, isHeader: false, taken: IN_ORDER } : undefined;
    if (bytes[at++] !== COMMA) return undefined;
  }
}

function headOf(all: CsvText, inputs: readonly TensorSpec[], known: Columns | undefined): Opening {
  const one = recordFrom(all, all.start, 1);
  const two = one && recordFrom(all, one.next, 2);
  const head: Head = { first: one?.cells ?? [], ...(two && { second: two.cells }) };
  const [only] = inputs;
  const isTable = only !== undefined && inputs.length === 1 && only.shape.length === 2;
  const found = isTable ? columnsOf(head, only, known) : inputsOf(head, inputs);
  return { ...found, width: head.first.length, next: one?.next ?? all.end };
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
  readonly parse: ReturnType<typeof csvParser>;
};

/** Rows that a reader which is kept has room for. */
const KEPT_ROWS = 16;
/** The last one for a few rows: making it takes several times as long as reading a row. */
let kept: Reader | undefined;

/** @throws Refusal `WRONG_SHAPE` */
function readerFor(fitting: Fitting, rows: number): Reader {
  const { inputs, isTable, width, places, missing } = fitting;
  if (kept !== undefined && rows <= KEPT_ROWS && isSame(kept, fitting)) return kept;
  const order = places ?? Array.from({ length: width }, (_, i) => i);
  const slots = inputs.map((spec): Slot => {
    const shape = spec.shape.length === 1 ? [] : [isTable ? order.length : 1];
    checkSize('columns', shape[0], spec.shape[1]);
    return { spec, shape };
  });
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
  const stack = stackOf(slots, 0, Math.max(KEPT_ROWS, rows));
  const reader = { ...fitting, slots, stack, parse: csvParser(columns, stack, missing) };
  if (rows <= KEPT_ROWS) kept = reader;
  return reader;
}

const isSame = (one: Fitting, other: Fitting): boolean =>
  one.inputs === other.inputs &&
  one.width === other.width &&
  one.missing === other.missing &&
  one.places?.length === other.places?.length &&
  (one.places ?? []).every((place, i) => place === other.places?.[i]);

function recordFrom(text: CsvText, at: number, row: number) {
  const record = nextRecord(text, at);
  if (record === -1) throw refusal('INVALID_REQUEST', `Row ${row} is not CSV: a quote is out of place.`);
  return record;
}

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

/** Each column is an input: by the names of all of them, or in their order. */
function inputsOf(head: Head, inputs: readonly TensorSpec[]): Found {
  const { first } = head;
  const names = inputs.map(({ name }) => name);
  const isNamed = first.length === names.length && names.every((name) => first.includes(name));
  if (isNamed) return { places: names.map((name) => first.indexOf(name)), isHeader: true, taken: BY_NAME };
  return { isHeader: isNumbered(head), taken: IN_ORDER };
}

/** A line alone is a row: nobody asks for none. */
const isNumbered = ({ first, second }: Head): boolean =>
  second !== undefined && firstOf(first, -1) === 'numbered';

type Found = { readonly places?: readonly number[]; readonly isHeader: boolean; readonly taken: Taken };

/**
 * The places of the input's columns, and whether the first line has their names: all known ones, or no number
 * at all. In a model of texts, where a row looks like a header, the known names tell alone.
 */
function columnsOf(head: Head, { datatype }: TensorSpec, known: Columns | undefined): Found {
  const { first, second = [] } = head;
  const isLone = head.second === undefined && first.every((cell) => numberIn(cell) !== undefined);
  const places = known && !isLone ? headerPlaces(known, first) : undefined;
  if (places !== undefined) {
    checkHeader(head, known);
    return { places, isHeader: true, taken: BY_NAME };
  }
  if (isNumbered(head)) return { isHeader: true, taken: IN_ORDER };
  const isOfNames =
    datatype !== 'BYTES' &&
    first.length > 0 &&
    (first.every((cell) => numberIn(cell) === undefined) ||
      (known !== undefined &&
        first.some((cell) => numberIn(cell) === undefined && known.names.includes(cell))));
  if (!isOfNames) {
    const isOdd = mayBeNames(first) && isOfFractions(second);
    return { isHeader: false, taken: isOdd ? { by: 'order', notices: ['INTEGERS_FIRST'] } : IN_ORDER };
  }
  if (known?.bind) throw lacking(known.names.filter((name) => !first.includes(name)));
  checkHeader(head);
  return {
    isHeader: true,
    taken: known === undefined ? IN_ORDER : { by: 'order', notices: ['NAMES_DIFFER'] },
  };
}

/** @param known names that are all in the first line; it may have no other */
function checkHeader({ first, second }: Head, known?: Columns): void {
  if (second === undefined) throw refusal('INVALID_REQUEST', 'The body has a line of names, and no row.');
  if (known === undefined || first.length === known.names.length) return;
  const columns = listOf(known.names.map((name) => JSON.stringify(name)));
  const seen = new Set<string>();
  const twice = first.findIndex((name) => seen.size === seen.add(name).size);
  if (twice >= 0)
    throw refusal(
      'DUPLICATE_NAME',
      `Column ${twice + 1} of the first line is there twice; the model’s columns are ${columns}.`,
    );
  const names = new Set(known.names);
  const other = first.findIndex((name) => !names.has(name));
  throw refusal(
    'UNKNOWN_INPUT',
    `Column ${other + 1} of the first line is none of the model’s, which are ${columns}.`,
  );
}

const lacking = (names: readonly string[]): Error =>
  refusal(
    'MISSING_INPUT',
    `The first line lacks the column${names.length === 1 ? '' : 's'} ${listOf(names.map((name) => JSON.stringify(name)))} of the model.`,
  );

/** @param text from the first row on */
function tensorsOf(
  { bytes, end }: CsvText,
  from: number,
  { slots, stack, parse }: Reader,
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
