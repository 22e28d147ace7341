import { objectFault } from '../../errors/object-errors.ts';
import type { Columns, Signature, TensorSpec } from '../../tensor/contract.ts';
import { NEWLINE } from '../cells/cells.ts';
import { BY_NAME, IN_ORDER, type Taken } from '../cells/columns.ts';
import { type Cursor, checkRowBytes, type RowReader, readerOf, readStart } from '../cells/cursor.ts';
import type { Extras, Rows, Source } from '../cells/format.ts';
import {
  checkCarried,
  type FileFault,
  layoutOf,
  NAME_CHARACTERS,
  rowDimensions,
  widthOf,
} from '../cells/layout.ts';
import { stackOf } from '../cells/row-buffer.ts';
import { shapesOf, slotsOf } from '../cells/slots.ts';
import { type OpenedText, openText, textRows } from '../cells/text-rows.ts';
import { fieldPlaces, headerOf } from './reference.ts';
import { jsonlParser, type Key } from './rows.ts';
import { OPEN, OPEN_BRACE, skipSpace, valueEnd } from './text.ts';

/**
 * The rows of an object with a JSON value a line: an object with the inputs by their names, or the array of a
 * row's values where the model has one input and no other column is asked for. The first row tells where rows
 * are objects of the columns of the only input, as pandas writes them. With `join`, the keys of the first row
 * that is an object are the columns.
 * @param signature as clients see it
 * @throws ObjectFault `ROW_TOO_LONG`, `UNREADABLE`, now or while rows are read; `WRONG_HEADER`, now
 */
export async function openJsonl(source: Source, signature: Signature, extras: Extras): Promise<Rows> {
  const opened = await openText(source, extras.rowBytes);
  const reader = readerOf(opened.head(), { at: 0, line: 1, row: 0 }, undefined, extras.rowBytes);
  const { ids, join, columns, missing, reference } = extras;
  const { at, first, names } = await readHead(reader, join && ids.length === 0).finally(() => reader.close());
  if (reference) return referenceRows(opened, at, source.bytes, signature, first, columns);
  const long = names.find((name) => name.length > NAME_CHARACTERS);
  if (long !== undefined)
    throw wrongHeader(
      `A key of its first row has ${long.length} characters; at most ${NAME_CHARACTERS} are taken where all columns are carried.`,
      'Shorten it, or name in `ids` what is carried.',
    );
  checkCarried(names, wrongHeader);
  const carried = ids.length > 0 ? ids : names;
  const [only] = signature.inputs;
  const of = columns && only && isOfColumns(first, columns, only) ? columns : undefined;
  const inputs = of && only ? [closed(only, of)] : signature.inputs;
  const keys = keysOf({ ...signature, inputs }, carried, ids, of);
  const slots = inputs.map((spec) => ({
    spec,
    // What is open is told by the rows.
    shape: rowDimensions(spec).map((dimension) => Math.max(1, dimension)),
  }));
  const isBare = slots.length === 1 && ids.length === 0 && !join;
  const rows = textRows(opened, { at, line: 1, row: 0 }, source.bytes, carried, {
    scan: scanJsonl,
    parser: () => {
      const stack = stackOf(slots, carried.length);
      return { stack, parse: jsonlParser(keys, isBare, stack, missing === 'nan') };
    },
  });
  const isClosed = inputs.every((spec) => widthOf(spec) >= 0);
  return {
    ...rows,
    ...(isClosed && { shapes: shapesOf(slots) }),
    ...(first !== undefined && { taken: takenOf(first, of, inputs) }),
  };
}

/** Rows of reference data: the first one says the columns. */
function referenceRows(
  opened: OpenedText,
  at: number,
  bytes: number,
  signature: Signature,
  first: First | undefined,
  columns: Columns | undefined,
): Rows {
  const header = first && headerOf(first.row, first.text);
  const layout = header && layoutOf(signature, header, wrongHeader, columns);
  const slots = layout ? slotsOf(layout) : [];
  const places = header && layout && fieldPlaces(header, layout, slots);
  const keys = (header?.names ?? []).map((name, i): Key => {
    const field = layout?.targets[i] ?? -1;
    const slot = places?.slots[field] ?? -1;
    const column = places?.columns[field] ?? -1;
    return { name, slot, column, carried: -1, isRequired: false, field, elements: header?.widths[i] ?? 1 };
  });
  const rows = textRows(opened, { at, line: 1, row: 0 }, bytes, [], {
    scan: scanJsonl,
    parser: () => {
      const stack = stackOf(slots, 0);
      return { stack, parse: jsonlParser(keys, false, stack, true, places) };
    },
  });
  return { ...rows, ...(header && layout && { taken: layout.taken, table: { header, layout } }) };
}

const wrongHeader: FileFault = (message, fix) => objectFault('WRONG_HEADER', `${message} ${fix}`);

/** A row as it is known of the first one: its keys, or that it is an array. */
type First = { readonly row: object; readonly text: string; readonly keys?: readonly string[] };

/** Names that bind are asked for, whatever the keys are: a row that has none of them lacks them. */
function isOfColumns(
  { keys }: Pick<First, 'keys'> = {},
  { names, bind }: Columns,
  { name }: TensorSpec,
): boolean {
  return keys !== undefined && !keys.includes(name) && (bind || names.some((one) => keys.includes(one)));
}

/** The input with as many columns as there are names. */
const closed = (spec: TensorSpec, { names }: Columns): TensorSpec => ({
  ...spec,
  shape: [spec.shape[0] as number, names.length],
});

/** An input's own values are in its order, of which one has none. */
function takenOf({ keys }: First, of: Columns | undefined, inputs: readonly TensorSpec[]): Taken {
  const [only] = inputs;
  const isOne = inputs.length > 1 || only === undefined || widthOf(only) === 1;
  return keys !== undefined && (of !== undefined || isOne) ? BY_NAME : IN_ORDER;
}

function keysOf(
  { inputs, outputs, omitted }: Signature,
  carried: readonly string[],
  ids: readonly string[],
  columns: Columns | undefined,
): readonly Key[] {
  const slots = inputs.map(({ name }) => name);
  const own = columns?.names ?? slots;
  const places = new Map(own.map((name, place) => [name, place]));
  // The first of equal names is meant.
  const carriedAt = new Map(carried.map((name, at) => [name, at] as const).toReversed());
  const names = new Set([...own, ...carried, ...outputs.map(({ name }) => name), ...omitted]);
  return Array.from(names, (name) => {
    const place = places.get(name);
    return {
      name,
      slot: place === undefined ? -1 : columns === undefined ? place : 0,
      column: place === undefined || columns === undefined ? -1 : place,
      carried: carriedAt.get(name) ?? -1,
      isRequired: place !== undefined || ids.includes(name),
    };
  });
}

/** Lines, and bytes, in which the first row is looked for: a text of another kind is not read to its end. */
const LOOKED = 100;
const LOOKED_BYTES = 1024 ** 2;

/**
 * Where the first line begins, what the first row is, and, if asked for, the keys of the first row that is an
 * object.
 */
async function readHead(
  reader: RowReader,
  isNamed: boolean,
): Promise<{ readonly at: number; readonly first?: First; readonly names: readonly string[] }> {
  const { cursor, more } = reader;
  await readStart(reader);
  const { at } = cursor;
  if (isUtf16(cursor.bytes.subarray(0, Math.min(2, cursor.end))))
    throw wrongHeader('It is in UTF-16.', 'Save the file in UTF-8.');
  const decoder = new TextDecoder();
  let first: First | undefined;
  for (;;) {
    const newline = cursor.bytes.indexOf(NEWLINE, cursor.at);
    if (newline < 0 || newline >= cursor.end) {
      if (await more()) continue;
      break;
    }
    checkRowBytes(newline + 1 - cursor.at, cursor.line, cursor.most);
    // Millions of arrays in one another would be made before anybody says that they are too deep.
    const isDeep = valueEnd(cursor.bytes, skipSpace(cursor.bytes, cursor.at), newline, 0) === -2;
    const row = isDeep ? undefined : rowIn(decoder.decode(cursor.bytes.subarray(cursor.at, newline)));
    first ??= row;
    if (row !== undefined && (!isNamed || row.keys !== undefined))
      return { at, first: row, names: isNamed ? (row.keys ?? []) : [] };
    cursor.at = newline + 1;
    cursor.line++;
    const place = cursor.base + cursor.at;
    if (!isNamed && cursor.line > LOOKED && place > LOOKED_BYTES) break;
  }
  return { at, ...(first && { first }), names: [] };
}

/** By its mark, or by how its first character is written: an object or an array begins in ASCII. */
function isUtf16([one, two]: Uint8Array): boolean {
  const isMark = (one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff);
  const begins = (byte: number | undefined): boolean => byte === OPEN_BRACE || byte === OPEN;
  return isMark || (begins(one) && two === 0) || (one === 0 && begins(two));
}

/** @returns undefined for a line that is no row */
function rowIn(text: string): First | undefined {
  try {
    const row: unknown = JSON.parse(text);
    if (typeof row !== 'object' || row === null) return undefined;
    return Array.isArray(row)
      ? { row, text }
      : { row, text, keys: Object.keys(row).filter((key) => key !== '__proto__') };
  } catch {
    return undefined;
  }
}

/** Passes over rows until one ends at `stop` or after it; false where the text in memory ends before. */
function scanJsonl(cursor: Cursor, stop: number): boolean {
  const { bytes, end } = cursor;
  for (;;) {
    const start = cursor.at;
    let next = start;
    while (next < end && bytes[next] !== NEWLINE) next++;
    if (next >= end) return false;
    const isRow = skipSpace(bytes, start) !== next;
    next++;
    if (isRow) {
      checkRowBytes(next - start, cursor.line, cursor.most);
      cursor.row++;
    }
    cursor.at = next;
    cursor.line++;
    if (isRow && next >= stop) return true;
  }
}
