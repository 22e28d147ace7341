import { NEWLINE } from './cells.ts';

/**
 * The part of a text that is in memory: what is not parsed yet is `bytes` from `at` to `end`. There is a 0,
 * which is part of no text, so that loops over digits need not look where they are.
 */
export type Text = {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Number of the line at `at`, from 1. */
  line: number;
  /** There is no more. */
  done: boolean;
};

/** @param size bytes that are in memory at a time, unless a row is longer */
export const emptyText = (size: number): Text => ({
  bytes: new Uint8Array(size),
  at: 0,
  end: 0,
  line: 1,
  done: false,
});

/**
 * Reads on, keeping what is not parsed, which moves to the start of `bytes`.
 * @param read puts bytes into the text's memory and says how many; 0 when there are no more
 * @param check is told how long what is not parsed is before more memory is taken for it
 * @returns bytes read
 */
export async function fillWindow(
  text: Text,
  read: (bytes: Uint8Array, from: number, length: number) => Promise<number>,
  check: (rest: number) => void,
): Promise<number> {
  const rest = text.end - text.at;
  if (rest * 2 > text.bytes.length) {
    check(rest);
    const longer = new Uint8Array(text.bytes.length * 2);
    longer.set(text.bytes.subarray(text.at, text.end));
    text.bytes = longer;
  } else text.bytes.copyWithin(0, text.at, text.end);
  text.at = 0;
  text.end = rest;
  // Room for a line end and the 0.
  const count = await read(text.bytes, rest, text.bytes.length - rest - 2);
  text.end += count;
  if (count === 0) {
    text.done = true;
    // The last line may lack its end.
    if (rest > 0 && text.bytes[rest - 1] !== NEWLINE) text.bytes[text.end++] = NEWLINE;
  }
  text.bytes[text.end] = 0;
  return count;
}

const MARK = [0xef, 0xbb, 0xbf];

/** Passes over the byte order mark at the start of a text, if it has one. */
export function skipMark(text: Text): void {
  if (MARK.every((byte, i) => text.bytes[i] === byte)) text.at = MARK.length;
}
