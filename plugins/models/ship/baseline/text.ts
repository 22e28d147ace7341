import { type FileHandle, open } from 'node:fs/promises';
import type { Fault } from './layout.ts';

/**
 * The part of a text file in memory: what is not parsed yet is `bytes` from `at` to `end`. There is a 0, which is part of no text,
 * so that loops over digits need not look where they are.
 */
export type Text = {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Of the line at `at`, from 1. */
  line: number;
  /** The file has no more. */
  done: boolean;
};

/** Read at a time; a line may be longer, up to the most. */
const BUFFER = 1024 ** 2;
const LINE_BYTES = 64 * 1024 ** 2;
const MARK = [0xef, 0xbb, 0xbf];
export const NEWLINE = 10;

/**
 * Opens a text file and reads its start, without a byte order mark.
 * @param use `more` reads on, keeping what is not parsed; false when there is nothing new
 */
export async function withText(
  path: string,
  fault: Fault,
  progress: (share: number) => void,
  use: (text: Text, more: () => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const text: Text = { bytes: new Uint8Array(BUFFER), at: 0, end: 0, line: 1, done: false };
    let read = 0;
    const more = async (): Promise<boolean> => {
      if (text.done) return false;
      read += await fill(file, text, fault);
      progress(Math.min(1, read / size));
      return true;
    };
    await more();
    if (MARK.every((byte, i) => text.bytes[i] === byte)) text.at = MARK.length;
    await use(text, more);
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, text: Text, fault: Fault): Promise<number> {
  const rest = text.end - text.at;
  if (rest * 2 > text.bytes.length) {
    if (rest > LINE_BYTES) {
      throw fault(
        `Line ${text.line} is longer than ${LINE_BYTES / 1024 ** 2} MB.`,
        'End each row with a line end.',
      );
    }
    const longer = new Uint8Array(text.bytes.length * 2);
    longer.set(text.bytes.subarray(text.at, text.end));
    text.bytes = longer;
  } else text.bytes.copyWithin(0, text.at, text.end);
  text.at = 0;
  text.end = rest;
  // Room for a line end and the 0.
  const { bytesRead } = await file.read(text.bytes, rest, text.bytes.length - rest - 2, null);
  text.end += bytesRead;
  if (bytesRead === 0) {
    text.done = true;
    // The last line may lack its end.
    if (rest > 0 && text.bytes[rest - 1] !== NEWLINE) text.bytes[text.end++] = NEWLINE;
  }
  text.bytes[text.end] = 0;
  return bytesRead;
}
