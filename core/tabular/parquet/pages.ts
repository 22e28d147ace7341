import type { NumericData } from '../../tensor/datatypes.ts';
import type { Source } from '../cells/format.ts';
import type { ByteReader } from './bytes.ts';
import type { Kind } from './kinds.ts';
import { booleansIn, type EntryPlaces, indexesIn, nullsIn } from './levels.ts';
import {
  type ColumnChunk,
  type ColumnMetaData,
  type PageHeader,
  pageHead,
  pageLocations,
  pageValues,
  plainValues,
  type SchemaElement,
  unpackPage,
} from './library.ts';

/**
 * Pages of a flat column. hyparquet's own reader makes an array of JavaScript values of every column that may
 * have nulls, which pandas says of all: 120 ns an element, where a small model takes 120 ns a column. So
 * levels and indexes are read here, and hyparquet has the rest: heads, encodings, Snappy.
 */

export type PageValues = NumericData | readonly string[];

/** Values of consecutive rows. */
export type Page = {
  readonly count: number;
  /** One for each row, or, with `places`, one for each entry of the dictionary; where there is none, any. */
  readonly values: PageValues;
  /** The place in the dictionary, by row. */
  readonly places?: EntryPlaces | undefined;
  /** 1 for each row without a value; absent where all have one. */
  readonly nulls?: Uint8Array | undefined;
};

/** A flat column of a row group. */
export type FlatColumn = {
  readonly element: SchemaElement;
  readonly chunk: ColumnChunk;
  readonly meta: ColumnMetaData;
  readonly kind: Kind;
};

/** A page's head, at first; statistics of long texts make it longer, and it is to be no longer than that. */
const HEAD_BYTES = 1024;
const MOST_HEAD_BYTES = 4 * 1024 ** 2;
/** Bytes of a page in memory at most: writers make pages of 1 MB, or one of a whole column. */
const PAGE_BYTES = 256 * 1024 ** 2;
/** Values that a page may have, and those of which each takes memory of its own, for example texts. */
export const PAGE_VALUES = 2 ** 26;
const PAGE_TEXTS = 2 ** 23;

/** @returns bytes of the object that the column's pages are in */
export function chunkRange({
  dictionary_page_offset: dictionary,
  data_page_offset: data,
  total_compressed_size: size,
}: ColumnMetaData): { readonly start: number; readonly end: number } {
  const start = Number(dictionary || data);
  return { start, end: start + Number(size) };
}

/**
 * Pages from the one that row `skip` of the row group is in; the first one's rows before it are left out.
 *
 * @param rows of the row group
 * @param index reads what says in which page a row is; absent where all pages are in memory
 * @throws Error for what is broken, without values
 */
export async function* pagesOf(
  { read, free }: ByteReader,
  column: FlatColumn,
  rows: number,
  skip: number,
  index?: Source['range'],
): AsyncGenerator<Page> {
  const { start, end } = chunkRange(column.meta);
  const isOptional = column.element.repetition_type !== 'REQUIRED';
  let dictionary: PageValues | undefined;
  let at = start;
  let row = 0;
  let isLooked = skip === 0 || index === undefined;
  while (row < rows) {
    if (at >= end) throw new Error('a column ends before its row group');
    const { header, length } = await headAt(read, at, end);
    const from = at + length;
    const size = header.compressed_page_size;
    if (!(size >= 0 && from + size <= end) || header.uncompressed_page_size > PAGE_BYTES)
      throw new Error(
        `a page of ${header.uncompressed_page_size} bytes is larger than its column, or than ${PAGE_BYTES / 1024 ** 2} MB`,
      );
    at = from + size;
    if (header.type === 'INDEX_PAGE') continue;
    if (header.type === 'DICTIONARY_PAGE') {
      const count = header.dictionary_page_header?.num_values ?? 0;
      checkCount(count, isOfTexts(column) ? PAGE_TEXTS : PAGE_VALUES);
      const packed = (await read(from, size)).subarray(0, size);
      const bytes = unpackPage(packed, header.uncompressed_page_size, column.meta);
      dictionary = column.kind.from(plainValues(bytes, count, column.meta, column.element));
      if (isPacked(header, column)) free(at);
      continue;
    }
    if (!isLooked && index !== undefined) {
      isLooked = true;
      // A dictionary comes before all data, so it has been read.
      const page = await pageWith(index, column, skip);
      if (page !== undefined && page.row > row && page.at >= at) {
        at = page.at;
        row = page.row;
        continue;
      }
    }
    const count = (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
    checkCount(count, Math.min(rows - row, PAGE_VALUES));
    if (row + count > skip) {
      const body = (await read(from, size)).subarray(0, size);
      const page = dataOf(body, header, count, isOptional, column, dictionary);
      // A page of each column is in memory: it need not be there packed, too.
      if (isPacked(header, column)) free(at);
      yield row < skip ? without(page, skip - row) : page;
    }
    row += count;
  }
}

/** Numbers of a page that is not packed are where it was read to. */
const isPacked = ({ data_page_header_v2: two }: PageHeader, { meta }: FlatColumn): boolean =>
  meta.codec !== 'UNCOMPRESSED' && two?.is_compressed !== false;

function checkCount(count: number, most: number): void {
  // A head may say true, or false, which compare as numbers do.
  if (!(Number.isInteger(count) && count >= 0 && count <= most))
    throw new Error(`a page of ${count} values has more than there may be`);
}

/** Numbers are in arrays of their own, as they are or once they are read. */
const isOfTexts = ({ kind, meta: { type } }: FlatColumn): boolean =>
  kind.datatype === 'BYTES' || type.endsWith('BYTE_ARRAY') || type === 'INT96';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

async function headAt(
  read: ByteReader['read'],
  at: number,
  end: number,
): Promise<{ readonly header: PageHeader; readonly length: number }> {
  for (let size = HEAD_BYTES; ; size *= 8) {
    const bytes = await read(at, size);
    try {
      return pageHead(bytes);
    } catch (error) {
      // What is cut off is told by errors of any kind.
      if (bytes.length < size || at + size >= end || size >= MOST_HEAD_BYTES) throw error;
    }
  }
}

/** Where the page begins that a row of the group is in, if the file says so. */
async function pageWith(
  index: Source['range'],
  { chunk }: FlatColumn,
  row: number,
): Promise<{ readonly at: number; readonly row: number } | undefined> {
  const length = chunk.offset_index_length ?? 0;
  if (chunk.offset_index_offset === undefined || length === 0 || length > PAGE_BYTES) return undefined;
  const at = Number(chunk.offset_index_offset);
  const pages = pageLocations(await index(at, at + length));
  const page = pages.findLast(({ first_row_index: first }) => Number(first) <= row);
  return page && { at: Number(page.offset), row: Number(page.first_row_index) };
}

function dataOf(
  body: Uint8Array,
  header: PageHeader,
  count: number,
  isOptional: boolean,
  column: FlatColumn,
  dictionary: PageValues | undefined,
): Page {
  const { data_page_header: one, data_page_header_v2: two, uncompressed_page_size: size } = header;
  if (one !== undefined) {
    const bytes = unpackPage(body, size, column.meta);
    if (!isOptional) return page(bytes, count, undefined, one.encoding, column, dictionary);
    if (one.definition_level_encoding !== 'RLE')
      throw new Error('a page has levels in a deprecated encoding');
    const length = viewOf(bytes).getUint32(0, true);
    const nulls = nullsIn(bytes.subarray(4, 4 + length), count);
    return page(bytes.subarray(4 + length), count, nulls, one.encoding, column, dictionary);
  }
  if (two === undefined) throw new Error(`a page is of the type ${header.type}`);
  // Levels are not packed here.
  const { repetition_levels_byte_length: before, definition_levels_byte_length: length } = two;
  const nulls = isOptional ? nullsIn(body.subarray(before, before + length), count) : undefined;
  const rest = body.subarray(before + length);
  const bytes = two.is_compressed === false ? rest : unpackPage(rest, size - before - length, column.meta);
  return page(bytes, count, nulls, two.encoding, column, dictionary);
}

/** @param bytes of the values alone, as many as rows have one */
function page(
  bytes: Uint8Array,
  count: number,
  nulls: Uint8Array | undefined,
  encoding: NonNullable<PageHeader['data_page_header']>['encoding'],
  column: FlatColumn,
  dictionary: PageValues | undefined,
): Page {
  const { element, meta, kind } = column;
  const present = nulls === undefined ? count : count - nulls.reduce((sum, one) => sum + one, 0);
  const placed = <V extends PageValues>(all: V): V => (nulls === undefined ? all : spread(all, nulls));
  const isPlaced = encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY';
  if (isOfTexts(column) && !(isPlaced && present > 0)) checkCount(count, PAGE_TEXTS);
  if (present === 0) return { count, values: placed(kind.from([])), nulls };
  if (isPlaced) {
    if (dictionary === undefined) throw new Error('a page refers to a dictionary that is not there');
    const places = indexesIn(bytes, present, dictionary.length);
    return { count, values: dictionary, places: nulls === undefined ? places : spread(places, nulls), nulls };
  }
  if (encoding === 'RLE' && meta.type !== 'BOOLEAN')
    throw new Error('a page has an encoding that is of booleans alone');
  const raw =
    encoding === 'RLE'
      ? booleansIn(bytes, present)
      : pageValues(bytes, present, encoding, meta, element, PAGE_BYTES);
  const values = kind.from(raw);
  if (values.length !== present) throw new Error('a page has fewer values than it says');
  return { count, values: placed(values), nulls };
}

export const isTexts = (values: PageValues): values is readonly string[] => Array.isArray(values);

/** Values at the places of their rows. */
function spread<V extends PageValues>(values: V, nulls: Uint8Array): V {
  let next = 0;
  if (isTexts(values))
    return Array.from(nulls, (isNull) =>
      isNull ? '' : (values[next++] as string),
    ) as readonly string[] as V;
  const out = new (values.constructor as new (size: number) => Float64Array<ArrayBuffer>)(nulls.length);
  const from = values as Float64Array;
  for (let row = 0; row < nulls.length; row++) if (nulls[row] === 0) out[row] = from[next++] as number;
  return out as NumericData as V;
}

function without({ count, values, places, nulls }: Page, rows: number): Page {
  const rest = isTexts(values) ? values.slice(rows) : values.subarray(rows);
  return {
    count: count - rows,
    values: places === undefined ? rest : values,
    places: places?.subarray(rows),
    nulls: nulls?.subarray(rows),
  };
}
