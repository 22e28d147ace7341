import { textAt } from '../../text/utf8.ts';

/** Cells of CSV (RFC 4180) in bytes. */

export const COMMA = 44;
export const NEWLINE = 10;
export const RETURN = 13;
export const QUOTE = 34;

/**
 * @returns where the cell from `p` ends: at a comma or a line's end, or at `end`; −1 for a quote out of place
 */
export function cellEnd(bytes: Uint8Array, p: number, end: number): number {
  let q = p;
  if (bytes[q] === QUOTE) {
    for (;;) {
      q = bytes.indexOf(QUOTE, q + 1);
      if (q < 0 || q + 1 >= end) return end;
      if (bytes[q + 1] !== QUOTE) break;
      q++;
    }
    q++;
    return isEnd(bytes, q, end) ? q : -1;
  }
  while (q < end && !isEnd(bytes, q, end)) {
    if (bytes[q] === QUOTE) return -1;
    q++;
  }
  return q;
}

function isEnd(bytes: Uint8Array, q: number, end: number): boolean {
  const byte = bytes[q];
  return (
    byte === COMMA || byte === NEWLINE || (byte === RETURN && (bytes[q + 1] === NEWLINE || q + 1 >= end))
  );
}

const decoder = new TextDecoder();
/** What is not UTF-8 is told by who asks. */
const lenient = (bytes: Uint8Array, from: number, to: number): string =>
  textAt(bytes, from, to) ?? decoder.decode(bytes.subarray(from, to));

/**
 * Where the text of a cell without quotes ends: returns before that of a line’s end are no part of it. Python
 * on Windows ends lines by two, where a file was not opened for csv.
 */
export function textEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  if (bytes[to] === RETURN) while (end > from && bytes[end - 1] === RETURN) end--;
  return end;
}

function cellText(bytes: Uint8Array, from: number, to: number): string {
  if (bytes[from] !== QUOTE) return lenient(bytes, from, textEnd(bytes, from, to));
  return lenient(bytes, from + 1, to - 1).replaceAll('""', '"');
}

/**
 * A text as a cell: in quotes where it needs them.
 * @param isAlone in its row: a line with nothing in it would be passed over
 */
export const quoted = (text: string, isAlone: boolean): string =>
  /[",\r\n]/.test(text) || (text === '' && isAlone) ? `"${text.replaceAll('"', '""')}"` : text;

export function newlines(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = bytes.indexOf(NEWLINE, from); i >= 0 && i < to; i = bytes.indexOf(NEWLINE, i + 1)) count++;
  return count;
}

/**
 * The cells from `p` up to the end of their line, and where the next line begins.
 * @returns undefined where there is no end of the line in memory, −1 for a quote out of place
 */
export function recordAt(
  bytes: Uint8Array,
  from: number,
  end: number,
): { readonly cells: string[]; readonly next: number } | undefined | -1 {
  const cells: string[] = [];
  let p = from;
  for (;;) {
    const stop = cellEnd(bytes, p, end);
    if (stop < 0) return -1;
    if (stop >= end) return undefined;
    cells.push(cellText(bytes, p, stop));
    p = stop;
    if (bytes[p] === RETURN) p++;
    if (p >= end) return undefined;
    p++;
    if (bytes[p - 1] === NEWLINE) return { cells, next: p };
  }
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const NONE = /^([+-]?(nan|inf|infinity))?$/i;

/** Does a cell say that there is no value? An infinity is one. */
export const isMissing = (word: string): boolean => /^([+-]?nan)?$/i.test(word);

/**
 * @returns the number that a cell says, NaN where it says that there is none, undefined for any other text
 */
export function numberIn(text: string): number | undefined {
  const word = text.trim();
  if (NUMBER.test(word)) return Number(word);
  if (NONE.test(word)) return Number.NaN;
  if (/^true$/i.test(word)) return 1;
  return /^false$/i.test(word) ? 0 : undefined;
}
