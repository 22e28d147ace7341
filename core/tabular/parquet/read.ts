import { isObjectFault, objectFault } from '../../errors/object-errors.ts';
import { turns } from '../../node/turns.ts';
import type { Signature } from '../../tensor/contract.ts';
import { sizeOf } from '../../tensor/datatypes.ts';
import { blockOf, blockRows, slotWidth, stacked } from '../cells/array-rows.ts';
import type { Part } from '../cells/contract.ts';
import type { Numeric } from '../cells/convert.ts';
import type { Block, Extras, Rows, Source } from '../cells/format.ts';
import { shapesOf } from '../cells/slots.ts';
import { inMemory, together, windowed } from './bytes.ts';
import { carriedTypes, type ParquetColumns, parquetColumns, type ReadColumn } from './columns.ts';
import { type ColumnCursor, fillColumn } from './fill.ts';
import { type FileMetaData, type RowGroup, readMetadata } from './library.ts';
import { chunkRange, type FlatColumn, pagesOf } from './pages.ts';
import { cutGroups, planGroups, rowsByGroup } from './parts.ts';

/**
 * Bytes at most of a file's end, which lists its columns and row groups; one of 10,000 columns and 100 groups
 * has some 100 MB.
 */
const METADATA_BYTES = 256 * 1024 ** 2;
/** A row group whose columns lie within this is read at once. */
const WHOLE_BYTES = 8 * 1024 ** 2;
/** Bytes of all columns together that are read ahead, and the least of one. */
const AHEAD_BYTES = 8 * 1024 ** 2;
const LEAST_AHEAD = 64 * 1024;
/** Requests at once: those that wait for a connection are given up after five seconds. */
const AT_ONCE = 16;
/** Characters of a block's texts, about; and its rows, until it is known how long they are. */
const TEXTS_BYTES = 8 * 1024 ** 2;
const FIRST_TEXTS = 256;
/** What a text is reckoned with, in memory. */
const TEXT_BYTES = 32;

/**
 * Rows of Apache Parquet: its flat columns by name, as `parquetColumns` says. Columns that are not asked for
 * are not read.
 *
 * @throws an object fault `UNREADABLE` or `WRONG_HEADER`, now; what is broken within pages is `UNREADABLE`
 * when it is read
 */
export async function openParquet(source: Source, signature: Signature, extras: Extras): Promise<Rows> {
  const metadata = await metadataOf(source);
  const [fitting, groups] = ((): [ParquetColumns, readonly number[]] => {
    try {
      const found = parquetColumns(metadata, signature, extras);
      return [found, rowsByGroup(metadata.row_groups, found.columns)];
    } catch (error) {
      throw unreadable(error);
    }
  })();
  const { inputs, columns, carried, taken, table } = fitting;
  const rowBytes =
    inputs.reduce((sum, input) => sum + slotWidth(input) * sizeInMemory(input.spec.datatype), 0) +
    columns.reduce((sum, { kind, carried: at }) => sum + (at < 0 ? 0 : sizeInMemory(kind.datatype)), 0);
  const mostOf = (partBytes: number): number => Math.max(1, Math.floor(partBytes / rowBytes));
  const count = groups.reduce((sum, rows) => sum + rows, 0);
  const blocks = (parts: Iterable<Part>, of: Pick<Part, 'from' | 'to'>): AsyncIterable<Block> =>
    readable(blocksOf(source, metadata, fitting, parts, of));
  return {
    carried,
    shapes: shapesOf(inputs),
    count,
    types: carriedTypes(fitting),
    ...(taken && { taken }),
    ...(table && { table }),
    async *plan(partBytes) {
      yield* planGroups(groups, mostOf(partBytes));
    },
    part: (part) => blocks([part], part),
    all: (partBytes) => blocks(cutGroups(groups, mostOf(partBytes)), { from: 0, to: count }),
  };
}

const sizeInMemory = (datatype: Numeric | 'BYTES'): number =>
  datatype === 'BYTES' ? TEXT_BYTES : sizeOf(datatype);

/** What went wrong in reading from the source, which has nothing to do with what was read. */
const failures = new WeakSet<object>();

/** hyparquet's errors, and those of damaged bytes, are the object's fault. */
function unreadable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (isObjectFault(error) || failures.has(error)) return error;
  return objectFault(
    'UNREADABLE',
    `The object cannot be read as Parquet (${error.message.slice(0, 200)}). Write it again, with Snappy or without compression.`,
  );
}

async function* readable(blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
  try {
    yield* blocks;
  } catch (error) {
    throw unreadable(error);
  }
}

async function rangeOf(source: Source, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await source.range(start, end);
  } catch (error) {
    if (typeof error === 'object' && error !== null) failures.add(error);
    throw error;
  }
}

async function metadataOf(source: Source): Promise<FileMetaData> {
  if (source.bytes === 0)
    throw objectFault('UNREADABLE', 'The object is empty. Write it with pandas.to_parquet or pyarrow.');
  try {
    const metadata = await readMetadata({
      byteLength: source.bytes,
      async slice(start, end = source.bytes) {
        if (end - start > METADATA_BYTES) throw new Error(`its list of columns has ${end - start} bytes`);
        const bytes = await rangeOf(source, start, end);
        return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
      },
    });
    const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (metadata.row_groups.some((group) => group.num_rows < 0n) || rows > BigInt(Number.MAX_SAFE_INTEGER))
      throw new Error('its row groups have no sensible number of rows');
    return metadata;
  } catch (error) {
    throw unreadable(error);
  }
}

/** @param parts consecutive ones, from one row to another */
async function* blocksOf(
  source: Source,
  metadata: FileMetaData,
  fitting: ParquetColumns,
  parts: Iterable<Part>,
  { from, to }: Pick<Part, 'from' | 'to'>,
): AsyncGenerator<Block> {
  const { inputs, carried } = fitting;
  const hasTexts = fitting.columns.some(({ kind }) => kind.datatype === 'BYTES');
  let most = hasTexts ? Math.min(FIRST_TEXTS, blockRows(inputs)) : blockRows(inputs);
  const runs: Run[] = [];
  let start = 0;
  for (const group of metadata.row_groups) {
    const end = start + Number(group.num_rows);
    const run = { group, start, first: Math.max(start, from), last: Math.min(end, to) };
    if (run.first < run.last) runs.push(run);
    start = end;
  }
  const open = (run: Run | undefined): Promise<ColumnCursor[]> | undefined => {
    const cursors = run && cursorsOf(source, metadata, run.group, fitting, run.first - run.start);
    cursors?.catch(() => {});
    return cursors;
  };
  const next = parts[Symbol.iterator]();
  let part: Part | undefined;
  let coming = open(runs[0]);
  for (const [i, { first, last }] of runs.entries()) {
    const cursors = (await coming) ?? [];
    // Small row groups are fetched while the one before is scored.
    coming = open(runs[i + 1]);
    for (let row = first; row < last; ) {
      if (part === undefined || part.to === row) part = next.next().value as Part;
      const end = Math.min(last, part.to);
      const count = Math.min(most, end - row);
      const block = stacked(inputs, row, count);
      const beside = carried.map(() => new Array<unknown>(count).fill(null));
      for (const cursor of cursors) await fillColumn(cursor, fitting, block, beside);
      if (hasTexts) {
        const rowBytes = Math.max(1, textBytes([...block.data, ...beside]) / count);
        // Those to come may be longer than those that were.
        most = Math.max(1, Math.min(blockRows(inputs), 8 * count, Math.floor(TEXTS_BYTES / rowBytes)));
      }
      yield blockOf(part.part, inputs, block, beside);
      row += count;
    }
  }
}

function textBytes(columns: readonly ArrayLike<unknown>[]): number {
  let bytes = 0;
  for (const values of columns) {
    if (!Array.isArray(values)) continue;
    for (const value of values) if (typeof value === 'string') bytes += value.length;
  }
  return bytes;
}

/** Rows of a row group that are read. */
type Run = {
  readonly group: RowGroup;
  readonly start: number;
  readonly first: number;
  readonly last: number;
};

async function cursorsOf(
  source: Source,
  metadata: FileMetaData,
  group: RowGroup,
  { columns }: ParquetColumns,
  skip: number,
): Promise<ColumnCursor[]> {
  const leaves = metadata.schema.filter(({ num_children: children }) => !children);
  const flat = columns.map(({ leaf, kind, name }): FlatColumn => {
    const chunk = group.columns[leaf];
    const element = leaves[leaf];
    if (chunk?.meta_data === undefined || element === undefined || chunk.file_path !== undefined)
      throw new Error(`its column ${name} is encrypted, or in another file`);
    return { element, chunk, meta: chunk.meta_data, kind };
  });
  const ranges = flat.map(({ meta }) => chunkRange(meta));
  for (const { start, end } of ranges)
    if (!(start >= 0 && start <= end && end <= source.bytes))
      throw new Error('a column lies beyond the end of the object');
  const start = Math.min(...ranges.map((range) => range.start));
  const end = Math.max(...ranges.map((range) => range.end));
  const inTurn = turns(AT_ONCE);
  const tracked: Source = {
    ...source,
    async range(one, other) {
      if (!(one >= 0 && one <= other && other <= source.bytes))
        throw new Error('what it refers to lies beyond the end of the object');
      return inTurn(() => rangeOf(source, one, other));
    },
  };
  const isWhole = end - start <= WHOLE_BYTES;
  const whole = isWhole ? inMemory(await tracked.range(start, end), start) : undefined;
  const window = Math.max(LEAST_AHEAD, Math.floor(AHEAD_BYTES / columns.length));
  const isSmall = ranges.map((range) => range.end - range.start <= window);
  const near = isWhole
    ? []
    : together(
        tracked,
        ranges.filter((_, i) => isSmall[i]),
        WHOLE_BYTES,
      );
  let next = 0;
  return flat.map((column, i) => {
    const range = ranges[i] as (typeof ranges)[number];
    const read =
      whole ?? (isSmall[i] ? near[next++] : undefined) ?? windowed(tracked, range.start, range.end, window);
    const index = isWhole || isSmall[i] ? undefined : tracked.range;
    const pages = pagesOf(read, column, Number(group.num_rows), skip, index);
    return { column: columns[i] as ReadColumn, pages, page: undefined, taken: 0 };
  });
}
