import { ByteWriter } from 'hyparquet-writer';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import { describe, expect, it } from 'vitest';
import { pageHead, pageLocations, readMetadata } from '../../../../../core/tabular/parquet/library.ts';

const MAGIC = new TextEncoder().encode('PAR1');
/** A file of a head alone. */
const fileOf = (head: Iterable<number>): Uint8Array => {
  const bytes = Uint8Array.from(head);
  const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
  return Uint8Array.from([...MAGIC, ...bytes, ...length, ...MAGIC]);
};
const metadataOf = (file: Uint8Array) =>
  readMetadata({
    byteLength: file.length,
    slice: (start, end = file.length) => file.slice(start, end).buffer,
  });
const thrift = (head: Parameters<typeof serializeTCompactProtocol>[1]): Uint8Array => {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, head);
  return new Uint8Array(writer.getBytes());
};

const MILLIONS = [0x80, 0x80, 0x80, 0x08];
const LONG = new Array<number>(20_000).fill(0xff);

describe('a head that a file says of itself', () => {
  it.each([
    ['lists in lists, of millions of lists each', [0x19, 0xf9, ...MILLIONS, 0xf9, ...MILLIONS, 0]],
    ['millions of truths', [0x19, 0xf1, ...MILLIONS, 1, 1, 0]],
    ['a number without end', [0x16, ...LONG, 1, 0]],
    ['the number of a field without end', [0x05, ...LONG, 1, 2, 0]],
    ['a text longer than all', [0x18, ...MILLIONS, 97, 0]],
    ['a text of less than nothing', [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 97, 0]],
    ['structs in structs', [...new Array<number>(100).fill(0x1c), ...new Array<number>(101).fill(0)]],
    ['what is no type', [0x1d, 0, 0]],
    ['no end', [0x15, 2]],
  ])('is refused with %s, before there is room for it', async (_, head) => {
    const broken = 'a head is broken, or is cut off';
    await expect(metadataOf(fileOf(head))).rejects.toThrow(broken);
    expect(() => pageHead(Uint8Array.from(head))).toThrow(broken);
    expect(() => pageLocations(Uint8Array.from(head))).toThrow(broken);
  });

  it('is read as it is, however long it is; its statistics, of which the library makes numbers, are zeros', async () => {
    const name = new TextEncoder().encode('x');
    const bound = new Uint8Array(1000).fill(1);
    const decimal = {
      field_1: 7,
      field_2: 1000,
      field_3: 0,
      field_4: name,
      field_6: 5,
      field_7: 0,
      field_8: 9,
    };
    const column = {
      ...{ field_1: 7, field_2: [0], field_3: [name], field_4: 0, field_5: 1n, field_6: 10n, field_7: 10n },
      ...{ field_9: 4n, field_12: { field_3: 5n, field_5: bound, field_6: bound } },
    };
    for (const comment of ['', 'a'.repeat(2 ** 20)]) {
      const head = thrift({
        field_1: 2,
        field_2: [{ field_4: new TextEncoder().encode('root'), field_5: 1 }, decimal],
        field_3: 7n,
        field_4: [{ field_1: [{ field_2: 0n, field_3: column }], field_2: 1n, field_3: 7n }],
        field_6: new TextEncoder().encode(comment),
      });
      const { created_by: by, num_rows: rows, row_groups: groups, schema } = await metadataOf(fileOf(head));
      expect([by, rows, schema.map((one) => one.name)]).toEqual([comment, 7n, ['root', 'x']]);
      const { total_compressed_size: size, statistics } = groups[0]?.columns[0]?.meta_data ?? {};
      expect(size).toBe(10n);
      expect(statistics).toMatchObject({ null_count: 5n, max_value: 0, min_value: 0 });
    }
  });

  it('without its mark, or longer than the file, is told by the library', async () => {
    await expect(metadataOf(new TextEncoder().encode('x\n1\n2\n3\n4\n'))).rejects.toThrow('footer != PAR1');
    const file = fileOf([0]);
    new DataView(file.buffer).setUint32(5, 1000, true);
    await expect(metadataOf(file)).rejects.toThrow('metadata length 1000 exceeds');
  });
});
