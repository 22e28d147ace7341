import { objectFault } from '../../errors/object-errors.ts';
import { COMMA, NEWLINE, newlines, QUOTE, RETURN } from '../cells/cells.ts';
import { type Cursor, checkRowBytes } from '../cells/cursor.ts';

/**
 * Where rows of CSV end: RFC 4180, so a quote opens where a cell begins, and line ends up to the one that
 * closes it are the cell's. A quote elsewhere makes the row a faulty one, which then ends with the line that
 * the quote is in.
 */

/** @returns the byte after the row from `start` and its line end, −1 where that is not in memory */
export function rowEnd(bytes: Uint8Array, start: number, end: number): number {
  let p = start;
  for (;;) {
    if (bytes[p] === QUOTE && p < end) {
      for (;;) {
        p = bytes.indexOf(QUOTE, p + 1);
        if (p < 0 || p + 1 >= end) return -1;
        if (bytes[p + 1] !== QUOTE) break;
        p++;
      }
      p++;
      const byte = bytes[p];
      if (byte === COMMA) {
        p++;
        continue;
      }
      if (byte === NEWLINE) return p + 1;
      if (byte === RETURN) {
        if (p + 1 >= end) return -1;
        if (bytes[p + 1] === NEWLINE) return p + 2;
      }
      return lineEnd(bytes, p, end);
    }
    let byte = bytes[p];
    while (p < end && byte !== COMMA && byte !== NEWLINE && byte !== QUOTE) byte = bytes[++p];
    if (p >= end) return -1;
    if (byte === QUOTE) return lineEnd(bytes, p, end);
    p++;
    if (byte === NEWLINE) return p;
  }
}

function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  const newline = bytes.indexOf(NEWLINE, from);
  return newline < 0 || newline >= end ? -1 : newline + 1;
}

/** Passes over rows until one ends at `stop` or after it; false where the text in memory ends before. */
export function scanCsv(cursor: Cursor, stop: number): boolean {
  const { bytes, end, most } = cursor;
  let { at, line, row } = cursor;
  let quote = nextQuote(bytes, at, end);
  let isEnd = false;
  while (!isEnd) {
    let next = at;
    while (next < quote && bytes[next] !== NEWLINE) next++;
    if (next < quote) {
      next++;
      line++;
    } else {
      if (quote === end) break;
      next = rowEnd(bytes, at, end);
      if (next < 0) break;
      line += newlines(bytes, at, next);
      quote = nextQuote(bytes, next, end);
    }
    const length = next - at;
    const isBlank = length === 1 || (length === 2 && bytes[at] === RETURN);
    if (!isBlank) {
      checkRowBytes(length, line - 1, most);
      row++;
      isEnd = next >= stop;
    }
    at = next;
  }
  cursor.at = at;
  cursor.line = line;
  cursor.row = row;
  return isEnd;
}

function nextQuote(bytes: Uint8Array, from: number, end: number): number {
  // Behind the end are bytes of former texts.
  const quote = bytes.subarray(from, end).indexOf(QUOTE);
  return quote < 0 ? end : from + quote;
}

/** The row that the cursor is at does not end: its last cell opens with a quote that no other closes. */
export function unclosedQuote({ bytes, at, end, line }: Cursor): Error {
  let open = at;
  for (let p = at; p < end; ) {
    open = p;
    if (bytes[p] === QUOTE) {
      p++;
      while (p < end && (bytes[p] !== QUOTE || bytes[p + 1] === QUOTE)) p += bytes[p] === QUOTE ? 2 : 1;
    }
    while (p < end && bytes[p] !== COMMA) p++;
    p++;
  }
  const begun = line + newlines(bytes, at, open);
  return objectFault(
    'UNCLOSED_QUOTE',
    `The quote that opens a cell in line ${begun} is never closed. Close it, and double each quote in a quoted cell (RFC 4180).`,
  );
}
