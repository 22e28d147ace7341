import {
  type AsyncBuffer,
  type ColumnChunk,
  type ColumnMetaData,
  type DecodedArray,
  type FileMetaData,
  type PageHeader,
  parquetMetadata,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage, readDataPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readOffsetIndex } from 'hyparquet/src/indexes.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { ByteWriter, ParquetWriter, type SchemaElement as WrittenElement } from 'hyparquet-writer';
import { writeColumn } from 'hyparquet-writer/src/column.js';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { NumericData } from '../../tensor/datatypes.ts';
import { COMPRESSORS } from '../cells/compressors.ts';
import { bitsIn, byteArraysIn, checkWidth, fixedArraysIn, joinedArraysIn } from './plain.ts';
import { checkStruct } from './thrift.ts';

/**
 * hyparquet and its writer, and what is taken of their private files: nobody else imports them. Their
 * versions are pinned, and a new one is tried here.
 */

export type {
  ColumnChunk,
  ColumnMetaData,
  FileMetaData,
  PageHeader,
  RowGroup,
  SchemaElement,
  WrittenElement,
};

type Encoding = NonNullable<PageHeader['data_page_header']>['encoding'];

const readerOf = (bytes: Uint8Array): { view: DataView; offset: number } => ({
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
  offset: 0,
});

/** Bytes of a file's end that are read at first: most files say no more of themselves. */
const END_BYTES = 2 ** 19;
/** A file ends with the bytes of its head, which are before that, and `PAR1`. */
const MARK_BYTES = 8;
const MARK = 0x31524150;

/** What the end of a file says of its columns and row groups. */
export async function readMetadata({ byteLength, slice }: AsyncBuffer): Promise<FileMetaData> {
  const from = Math.max(0, byteLength - END_BYTES);
  let end = new Uint8Array(await slice(from, byteLength));
  const view = new DataView(end.buffer);
  const isMarked = end.length >= MARK_BYTES && view.getUint32(end.length - 4, true) === MARK;
  const length = isMarked ? view.getUint32(end.length - MARK_BYTES, true) + MARK_BYTES : 0;
  if (length > end.length && length <= byteLength) {
    const before = new Uint8Array(await slice(byteLength - length, from));
    const whole = new Uint8Array(length);
    whole.set(before);
    whole.set(end, before.length);
    end = whole;
  }
  if (isMarked && length <= end.length)
    checkStruct(end.subarray(end.length - length, end.length - MARK_BYTES));
  // What else may be wrong, the library tells.
  return parquetMetadata(end, { geoparquet: false });
}

/** The columns below the root; one that is nested has children. */
export const columnTrees = (metadata: FileMetaData) => parquetSchema(metadata).children;

/** @throws Error where the bytes end before the head does */
export function pageHead(bytes: Uint8Array): { readonly header: PageHeader; readonly length: number } {
  checkStruct(bytes);
  const reader = readerOf(bytes);
  const header = parquetHeader(reader);
  return { header, length: reader.offset };
}

export function pageLocations(bytes: Uint8Array) {
  checkStruct(bytes);
  return readOffsetIndex(readerOf(bytes)).page_locations;
}

export const unpackPage = (bytes: Uint8Array, size: number, { codec }: ColumnMetaData): Uint8Array =>
  size === 0 ? new Uint8Array(0) : decompressPage(bytes, size, codec, COMPRESSORS);

/** Values as the library has them, or one by one where they are bytes. */
export type PlainValues = DecodedArray | Iterable<Uint8Array>;

/** Bytes of a number. Where a page has fewer than that, the library reads what is in memory behind it. */
const WIDTHS: Partial<Record<ColumnMetaData['type'], number>> = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

/** Values of a dictionary, or of a page that has them one after the other. */
export function plainValues(
  bytes: Uint8Array,
  count: number,
  { type }: ColumnMetaData,
  { type_length: length = 0 }: SchemaElement,
): PlainValues {
  if (type === 'BYTE_ARRAY') return byteArraysIn(bytes, count);
  if (type === 'BOOLEAN') return bitsIn(bytes, count);
  if (type !== 'FIXED_LEN_BYTE_ARRAY') {
    checkWidth(bytes, count, WIDTHS[type] ?? 0);
    return readPlain(readerOf(bytes), type, count, length);
  }
  if (!(length > 0)) throw new Error('a column does not say how long its values are');
  return fixedArraysIn(bytes, count, length);
}

/** A path of the root alone has no levels. */
const LEVELS = { definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as const;
const UNLEVELLED = { pathInSchema: [], schemaPath: [], parsers: {} as never };

/**
 * Values of a page without its levels, as many as rows have one.
 * @throws Error where texts have more bytes than `most`
 */
export function pageValues(
  bytes: Uint8Array,
  count: number,
  encoding: Encoding,
  meta: ColumnMetaData,
  element: SchemaElement,
  most: number,
): PlainValues {
  if (encoding === 'PLAIN') return plainValues(bytes, count, meta, element);
  if (encoding === 'DELTA_LENGTH_BYTE_ARRAY' || encoding === 'DELTA_BYTE_ARRAY')
    return deltaValues(bytes, count, encoding === 'DELTA_BYTE_ARRAY', most);
  const { type, codec } = meta;
  return readDataPage(
    bytes,
    { num_values: count, encoding, ...LEVELS },
    { ...UNLEVELLED, type, element, codec },
  ).dataPage as DecodedArray;
}

/** @param isShared each may begin with all of the one before, which takes none of the page's bytes */
function deltaValues(
  bytes: Uint8Array,
  count: number,
  isShared: boolean,
  most: number,
): Iterable<Uint8Array> {
  const reader = readerOf(bytes);
  let sum = 0;
  const lengths = (): Int32Array => {
    const found = new Int32Array(count);
    deltaBinaryUnpack(reader, count, found);
    for (const length of found) sum += Math.abs(length);
    return found;
  };
  const shared = isShared ? lengths() : undefined;
  const own = lengths();
  if (sum > most) throw new Error(`a page has texts of more than ${most / 1024 ** 2} MB`);
  return joinedArraysIn(bytes.subarray(reader.offset), shared, own);
}

/** Rows of a row group: what readers take at once. */
const GROUP_ROWS = 2 ** 20;
/** Bytes of a page. */
const PAGE_BYTES = 2 ** 20;

type WrittenChunk = ParquetWriter['row_groups'][number]['columns'][number];

/** All rows of a column: numbers as they are stored, or whatever else with null where there is none. */
export type WrittenColumn = { readonly element: WrittenElement } & (
  | { readonly numbers: NumericData }
  | { readonly values: readonly unknown[] }
);

/** @param bytes that it will have, about */
export function fileOf(columns: readonly WrittenColumn[], rows: number, bytes: number): Uint8Array {
  const writer = new ByteWriter(bytes + 2 ** 16);
  const schema: WrittenElement[] = [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ element }) => element),
  ];
  const parquet = new ParquetWriter({ writer, schema, createdBy: 'serverless-models' });
  for (let from = 0; from < rows; from += GROUP_ROWS) {
    const to = Math.min(rows, from + GROUP_ROWS);
    const start = writer.offset;
    const chunks = columns.map((column) =>
      'numbers' in column
        ? numbersChunk(writer, column.element, column.numbers.subarray(from, to))
        : valuesChunk(writer, column.element, column.values.slice(from, to), parquet),
    );
    parquet.num_rows += BigInt(to - from);
    parquet.row_groups.push({
      columns: chunks,
      total_byte_size: chunks.reduce(
        (sum, { meta_data: meta }) => sum + (meta?.total_uncompressed_size ?? 0n),
        0n,
      ),
      num_rows: BigInt(to - from),
      total_compressed_size: BigInt(writer.offset - start),
    });
  }
  parquet.finish();
  return writer.getBytes();
}

/**
 * Pages whose values are the array's own bytes. The library's way takes each value by itself, 40 ns for a
 * float and 100 ns for a 64-bit integer, where a small model takes 2 µs a row.
 */
function numbersChunk(writer: ByteWriter, { name, type }: WrittenElement, values: NumericData): WrittenChunk {
  const start = writer.offset;
  const step = Math.max(1, Math.floor(PAGE_BYTES / values.BYTES_PER_ELEMENT));
  for (let from = 0; from < values.length; from += step) {
    const { buffer, byteOffset, byteLength, length } = values.subarray(from, from + step);
    writePageHeader(writer, {
      type: 'DATA_PAGE',
      uncompressed_page_size: byteLength,
      compressed_page_size: byteLength,
      data_page_header: {
        num_values: length,
        encoding: 'PLAIN',
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    });
    writer.appendBytes(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const size = BigInt(writer.offset - start);
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: type ?? 'DOUBLE',
      encodings: ['PLAIN'],
      path_in_schema: [name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(values.length),
      total_uncompressed_size: size,
      total_compressed_size: size,
      data_page_offset: BigInt(start),
    },
  };
}

/** Texts, booleans, and what may have no value. */
function valuesChunk(
  writer: ByteWriter,
  element: WrittenElement,
  values: readonly unknown[],
  { schema, compressors: { SNAPPY } }: ParquetWriter,
): WrittenChunk {
  const isOptional = element.repetition_type === 'OPTIONAL';
  // A dictionary would take 0 and -0 for one.
  const isPlain = values.some((value) => Object.is(value, -0));
  const levels = isOptional ? values.map((value) => (value === null ? 0 : 1)) : [];
  const { chunk } = writeColumn({
    writer,
    column: {
      columnName: element.name,
      element,
      schemaPath: [schema[0] ?? { name: 'root' }, element],
      codec: 'SNAPPY',
      ...(isPlain && { encoding: 'PLAIN' }),
      compressors: { SNAPPY },
      stats: false,
      pageSize: PAGE_BYTES,
      columnIndex: false,
      offsetIndex: false,
    },
    pageData: {
      values: [...values],
      definitionLevels: levels,
      repetitionLevels: [],
      maxDefinitionLevel: isOptional ? 1 : 0,
    },
  });
  return chunk;
}
