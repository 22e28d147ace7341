import type { Fault } from './layout.ts';
import { NEWLINE } from './text.ts';

/** Cells of CSV (RFC 4180) in bytes. */

export const COMMA = 44;
export const RETURN = 13;
export const QUOTE = 34;

/** @returns where the cell from `p` ends: at a comma or a line's end, or at `end`; −1 for a quote out of place */
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
export function cellText(bytes: Uint8Array, from: number, to: number): string {
  if (bytes[from] !== QUOTE) return decoder.decode(bytes.subarray(from, to));
  return decoder.decode(bytes.subarray(from + 1, to - 1)).replaceAll('""', '"');
}

export function newlines(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = bytes.indexOf(NEWLINE, from); i >= 0 && i < to; i = bytes.indexOf(NEWLINE, i + 1)) count++;
  return count;
}

export const misplaced = (fault: Fault, line: number): Error =>
  fault(
    `Line ${line} is not CSV: a quote is out of place.`,
    'Double each quote in a quoted cell (RFC 4180).',
  );
