import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';

/** A file of one column, page by page: what writers do not make, or not in this size. */

const ENCODINGS = {
  PLAIN: 0,
  RLE: 3,
  DELTA_LENGTH_BYTE_ARRAY: 6,
  DELTA_BYTE_ARRAY: 7,
  RLE_DICTIONARY: 8,
};
const TYPES = { v1: 0, dictionary: 2, v2: 3 };

export type MadePage = {
  readonly kind: keyof typeof TYPES;
  readonly body: Uint8Array;
  /** Bytes of the body once it is unpacked, where it is packed. */
  readonly unpacked?: number;
  readonly count: number;
  readonly encoding: keyof typeof ENCODINGS;
  /** The least and the greatest value, as it says. */
  readonly bound?: Uint8Array;
};

/** @param index where it says that its list of pages is */
export function fileOfPages(
  element: SchemaElement,
  pages: readonly MadePage[],
  rows: number,
  index?: bigint,
  codec: 'UNCOMPRESSED' | 'GZIP' | 'BROTLI' | 'ZSTD' = 'UNCOMPRESSED',
): Uint8Array {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: [{ name: 'root', num_children: 1 }, element] });
  const start = writer.offset;
  const places = pages.map((page) => {
    const place = writer.offset;
    writePage(writer, page);
    return BigInt(place);
  });
  const size = BigInt(writer.offset - start);
  const dictionary = places[pages.findIndex(({ kind }) => kind === 'dictionary')];
  parquet.num_rows = BigInt(rows);
  parquet.row_groups.push({
    columns: [
      {
        file_offset: BigInt(start),
        ...(index !== undefined && { offset_index_offset: index, offset_index_length: 100 }),
        meta_data: {
          type: element.type ?? 'DOUBLE',
          encodings: ['PLAIN'],
          path_in_schema: [element.name],
          codec,
          num_values: BigInt(rows),
          total_uncompressed_size: size,
          total_compressed_size: size,
          data_page_offset: places[pages.findIndex(({ kind }) => kind !== 'dictionary')] ?? 0n,
          ...(dictionary !== undefined && { dictionary_page_offset: dictionary }),
        },
      },
    ],
    total_byte_size: size,
    num_rows: BigInt(rows),
    total_compressed_size: size,
  });
  parquet.finish();
  return new Uint8Array(writer.getBytes());
}

/** https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift */
function writePage(
  writer: ByteWriter,
  { kind, body, unpacked = body.length, count, encoding, bound }: MadePage,
): void {
  const statistics = bound && { field_5: { field_5: bound, field_6: bound } };
  const heads = {
    v1: { field_5: { field_1: count, field_2: ENCODINGS[encoding], field_3: 3, field_4: 3, ...statistics } },
    dictionary: { field_7: { field_1: count, field_2: 0 } },
    v2: {
      field_8: {
        ...{ field_1: count, field_2: 0, field_3: count, field_4: ENCODINGS[encoding] },
        ...{ field_5: 0, field_6: 0 },
      },
    },
  };
  const head = { field_1: TYPES[kind], field_2: unpacked, field_3: body.length };
  // Heads of four lengths: numbers of the page lie at multiples of their size, or not.
  serializeTCompactProtocol(writer, { ...head, field_4: 0x7ffffff0, ...heads[kind] });
  writer.appendBytes(body);
}
