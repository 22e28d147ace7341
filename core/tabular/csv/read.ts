import { isUtf8 } from 'node:buffer';
import { isObjectFault } from '../../errors/object-errors.ts';
import type { Signature } from '../../tensor/contract.ts';
import { NEWLINE, newlines, RETURN, recordAt } from '../cells/cells.ts';
import { firstOf, isOfFractions, mayBeNames, type Taken } from '../cells/columns.ts';
import { checkRowBytes, type RowReader, readerOf, readStart, type TextPlace } from '../cells/cursor.ts';
import type { Extras, Rows, Source } from '../cells/format.ts';
import { rowWidth } from '../cells/layout.ts';
import { stackOf } from '../cells/row-buffer.ts';
import { shapesOf } from '../cells/slots.ts';
import { openText, textRows } from '../cells/text-rows.ts';
import { columnsOf, type Fitting, namesOf, wrongHeader } from './columns.ts';
import { scanCsv, unclosedQuote } from './lines.ts';
import { csvParser } from './rows.ts';

/**
 * The rows of a CSV object. Its first line has the names of its columns, or is a row already, as `firstOf`
 * says. An object without any line has no rows.
 * @param signature as clients see it
 * @throws ObjectFault `WRONG_HEADER`, `ROW_TOO_LONG`, `UNREADABLE`, now; while rows are read,
 * `UNCLOSED_QUOTE`, too
 */
export const openCsv = (source: Source, signature: Signature, extras: Extras): Promise<Rows> =>
  openRows(source, signature, extras).catch(async (error) => {
    throw (isObjectFault(error) ? await otherFormat(source) : undefined) ?? error;
  });

/** Where it cannot be read as CSV: what its first bytes say that it is. */
async function otherFormat(source: Source): Promise<Error | undefined> {
  const bytes = await source.range(0, Math.min(LOOKED_AT, source.bytes)).catch(() => undefined);
  // Each of these has bytes that no text has: a column may be called PAR1.
  if (bytes === undefined || !bytes.some((byte) => byte < TAB)) return undefined;
  const text = String.fromCharCode(...bytes);
  const found = MAGICS.find(([magic]) => text.startsWith(magic));
  return found && wrongHeader(`It is ${found[1]}, and was read as CSV.`, found[2]);
}

/** Bytes at the beginning. */
const LOOKED_AT = 64;
const TAB = 9;
const nameFormat = (suffix: string): string =>
  `Name its format: \`${suffix}\` at the end of the file’s name, or of the entry’s \`input\`.`;
const MAGICS = [
  // https://parquet.apache.org/docs/file-format/
  ['PAR1', 'a Parquet file', nameFormat('.parquet')],
  // https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
  ['\x93NUMPY', 'a NumPy array', nameFormat('.npy')],
  // https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
  ['PK\x03\x04', 'an Excel workbook, or another zip archive', 'Save it as CSV.'],
] as const;

async function openRows(source: Source, signature: Signature, extras: Extras): Promise<Rows> {
  const opened = await openText(source, extras.rowBytes);
  const reader = readerOf(opened.head(), { at: 0, line: 1, row: 0 }, undefined, extras.rowBytes);
  const head = await readHead(reader).finally(() => reader.close());
  const { start, next, cells, second } = head;
  if (cells === undefined) return rows(start, { slots: [], columns: [], carried: extras.ids });
  const width = widthWith(extras.columns, signature);
  const first = firstOf(cells, width, extras.columns);
  const names = namesOf(cells, first, width, signature, extras);
  const fitting = columnsOf(names, cells.length, signature, extras);
  // Whole numbers of which the next line has fractions are no row like it, whatever they say.
  const isOdd = second !== undefined && isOfFractions(second);
  if (first === 'row') return rows(start, { ...fitting, ...(isOdd && { taken: DOUBTFUL }) });
  const isRowToo = first === 'numbered' && !isOdd && names === undefined && !extras.reference;
  const guess = isRowToo ? NUMBERED : isGuess(fitting, signature, extras) ? GUESSED : undefined;
  return rows(next, { ...fitting, ...(guess && { taken: guess }) });

  function rows(from: TextPlace, { slots, columns, carried, taken, table }: Fitting): Rows {
    const read = textRows(opened, from, source.bytes, carried, {
      scan: scanCsv,
      parser: () => {
        const stack = stackOf(slots, carried.length);
        return { stack, parse: csvParser(columns, stack, extras.missing === 'nan', extras.reference) };
      },
      unfinished: unclosedQuote,
    });
    return {
      ...read,
      shapes: shapesOf(slots),
      ...(taken && { taken }),
      ...(extras.reference && table && { table }),
    };
  }
}

/** As UTF-16 has them without a mark. */
const ZERO_BYTES = 'Its first line has zero bytes, so it is not UTF-8.';

/** Old Macs end lines so: to RFC 4180 all of the file is one. At the end of a line it does no harm. */
const LONE_RETURN = /\r[^\r\n]/;

const DOUBTFUL: Taken = { by: 'order', notices: ['INTEGERS_FIRST'] };
const NUMBERED: Taken = { by: 'order', notices: ['NUMBERS_FIRST'] };
const GUESSED: Taken = { by: 'order', notices: ['TEXTS_FIRST'] };

/** Might the line of names be a row? It may in a model of texts, where nothing says what the names are. */
const isGuess = (
  { taken }: Fitting,
  { inputs }: Signature,
  { columns, ids, join, reference }: Extras,
): boolean =>
  taken?.by === 'order' &&
  inputs.every(({ datatype }) => datatype === 'BYTES') &&
  !(columns || ids.length > 0 || join || reference);

/** Columns that the model takes: as many as are named where it leaves that open; −1 where it is open. */
const widthWith = (columns: Extras['columns'], { inputs }: Signature): number =>
  columns?.bind ? columns.names.length : rowWidth(inputs);

type Head = {
  /** Places of the first line that is not blank, and of the next. */
  readonly start: TextPlace;
  readonly next: TextPlace;
  /** Absent where all is blank. */
  readonly cells?: readonly string[];
  /** Cells of the next line, where the first may be names, although it has numbers. */
  readonly second?: readonly string[];
};

async function readHead(reader: RowReader): Promise<Head> {
  const { cursor, more } = reader;
  await readStart(reader);
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
    if (!isUtf8(bytes.subarray(cursor.at, next)))
      throw wrongHeader(`Its first line, ${line}, is not UTF-8.`, 'Save the file in UTF-8.');
    if (cells.some((cell) => cell.includes('\0'))) throw wrongHeader(ZERO_BYTES, 'Save the file in UTF-8.');
    if (cells.some((cell) => LONE_RETURN.test(cell)))
      throw wrongHeader(
        `Its first line, ${line}, has a carriage return within.`,
        'End each line with a line feed, or with both.',
      );
    checkRowBytes(next - cursor.at, line, cursor.most);
    const isBlank = bytes[cursor.at] === NEWLINE || (bytes[cursor.at] === RETURN && next - cursor.at === 2);
    cursor.line += newlines(bytes, cursor.at, next);
    cursor.at = next;
    if (isBlank) continue;
    const head = { start, next: { at: cursor.base + next, line: cursor.line, row: 0 }, cells };
    const second = mayBeNames(cells) ? await nextLine(reader) : undefined;
    return { ...head, ...(second && { second }) };
  }
}

/** The cells of the line that the cursor is at; undefined where there is none, or it is no CSV. */
async function nextLine({ cursor, more }: RowReader): Promise<readonly string[] | undefined> {
  for (;;) {
    const record = recordAt(cursor.bytes, cursor.at, cursor.end);
    if (record === -1) return undefined;
    if (record !== undefined) return record.cells;
    if (!(await more())) return undefined;
  }
}
