import { type FileHandle, open } from 'node:fs/promises';
import type { Field, FileFault } from '../../../core/tabular/cells/layout.ts';
import { type SignalValues, storedBytes, valuesIn } from './values.ts';

/**
 * Reference data by column, in a file: memory has a block of rows while they are read, and then a column at a
 * time, whatever the size of the data. A block is one column after the other.
 */
export type Store = {
  readonly path: string;
  readonly fields: readonly Field[];
  /** The block that is filled now: a column a field, NaN where there is no value. */
  readonly block: readonly SignalValues[];
  /** Rows of a block. */
  readonly capacity: number;
  /** Texts of each field of BYTES, whose numbers are stored. */
  readonly texts: readonly (Dictionary | undefined)[];
  /** Rows written so far. */
  readonly rows: () => number;
  /** Writes the first `count` rows of the block; only the last block may have fewer than `capacity`. */
  readonly flush: (count: number) => Promise<void>;
  /** @throws where there will be more rows than there may be */
  readonly expect: (rows: number) => void;
  readonly close: () => Promise<void>;
};

/** What else reads the file must know. */
export type Stored = Pick<Store, 'path' | 'fields' | 'capacity'> & {
  readonly rows: number;
  readonly texts: readonly (readonly string[] | undefined)[];
};

export type Dictionary = { readonly numbers: Map<string, number>; readonly list: string[]; bytes: number };

const BLOCK_BYTES = 8 * 1024 ** 2;
const BLOCK_ROWS = 16_384;

/** A column of doubles, and two more of its size to sort it in, in less than 300 MB. */
const ROWS = 10_000_000;
/** Bytes on disk, while the baseline is built. */
const STORE_BYTES = 16 * 1024 ** 3;
/** Bytes of different texts in memory. */
const TEXT_BYTES = 128 * 1024 ** 2;

export async function openStore(path: string, fields: readonly Field[], fault: FileFault): Promise<Store> {
  const rowBytes = fields.reduce((sum, { datatype }) => sum + storedBytes(datatype), 0);
  // Even, so that doubles start where they may.
  const capacity = 2 * Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / rowBytes)) >> 1);
  const buffer = new ArrayBuffer(rowBytes * capacity);
  const offsets = offsetsOf(fields, capacity);
  const block = fields.map(({ datatype }, i) => valuesIn(datatype, buffer, offsets[i] as number, capacity));
  const texts = fields.map(({ datatype }): Dictionary | undefined =>
    datatype === 'BYTES' ? { numbers: new Map(), list: [], bytes: 0 } : undefined,
  );
  const file = await open(path, 'w');
  let rows = 0;
  const check = (count: number): void => {
    const limit = limitOf(count, rowBytes, texts);
    if (limit !== undefined) {
      throw fault(limit, 'Take a sample of its rows, in their order: a tenth of them tells as much.');
    }
  };
  return {
    path,
    fields,
    block,
    capacity,
    texts,
    rows: () => rows,
    async flush(count) {
      check(rows + count);
      if (count === capacity) await writeAll(file, new Uint8Array(buffer), rows * rowBytes);
      else {
        const partial = offsetsOf(fields, count);
        for (const [i, values] of block.entries()) {
          const bytes = new Uint8Array(buffer, values.byteOffset, even(count) * values.BYTES_PER_ELEMENT);
          await writeAll(file, bytes, rows * rowBytes + (partial[i] as number));
        }
      }
      rows += count;
    },
    expect: check,
    close: () => file.close(),
  };
}

/** @returns what is too much, if anything */
function limitOf(
  rows: number,
  rowBytes: number,
  texts: readonly (Dictionary | undefined)[],
): string | undefined {
  if (rows > ROWS) return `It has more than ${ROWS} rows.`;
  if (rows * rowBytes > STORE_BYTES)
    return `${rows} of its rows are more than ${STORE_BYTES / 1024 ** 3} GB as tensors.`;
  const text = texts.reduce((sum, dictionary) => sum + (dictionary?.bytes ?? 0), 0);
  return text > TEXT_BYTES ? `It has more than ${TEXT_BYTES / 1024 ** 2} MB of different texts.` : undefined;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** Doubles must start at a multiple of their size. */
const even = (count: number): number => count + (count % 2);

/** Where each column starts in a block of `count` rows. */
function offsetsOf(fields: readonly Field[], count: number): number[] {
  let next = 0;
  return fields.map(({ datatype }) => {
    const offset = next;
    next += storedBytes(datatype) * even(count);
    return offset;
  });
}

/** The number of a text in its field's list, NaN for none. */
export function textNumber(dictionary: Dictionary, text: string): number {
  if (text === '') return Number.NaN;
  const known = dictionary.numbers.get(text);
  if (known !== undefined) return known;
  const number = dictionary.list.length;
  dictionary.numbers.set(text, number);
  dictionary.list.push(text);
  // A text and its place in map and list.
  dictionary.bytes += text.length + 64;
  return number;
}

/** Columns `from` to `to` (not included), block by block. */
export async function readBlocks(
  file: FileHandle,
  { fields, capacity, rows }: Pick<Stored, 'fields' | 'capacity' | 'rows'>,
  from: number,
  to: number,
  visit: (block: readonly SignalValues[], firstRow: number, count: number) => void | Promise<void>,
): Promise<void> {
  const rowBytes = fields.reduce((sum, { datatype }) => sum + storedBytes(datatype), 0);
  for (let first = 0; first < rows; first += capacity) {
    const count = Math.min(capacity, rows - first);
    const offsets = offsetsOf(fields, count);
    const start = offsets[from] as number;
    const last = fields[to - 1] as Field;
    const bytes = new Uint8Array(
      (offsets[to - 1] as number) + storedBytes(last.datatype) * even(count) - start,
    );
    for (let done = 0; done < bytes.length; ) {
      const position = first * rowBytes + start + done;
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, position);
      if (bytesRead === 0) throw new Error('Reference data on disk are shorter than they were.');
      done += bytesRead;
    }
    const block = fields
      .slice(from, to)
      .map(({ datatype }, i) =>
        valuesIn(datatype, bytes.buffer, (offsets[from + i] as number) - start, count),
      );
    await visit(block, first, count);
  }
}

/** All rows of one column. */
export async function readColumn(file: FileHandle, stored: Stored, number: number): Promise<SignalValues> {
  const { datatype } = stored.fields[number] as Field;
  const buffer = new ArrayBuffer(storedBytes(datatype) * stored.rows);
  const all = valuesIn(datatype, buffer, 0, stored.rows);
  await readBlocks(file, stored, number, number + 1, ([part], first) => {
    if (part !== undefined) all.set(part, first);
  });
  return all;
}
