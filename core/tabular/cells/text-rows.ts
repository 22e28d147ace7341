import type { Part } from './contract.ts';
import { type Cursor, type RowReader, readerOf, type TextPlace } from './cursor.ts';
import type { Block, Rows, Source } from './format.ts';
import { isGzip, unpacked } from './gunzip.ts';
import { type RowStack, takeBlock } from './row-buffer.ts';

/** Bytes that a block is made of, at most, but for its last row: bounds what texts take in memory. */
const BLOCK_BYTES = 8 * 1024 ** 2;

/** How rows are found in the text of a format, from the cursor on. Both find the same ones. */
export type Dialect = {
  /**
   * Passes over whole rows until one ends at `stop` or after it, an offset into `bytes`.
   * @returns false where the text in memory ends before
   */
  scan(cursor: Cursor, stop: number): boolean;
  /** The same, into a stack of its own, or until that is full. */
  readonly parser: () => {
    readonly stack: RowStack;
    readonly parse: (cursor: Cursor, stop: number) => boolean;
  };
  /** What is wrong with a last row that does not end, where there can be one. */
  readonly unfinished?: (cursor: Cursor) => Error;
};

export type OpenedText = {
  readonly text: (from: number, to?: number) => AsyncIterable<Uint8Array>;
  /** The text from its start, for who needs the first lines only. */
  readonly head: () => AsyncIterable<Uint8Array>;
  readonly cuts: boolean;
  /** Bytes that a row may have; absent: `ROW_BYTES`. */
  readonly most: number | undefined;
};

/** The text of an object; of gzip, from its start only. */
export async function openText(source: Source, most?: number): Promise<OpenedText> {
  const head = () => windows(source);
  if (await isGzip(source))
    return {
      text: () => unpacked(source),
      head: () => unpacked(source, head()),
      cuts: false,
      most,
    };
  const text: OpenedText['text'] = (from, to = source.bytes) =>
    from < to ? source.stream(from, to) : nothing();
  return { text, head, cuts: true, most };
}

/** Bytes that most heads end within. */
const HEAD = 64 * 1024;

/**
 * Some at a time, since a read of gigabytes that is broken off costs its connection, and whatever of it is
 * under way.
 */
async function* windows({ bytes, stream }: Source): AsyncGenerator<Uint8Array> {
  let size = HEAD;
  for (let at = 0; at < bytes; ) {
    const end = Math.min(bytes, at + size);
    yield* stream(at, end);
    at = end;
    size *= 4;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** @param start of the first row, or of a blank line before it */
export function textRows(
  { text, cuts, most }: OpenedText,
  start: TextPlace,
  bytes: number,
  carried: readonly string[],
  dialect: Dialect,
): Rows {
  const all = (partBytes: number): AsyncIterable<Block> => {
    if (cuts) return blocks(readerOf(text(start.at), start, bytes, most), 0, partBytes, dialect);
    const from = readerOf(skipping(text(0), start.at), start, undefined, most);
    return blocks(from, 0, partBytes, dialect);
  };
  if (!cuts) return { carried, all };
  return {
    carried,
    all,
    plan: (partBytes) => parts(readerOf(text(start.at), start, bytes, most), partBytes, bytes, dialect),
    part: ({ part, from, to, row, line = 1 }) =>
      blocks(
        readerOf(text(from, to), { at: from, row, line }, to - from, most),
        part,
        Number.POSITIVE_INFINITY,
        dialect,
      ),
  };
}

async function* skipping(chunks: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left > 0 ? chunk.subarray(left) : chunk;
    left = Math.max(0, left - chunk.length);
  }
}

/** A part ends with the first row that ends at its `partBytes` or after; what has no row is no part. */
async function* parts(
  reader: RowReader,
  partBytes: number,
  bytes: number,
  { scan, unfinished }: Dialect,
): AsyncGenerator<Part> {
  const { cursor } = reader;
  try {
    for (let part = 0; ; part++) {
      const from = cursor.base + cursor.at;
      const { row, line } = cursor;
      let isCut = scan(cursor, from + partBytes - cursor.base);
      while (!isCut && (await reader.more())) isCut = scan(cursor, from + partBytes - cursor.base);
      if (!isCut) checkEnd(cursor, unfinished);
      // The line end that a last row lacks is in memory only.
      const to = Math.min(cursor.base + cursor.at, bytes);
      if (cursor.row > row) yield { part, from, to, row, line };
      if (!isCut) return;
    }
  } finally {
    await reader.close();
  }
}

async function* blocks(
  reader: RowReader,
  first: number,
  partBytes: number,
  { parser, unfinished }: Dialect,
): AsyncGenerator<Block> {
  const { cursor } = reader;
  const { stack, parse } = parser();
  let part = first;
  const place = (): number => cursor.base + cursor.at;
  let partEnd = place() + partBytes;
  let blockEnd = place() + BLOCK_BYTES;
  try {
    for (;;) {
      const isEnd = parse(cursor, Math.min(partEnd, blockEnd) - cursor.base);
      if (!isEnd && !stack.full) {
        if (await reader.more()) continue;
        break;
      }
      yield takeBlock(stack, part);
      blockEnd = place() + BLOCK_BYTES;
      if (isEnd && place() >= partEnd) {
        part++;
        partEnd = place() + partBytes;
      }
    }
    checkEnd(cursor, unfinished);
    if (stack.read > 0) yield takeBlock(stack, part);
  } finally {
    await reader.close();
  }
}

function checkEnd(cursor: Cursor, unfinished: Dialect['unfinished']): void {
  if (unfinished !== undefined && cursor.at < cursor.end) throw unfinished(cursor);
}
