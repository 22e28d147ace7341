import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { ByteWriter, type SchemaElement } from 'hyparquet-writer';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import { describe, expect, it } from 'vitest';
import { openParquet } from '../../../../../core/tabular/parquet/read.ts';
import { collected, input, refusal, signature, source } from '../arrays-setup.ts';
import { fileOfPages, type MadePage } from './pages-setup.ts';

type Datatype = 'FP64' | 'BYTES';
const reading = async (bytes: Uint8Array, datatype: Datatype) =>
  collected(
    (await openParquet(source(bytes), signature(input('x', datatype, 1)), { ids: [], join: false })).all(
      2 ** 24,
    ),
  );
const element = (type: SchemaElement['type'], more: Partial<SchemaElement> = {}): SchemaElement => ({
  name: 'x',
  ...(type && { type }),
  repetition_type: 'REQUIRED',
  ...more,
});
const text = element('BYTE_ARRAY', { converted_type: 'UTF8' });
const page = (body: Uint8Array, count: number, encoding: MadePage['encoding'] = 'PLAIN'): MadePage => ({
  ...{ kind: 'v1', body, count, encoding },
});

const bytesOf = (numbers: Float64Array | Int32Array): Uint8Array => new Uint8Array(numbers.buffer);
/** The lengths of texts, then their bytes. */
const texts = (lengths: readonly number[], rest = ''): Uint8Array => {
  const all = lengths.map((length) => bytesOf(Int32Array.of(length)));
  return Uint8Array.from([...all.flatMap((one) => [...one]), ...new TextEncoder().encode(rest)]);
};
const deltas = (...parts: (readonly number[])[]): Uint8Array => {
  const writer = new ByteWriter();
  for (const part of parts) deltaBinaryPack(writer, [...part], 'INT32');
  return new Uint8Array(writer.getBytes());
};

describe('values of a page', () => {
  it.each([
    ['as they are', 'UNCOMPRESSED', (body: Uint8Array) => body],
    ['packed with gzip', 'GZIP', gzipSync],
    ['packed with Brotli', 'BROTLI', brotliCompressSync],
    ['packed with Zstandard', 'ZSTD', zstdCompressSync],
  ] as const)('%s, are never what is in memory behind it', async (_, codec, packed) => {
    const found = async (shape: SchemaElement, body: Uint8Array, count: number, datatype: Datatype) => {
      const made = { ...page(Uint8Array.from(packed(body)), count), unpacked: body.length };
      return refusal(reading(fileOfPages(shape, [made], count, undefined, codec), datatype));
    };
    const fewer = /^UNREADABLE: .*fewer bytes than its values/;
    // Unpacked into 16 kB, of which these are the first bytes.
    expect(await found(element('DOUBLE'), bytesOf(Float64Array.of(1, 2)), 1000, 'FP64')).toMatch(fewer);
    expect(await found(element('INT32'), bytesOf(Int32Array.of(1, 2)), 1000, 'FP64')).toMatch(fewer);
    expect(await found(text, texts([8000], 'abc'), 1, 'BYTES')).toMatch(fewer);
    expect(await found(text, texts([0, 0]), 3, 'BYTES')).toMatch(fewer);
    expect(await found(element('BOOLEAN'), Uint8Array.of(255), 9, 'FP64')).toMatch(fewer);
    const uuid = element('FIXED_LEN_BYTE_ARRAY', { type_length: 16, logical_type: { type: 'UUID' } });
    expect(await found(uuid, new Uint8Array(20), 2, 'BYTES')).toMatch(fewer);
  });

  it('that lie behind their lengths end where the page does, too', async () => {
    const found = (body: Uint8Array, count: number, encoding: MadePage['encoding']) =>
      reading(fileOfPages(text, [page(body, count, encoding)], count), 'BYTES');
    const fewer = /^UNREADABLE: .*fewer bytes than its values/;
    const own = Uint8Array.from([...deltas([2, 1]), ...new TextEncoder().encode('abc')]);
    const [block] = await found(own, 2, 'DELTA_LENGTH_BYTE_ARRAY');
    expect(block?.tensors.x?.data).toEqual(['ab', 'c']);
    expect(await refusal(found(own.slice(0, -1), 2, 'DELTA_LENGTH_BYTE_ARRAY'))).toMatch(fewer);
    const shared = Uint8Array.from([...deltas([0, 1], [2, 1]), ...new TextEncoder().encode('abc')]);
    const [other] = await found(shared, 2, 'DELTA_BYTE_ARRAY');
    expect(other?.tensors.x?.data).toEqual(['ab', 'ac']);
    expect(await refusal(found(shared.slice(0, -1), 2, 'DELTA_BYTE_ARRAY'))).toMatch(fewer);
    // More of the one before than that has.
    const more = Uint8Array.from([...deltas([0, 3], [2, 1]), ...new TextEncoder().encode('abc')]);
    expect(await refusal(found(more, 2, 'DELTA_BYTE_ARRAY'))).toMatch(fewer);
  });

  it('that take no bytes are not more than memory has room for', async () => {
    const rows = 2 ** 23 + 1;
    // A hundred bytes, and as many texts as it likes: the lengths of a block without differences.
    const block = Uint8Array.from([...[128, 1], 1, ...[129, 128, 128, 4], 0]);
    for (const encoding of ['DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', 'PLAIN'] as const) {
      const bytes = fileOfPages(text, [page(block, rows, encoding)], rows);
      expect(bytes.length).toBeLessThan(500);
      expect(await refusal(reading(bytes, 'BYTES'))).toMatch(/^UNREADABLE: .*more than there may be/);
    }
    const nothing = Uint8Array.from([...bytesOf(Int32Array.of(5)), 130, 128, 128, 8, 0]);
    const optional = { ...text, repetition_type: 'OPTIONAL' as const };
    expect(await refusal(reading(fileOfPages(optional, [page(nothing, rows)], rows), 'BYTES'))).toMatch(
      /^UNREADABLE: .*more than there may be/,
    );
  });
});

describe('decimals', () => {
  const decimal = (type: SchemaElement['type'], scale: number) =>
    element(type, { converted_type: 'DECIMAL', scale, precision: 9 });

  it('of any bytes that numbers go to are read', async () => {
    const value = Uint8Array.from([0, 1, ...new Array<number>(126).fill(0)]);
    const body = Uint8Array.from([...texts([value.length]), ...value]);
    const [block] = await reading(fileOfPages(decimal('BYTE_ARRAY', 0), [page(body, 1)], 1), 'FP64');
    expect(block?.tensors.x?.data).toEqual(Float64Array.of(2 ** (126 * 8)));
  });

  it('of more are refused: the work grows with the square of their bytes', async () => {
    const body = Uint8Array.from([...texts([20_000]), ...new Array<number>(20_000).fill(77)]);
    const file = fileOfPages(decimal('BYTE_ARRAY', 2), [page(body, 1)], 1);
    expect(await refusal(reading(file, 'FP64'))).toMatch(/^UNREADABLE: .*a decimal has 20000 bytes/);
  });

  it.each([-2, 309, 1_000_000])('of the scale %i are refused', async (scale) => {
    const body = bytesOf(Int32Array.of(123));
    const file = fileOfPages(decimal('INT32', scale), [page(body, 1)], 1);
    expect(await refusal(reading(file, 'FP64'))).toContain(`decimals of the scale ${scale},`);
  });
});
