import type { Signature } from '../infer/contract.ts';
import { NEWLINE } from '../shared/cells.ts';
import { rowDimensions } from '../shared/layout.ts';
import { type Cursor, checkRowBytes, type Reader, readerOf, readStart } from './cursor.ts';
import { skipSpace } from './json-text.ts';
import { jsonlParser, type Key } from './jsonl-rows.ts';
import type { Extras, Rows, Source } from './rows.ts';
import { stackOf } from './stack.ts';
import { openText, textRows } from './text-rows.ts';

/**
 * The rows of an object with a JSON value a line: an object with the inputs by their names, or the array of a row's values where the
 * model has one input and no other column is asked for. With `join`, the keys of the first row that is an object are the columns.
 * @param signature as clients see it
 * @throws ObjectFault `ROW_TOO_LONG`, `UNREADABLE`, now or while rows are read
 */
export async function openJsonl(source: Source, signature: Signature, extras: Extras): Promise<Rows> {
  const opened = await openText(source);
  const reader = readerOf(opened.head(), { at: 0, line: 1, row: 0 });
  const { ids, join } = extras;
  const { at, names } = await readHead(reader, join && ids.length === 0).finally(() => reader.close());
  const carried = ids.length > 0 ? ids : names;
  const keys = keysOf(signature, carried, ids);
  const slots = signature.inputs.map((spec) => ({
    spec,
    // What is open is told by the rows.
    shape: rowDimensions(spec).map((dimension) => Math.max(1, dimension)),
  }));
  const isBare = slots.length === 1 && ids.length === 0 && !join;
  return textRows(opened, { at, line: 1, row: 0 }, source.bytes, carried, {
    scan: scanJsonl,
    parser: () => {
      const stack = stackOf(slots, carried.length);
      return { stack, parse: jsonlParser(keys, isBare, stack) };
    },
  });
}

function keysOf(
  { inputs, outputs, omitted }: Signature,
  carried: readonly string[],
  ids: readonly string[],
): readonly Key[] {
  const slots = inputs.map(({ name }) => name);
  const names = new Set([...slots, ...carried, ...outputs.map(({ name }) => name), ...omitted]);
  return Array.from(names, (name) => ({
    name,
    slot: slots.indexOf(name),
    carried: carried.indexOf(name),
    isRequired: slots.includes(name) || ids.includes(name),
  }));
}

/** Where the first line begins; and, if asked for, the keys of the first row that is an object. */
async function readHead(
  reader: Reader,
  isNamed: boolean,
): Promise<{ readonly at: number; readonly names: readonly string[] }> {
  const { cursor, more } = reader;
  await readStart(reader);
  const { at } = cursor;
  const decoder = new TextDecoder();
  while (isNamed) {
    const newline = cursor.bytes.indexOf(NEWLINE, cursor.at);
    if (newline < 0 || newline >= cursor.end) {
      if (await more()) continue;
      break;
    }
    checkRowBytes(newline + 1 - cursor.at, cursor.line);
    const names = keysIn(decoder.decode(cursor.bytes.subarray(cursor.at, newline)));
    if (names !== undefined) return { at, names };
    cursor.at = newline + 1;
    cursor.line++;
  }
  return { at, names: [] };
}

function keysIn(line: string): string[] | undefined {
  try {
    const row: unknown = JSON.parse(line);
    const isObject = typeof row === 'object' && row !== null && !Array.isArray(row);
    return isObject ? Object.keys(row).filter((key) => key !== '__proto__') : undefined;
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
      checkRowBytes(next - start, cursor.line);
      cursor.row++;
    }
    cursor.at = next;
    cursor.line++;
    if (isRow && next >= stop) return true;
  }
}
