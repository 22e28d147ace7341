import type { Signature, TensorSpec } from '../infer/contract.ts';
import { type First, firstOf, NEWLINE, newlines, RETURN, recordAt } from '../shared/cells.ts';
import { checkNames, type Fault, layoutOf, rowDimensions, rowWidth } from '../shared/layout.ts';
import { skipMark } from '../shared/text.ts';
import { scanCsv, unclosedQuote } from './csv-lines.ts';
import { type CsvColumn, csvParser } from './csv-rows.ts';
import { checkRowBytes, type Place, type Reader, readerOf } from './cursor.ts';
import { objectFault } from './faults.ts';
import type { Rows, Source } from './rows.ts';
import { type Slot, stackOf } from './stack.ts';
import { openText, textRows } from './text-rows.ts';

/** Columns that are not the model's: `ids` by name; with `join` any others, too. */
export type Extras = { readonly ids: readonly string[]; readonly join: boolean };

const wrongHeader: Fault = (message, fix) => objectFault('WRONG_HEADER', `${message} ${fix}`);

/**
 * The rows of a CSV object. Its first line has the names of its columns, or is a row already where it has numbers only, as many as
 * the model takes. An object without any line has no rows.
 * @param signature as clients see it
 * @throws ObjectFault `WRONG_HEADER`, `ROW_TOO_LONG`, `UNREADABLE`, now; while rows are read, `UNCLOSED_QUOTE`, too
 */
export async function openCsv(source: Source, signature: Signature, extras: Extras): Promise<Rows> {
  const opened = await openText(source);
  const reader = readerOf(opened.text(0), { at: 0, line: 1, row: 0 });
  const head = await readHead(reader).finally(() => reader.close());
  const { start, next, cells } = head;
  if (cells === undefined) return rows(start, { slots: [], columns: [], carried: extras.ids });
  const first = firstOf(cells, rowWidth(signature.inputs));
  const names = namesOf(cells, first, signature, extras);
  return rows(first === 'row' ? start : next, columnsOf(names, cells.length, signature, extras));

  function rows(from: Place, { slots, columns, carried }: Columns): Rows {
    return textRows(opened, from, source.bytes, carried, {
      scan: scanCsv,
      parser: () => {
        const stack = stackOf(slots, carried.length);
        return { stack, parse: csvParser(columns, stack) };
      },
      unfinished: unclosedQuote,
    });
  }
}

type Head = {
  /** Of the first line that is not blank, and of the next. */
  readonly start: Place;
  readonly next: Place;
  /** Absent where all is blank. */
  readonly cells?: readonly string[];
};

async function readHead({ cursor, more }: Reader): Promise<Head> {
  await more();
  skipMark(cursor);
  for (;;) {
    const { bytes, end, line } = cursor;
    const start = { at: cursor.base + cursor.at, line, row: 0 };
    const record = recordAt(bytes, cursor.at, end);
    if (record === -1)
      throw wrongHeader(
        `Its first row, in line ${line}, is not CSV: a quote is out of place.`,
        'Double each quote in a quoted cell (RFC 4180).',
      );
    if (record === undefined) {
      if (await more()) continue;
      if (cursor.at < end) throw unclosedQuote(cursor);
      return { start, next: start };
    }
    const { cells, next } = record;
    checkRowBytes(next - cursor.at, line);
    const isBlank = bytes[cursor.at] === NEWLINE || (bytes[cursor.at] === RETURN && next - cursor.at === 2);
    cursor.line += newlines(bytes, cursor.at, next);
    cursor.at = next;
    if (isBlank) continue;
    return { start, next: { at: cursor.base + next, line: cursor.line, row: 0 }, cells };
  }
}

/** @returns undefined where the columns have none and need none */
function namesOf(
  cells: readonly string[],
  first: First,
  { inputs }: Signature,
  { ids, join }: Extras,
): readonly string[] | undefined {
  if (first === 'names') {
    checkNames(cells, wrongHeader);
    return cells;
  }
  const due = rowWidth(inputs);
  if (first === 'wrong') {
    throw wrongHeader(
      `Its first line has no names, and ${cells.length} number${cells.length === 1 ? '' : 's'}; the model takes ${due < 0 ? 'any number' : due}.`,
      'Write the names of the columns in the first line.',
    );
  }
  if (ids.length === 0 && !join) return undefined;
  throw wrongHeader(
    `Its first line has no names, and ${join ? 'join' : 'ids'} needs them.`,
    'Write the names of the columns in the first line.',
  );
}

type Columns = {
  readonly slots: readonly Slot[];
  readonly columns: readonly CsvColumn[];
  readonly carried: readonly string[];
};

/** What each column of the file is. */
function columnsOf(
  names: readonly string[] | undefined,
  count: number,
  signature: Signature,
  { ids, join }: Extras,
): Columns {
  for (const id of ids) {
    if (names?.includes(id)) continue;
    throw wrongHeader(
      `It has no column ${id}, which is one of ids.`,
      'Add the column, or take it out of ids.',
    );
  }
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => !ids.includes(names?.[i] ?? ''));
  const own = join && names !== undefined ? modelsOwn(others, names, signature) : others;
  const layout = layoutOf(
    signature,
    {
      ...(names === undefined ? {} : { names: own.map((i) => names[i] as string) }),
      widths: own.map(() => 1),
    },
    wrongHeader,
  );
  const carried = ids.length > 0 ? ids : join ? (names ?? []) : [];
  const columns = Array.from({ length: count }, (_, i): CsvColumn => {
    const target = layout.targets[own.indexOf(i)] ?? -1;
    const field = layout.fields[target];
    const name = names?.[i] ?? field?.label ?? String(i + 1);
    const at = carried.indexOf(names?.[i] ?? '');
    if (field === undefined) return { name, carried: at };
    const slot = layout.tensors.findIndex(({ spec }) => spec.name === field.tensor);
    return { name, field, slot, carried: at };
  });
  const slots = layout.tensors.map(({ spec, width }): Slot => ({ spec, shape: rowShape(spec, width) }));
  return { slots, columns, carried };
}

/** With `join`: the columns that are named after inputs, if all inputs have some; else all but the model's own answers. */
function modelsOwn(
  columns: readonly number[],
  names: readonly string[],
  { inputs, outputs, omitted }: Signature,
): readonly number[] {
  const isOf = (column: number, input: string): boolean => {
    const name = names[column] as string;
    return name === input || (name.startsWith(`${input}_`) && /^\d+$/.test(name.slice(input.length + 1)));
  };
  const named = columns.filter((column) => inputs.some(({ name }) => isOf(column, name)));
  if (inputs.every(({ name }) => named.some((column) => isOf(column, name)))) return named;
  const answers = new Set([...outputs.map(({ name }) => name), ...omitted]);
  return columns.filter((column) => !answers.has(names[column] as string));
}

function rowShape(spec: TensorSpec, width: number): readonly number[] {
  const inner = rowDimensions(spec);
  return inner.some((dimension) => dimension < 0) ? [width] : inner;
}
