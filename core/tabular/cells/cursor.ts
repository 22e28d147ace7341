import { objectFault } from '../../errors/object-errors.ts';
import { emptyText, fillWindow, skipMark, type Text } from './text-window.ts';

/** A place in an object's text, always at the start of a line. */
export type TextPlace = {
  /** Byte of the object, of the unpacked text where it is gzip. */
  readonly at: number;
  /** From 1. */
  readonly line: number;
  /** Rows before it. */
  readonly row: number;
};

/** The text in memory, and where in the object it is. */
export type Cursor = Text & {
  /** Byte of the object that `bytes` starts with. */
  base: number;
  /** Rows before `at`. */
  row: number;
  /** Bytes that a row may have, its line end included. */
  readonly most: number;
};

/** `more` reads on, keeping what is not parsed; false when there is nothing new. */
export type RowReader = {
  readonly cursor: Cursor;
  more(): Promise<boolean>;
  /** Stops the stream, also where it was not read to its end. */
  close(): Promise<void>;
};

/**
 * In memory at a time unless a row is longer: what is read and parsed then stays in the processor's cache.
 */
const WINDOW = 512 * 1024;
/** A row, its line end included; what is beyond is more likely a quote or a line end that is missing. */
export const ROW_BYTES = 16 * 1024 ** 2;

export function checkRowBytes(bytes: number, line: number, most: number): void {
  if (bytes <= most) return;
  throw objectFault(
    'ROW_TOO_LONG',
    `The row in line ${line} is longer than ${most / 1024 ** 2} MB. End each row with a line end, and close each quote.`,
  );
}

/**
 * @param chunks the text from `start` on
 * @param bytes how long it is, where that is known
 * @param most bytes of a row
 */
export function readerOf(
  chunks: AsyncIterable<Uint8Array>,
  start: TextPlace,
  bytes = WINDOW,
  most = ROW_BYTES,
): RowReader {
  const stream = chunks[Symbol.asyncIterator]();
  const cursor: Cursor = {
    ...emptyText(Math.min(WINDOW, bytes + 16)),
    line: start.line,
    base: start.at,
    row: start.row,
    most,
  };
  let chunk = new Uint8Array(0);
  // A chunk; of an unfinished row as much again as there is of it, so that a long one is looked at a few
  // times only.
  const read = async (bytes: Uint8Array, from: number, length: number): Promise<number> => {
    let count = 0;
    while (count < length && (count === 0 || count < from)) {
      if (chunk.length === 0) {
        const next = await stream.next();
        if (next.done) break;
        chunk = next.value as Uint8Array<ArrayBuffer>;
        continue;
      }
      const part = chunk.subarray(0, length - count);
      bytes.set(part, from + count);
      chunk = chunk.subarray(part.length);
      count += part.length;
    }
    return count;
  };
  return {
    cursor,
    async more() {
      if (cursor.done) return false;
      checkRowBytes(cursor.end - cursor.at, cursor.line, most);
      const passed = cursor.at;
      await fillWindow(cursor, read, () => {});
      cursor.base += passed;
      return true;
    },
    async close() {
      await stream.return?.();
    },
  };
}

/** Reads the start of a text, and passes over its byte order mark. */
export async function readStart({ cursor, more }: RowReader): Promise<void> {
  while (cursor.end < 3 && (await more()));
  skipMark(cursor);
}
