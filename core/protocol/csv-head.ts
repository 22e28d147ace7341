import { refusal } from '../errors/refusals.ts';
import { COMMA, NEWLINE, numberIn } from '../tabular/cells/cells.ts';
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
import { type CsvText, nextRecord } from '../tabular/csv/records.ts';
import type { Columns, TensorSpec } from '../tensor/contract.ts';
import { AT, decimal, FRACTION, stopped } from '../tensor/decimal.ts';

/** The first records of a body: they say what its columns are. */
type Head = {
  /** Cells of the first record, and of the second, if there is one. */
  readonly first: readonly string[];
  readonly second?: readonly string[];
};

type Found = { readonly places?: readonly number[]; readonly isHeader: boolean; readonly taken: Taken };

/** What the first record says of the columns. */
export type Opening = Found & { readonly width: number /** Byte after it. */; readonly next: number };

/** The input that all columns are of, if there is one; else each is an input. */
export function tableIn(inputs: readonly TensorSpec[]): TensorSpec | undefined {
  const [only] = inputs;
  return inputs.length === 1 && only?.shape.length === 2 ? only : undefined;
}

/**
 * What the first lines of a body say of its columns: their names, or that they are rows.
 * @throws Refusal for a first line of names that do not fit
 */
export const openingOf = (all: CsvText, inputs: readonly TensorSpec[], known: Columns | undefined): Opening =>
  bareHead(all, tableIn(inputs) ? (known?.names[0] ?? NAME) : (inputs[0]?.name ?? '')) ??
  headOf(all, inputs, known);

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
  const table = tableIn(inputs);
  const found = table ? columnsOf(head, table, known) : inputsOf(head, inputs);
  return { ...found, width: head.first.length, next: one?.next ?? all.end };
}

function recordFrom(text: CsvText, at: number, row: number) {
  const record = nextRecord(text, at);
  if (record === -1) throw refusal('INVALID_REQUEST', `Row ${row} is not CSV: a quote is out of place.`);
  return record;
}

/**
 * Each column is an input: by the names of all of them, or in their order.
 * @throws Refusal for a first line of names that do not fit
 */
function inputsOf(head: Head, inputs: readonly TensorSpec[]): Found {
  const { first } = head;
  const names = inputs.map(({ name }) => name);
  // A first line may have millions of cells.
  const cells = new Set(first);
  const absent = names.filter((name) => !cells.has(name));
  const isNamed = absent.length === 0 && first.length === names.length;
  if (!isNamed && !isNoRow(first, inputs)) return { isHeader: isNumbered(head), taken: IN_ORDER };
  if (absent.length > 0) throw lacking(absent);
  checkHeader(head, names);
  return { places: names.map((name) => first.indexOf(name)), isHeader: true, taken: BY_NAME };
}

/** It has an input’s name, in a column of numbers or among other columns than a row has: no row could fit. */
function isNoRow(first: readonly string[], inputs: readonly TensorSpec[]): boolean {
  const takesNumber = ({ datatype }: TensorSpec): boolean => datatype !== 'BYTES' && datatype !== 'BOOL';
  const names = new Set(inputs.map(({ name }) => name));
  const anyNumber = inputs.find(takesNumber);
  return first.some((cell, at) => {
    const column = first.length === inputs.length ? inputs[at] : anyNumber;
    return names.has(cell) && numberIn(cell) === undefined && column !== undefined && takesNumber(column);
  });
}

/** A line alone is a row: nobody asks for none. */
const isNumbered = ({ first, second }: Head): boolean =>
  second !== undefined && firstOf(first, -1) === 'numbered';

/**
 * The places of the input's columns, and whether the first line has their names: all known ones, or no number
 * at all. In a model of texts, where a row looks like a header, the known names tell alone.
 */
function columnsOf(head: Head, { datatype }: TensorSpec, known: Columns | undefined): Found {
  const { first, second = [] } = head;
  const isLone = head.second === undefined && first.every((cell) => numberIn(cell) !== undefined);
  const places = known && !isLone ? headerPlaces(known, first) : undefined;
  if (places !== undefined) {
    checkHeader(head, known?.names);
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
function checkHeader({ first, second }: Head, known?: readonly string[]): void {
  if (second === undefined) throw refusal('INVALID_REQUEST', 'The body has a line of names, and no row.');
  if (known === undefined || first.length === known.length) return;
  const columns = listOf(known.map((name) => JSON.stringify(name)));
  const seen = new Set<string>();
  const twice = first.findIndex((name) => seen.size === seen.add(name).size);
  if (twice >= 0)
    throw refusal(
      'DUPLICATE_NAME',
      `Column ${twice + 1} of the first line is there twice; the model’s columns are ${columns}.`,
    );
  const names = new Set(known);
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
