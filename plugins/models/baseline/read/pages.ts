import type { AsyncBuffer, Compressors, RowGroup, SchemaTree } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { Run } from './reading.ts';

type Decoder = Parameters<typeof convert>[1];
type Header = NonNullable<ReturnType<typeof parquetHeader>['data_page_header']>;
/** What hyparquet makes of a column's values. */
type Values = ReturnType<typeof convert>;

/**
 * A column of a row group, a page at a time: nothing where there is no value. hyparquet's own readers gather a whole row
 * group first, in arrays that grow value by value: of a million rows that is more memory than everything else takes.
 *
 * @param schemaPath from the schema's root to the column, which is not nested
 * @throws Error for what cannot be read, mostly in hyparquet's words
 */
export async function* pagesOf(
  file: AsyncBuffer,
  { columns, num_rows }: RowGroup,
  schemaPath: SchemaTree[],
  compressors: Compressors,
): AsyncGenerator<Run> {
  const { element, path } = schemaPath[schemaPath.length - 1] as SchemaTree;
  const chunk = columns.find(({ meta_data: about }) => about?.path_in_schema.join() === path.join());
  const about = chunk?.meta_data;
  if (about === undefined || chunk?.file_path) throw new Error(`a row group is without ${element.name}`);
  const { type, codec } = about;
  const decoder: Decoder = {
    pathInSchema: path,
    element,
    schemaPath,
    type,
    codec,
    compressors,
    parsers: DEFAULT_PARSERS,
  };
  const start = Number(about.dictionary_page_offset || about.data_page_offset);
  const view = new DataView(await file.slice(start, start + Number(about.total_compressed_size)));
  const reader = { view, offset: 0 };
  let dictionary: Values | undefined;
  for (let rows = 0; rows < num_rows; ) {
    const header = parquetHeader(reader);
    const { data_page_header: first, data_page_header_v2: second, compressed_page_size: packed } = header;
    // Before memory is taken for them, and as nothing has a place for them.
    if ((first ?? second ?? { num_values: 0 }).num_values > Number(num_rows) - rows)
      throw new Error(`a page of ${element.name} has more rows than are left`);
    if (header.type === 'DATA_PAGE' && first !== undefined && isCommon(first)) {
      const bytes = new Uint8Array(view.buffer, reader.offset, packed);
      reader.offset += packed;
      const page = decompressPage(bytes, header.uncompressed_page_size, codec, compressors);
      const run = runOf(page, first, dictionary, decoder);
      rows += run.length;
      yield run;
      continue;
    }
    const { data } = readPage(reader, header, decoder, dictionary, undefined, 0);
    if (data === undefined) throw new Error(`a page of ${element.name} is empty`);
    if (header.type === 'DICTIONARY_PAGE') dictionary = convert(data, decoder);
    else {
      rows += data.length;
      yield { length: data.length, at: (row) => data[row] };
    }
  }
}

const isIndexed = ({ encoding }: Header): boolean => /^(PLAIN|RLE)_DICTIONARY$/.test(encoding);

/** Pages as nearly every file has them; all others are left to hyparquet, which takes more memory for them. */
const isCommon = (header: Header): boolean => header.encoding === 'PLAIN' || isIndexed(header);

/** https://parquet.apache.org/docs/file-format/data-pages/: which rows have a value, then these, plain or as places in a dictionary. */
function runOf(page: Uint8Array, header: Header, dictionary: Values | undefined, decoder: Decoder): Run {
  const { num_values: length } = header;
  const { type, element } = decoder;
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
  const levels = new Uint8Array(length).fill(1);
  if (element.repetition_type !== 'REQUIRED') readRleBitPackedHybrid(reader, 1, levels);
  let present = 0;
  for (const level of levels) present += level;
  if (!isIndexed(header)) {
    const values = convert(readPlain(reader, type, present, element.type_length), decoder);
    if (present === length) return { length, at: (row) => values[row] };
    const places = Int32Array.from({ length: present }, (_, i) => i);
    return lookup(spread(places, levels), values);
  }
  if (dictionary === undefined) throw new Error(`a page of ${element.name} is without its dictionary`);
  const width = reader.view.getUint8(reader.offset++);
  const places = new Int32Array(present);
  if (width > 0) readRleBitPackedHybrid(reader, width, places, page.byteLength - reader.offset);
  return lookup(present === length ? places : spread(places, levels), dictionary);
}

const lookup = (places: Int32Array, values: Values): Run => ({
  length: places.length,
  at: (row) => values[places[row] as number],
});

/** Places by row: −1, where nothing is, for one without a value. */
function spread(places: Int32Array, levels: Uint8Array): Int32Array {
  let next = 0;
  return Int32Array.from(levels, (level) => (level === 1 ? (places[next++] as number) : -1));
}
