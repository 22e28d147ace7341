import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet';
import { ByteWriter, type ColumnSource, parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { describe, expect, it } from 'vitest';
import { objectFault } from '../../../../../core/errors/object-errors.ts';
import type { Source } from '../../../../../core/tabular/cells/format.ts';
import { indexesIn, nullsIn } from '../../../../../core/tabular/parquet/levels.ts';
import { openParquet } from '../../../../../core/tabular/parquet/read.ts';
import type { TensorSpec } from '../../../../../core/tensor/contract.ts';
import { byParts, collected, input, refusal, rowsIn, signature, source } from '../arrays-setup.ts';
import { fileOfPages, type MadePage } from './pages-setup.ts';

type Extras = { readonly ids: readonly string[]; readonly join: boolean };
const PLAIN: Extras = { ids: [], join: false };
type Options = Partial<Parameters<typeof parquetWriteBuffer>[0]>;
const file = (columnData: ColumnSource[], options: Options = {}): Uint8Array =>
  new Uint8Array(parquetWriteBuffer({ columnData, ...options }));
const open = (bytes: Uint8Array, inputs: readonly TensorSpec[], extras = PLAIN) =>
  openParquet(source(bytes), signature(...inputs), extras);
async function all(bytes: Uint8Array, inputs: readonly TensorSpec[], extras = PLAIN): Promise<unknown[]> {
  return rowsIn(await collected((await open(bytes, inputs, extras)).all(2 ** 25)));
}
const bad = (row: number, column: string, reason: string, code = 'WRONG_VALUE') => ({
  row,
  code,
  reason: `Column ${column} ${reason}`,
});

const MODEL = [input('a', 'FP32', 1), input('n', 'INT64'), input('t', 'BYTES', 1)];

describe('rows of Parquet', () => {
  it('of long texts come some at a time, as their blocks are in memory', async () => {
    const rows = 3000;
    const texts = Array.from({ length: rows }, (_, i) => `${i} ${'long '.repeat(4000)}`);
    const bytes = file([{ name: 't', data: texts, type: 'STRING' }], { rowGroupSize: rows });
    const blocks = await collected((await open(bytes, [input('t', 'BYTES', 1)])).all(2 ** 25));
    expect(blocks.reduce((sum, { read }) => sum + read, 0)).toBe(rows);
    // 20 kB each: 8 MB are some 400.
    expect(Math.max(...blocks.map(({ read }) => read))).toBeLessThan(450);
    expect(blocks.flatMap(({ tensors }) => tensors.t?.data as string[])).toEqual(texts);
  });

  it('are the file’s, once each and in order, however it is written and cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 0, max: 3000 }),
          group: fc.integer({ min: 20, max: 4000 }),
          pageSize: fc.constantFrom(64, 400, 5000, 2 ** 20),
          codec: fc.constantFrom('SNAPPY' as const, 'UNCOMPRESSED' as const),
          distinct: fc.constantFrom(3, 1000, 100_000),
          nulls: fc.constantFrom(0, 7, 1000),
          offsetIndex: fc.boolean(),
          partBytes: fc.oneof(fc.integer({ min: 2000, max: 20_000 }), fc.constant(200_000)),
          hasIds: fc.boolean(),
        }),
        async ({ rows, group, pageSize, codec, distinct, nulls, offsetIndex, partBytes, hasIds }) => {
          const at = <T>(of: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => of(i));
          const isNull = (i: number): boolean => nulls > 0 && i % nulls === 3;
          const a = at((i) => (isNull(i) ? null : Math.fround(Math.sin(i % distinct))));
          const n = at((i) => BigInt(i % distinct) * 2n ** 40n - 7n);
          const t = at((i) => `é${i % distinct}`);
          const id = at((i) => (i % 5 === 0 ? null : i));
          const bytes = file(
            [
              { name: 't', data: t, type: 'STRING', offsetIndex },
              { name: 'id', data: id, type: 'INT32', offsetIndex },
              { name: 'a', data: a, type: 'FLOAT', offsetIndex },
              { name: 'n', data: n, type: 'INT64', nullable: false, offsetIndex },
            ].filter(({ name }) => hasIds || name !== 'id') as ColumnSource[],
            { rowGroupSize: group, pageSize, codec, statistics: rows % 2 === 0 },
          );
          const opened = await open(bytes, MODEL, { ids: hasIds ? ['id'] : [], join: false });
          const expected = at((i) =>
            a[i] === null
              ? bad(i + 1, 'a', 'has no value.')
              : { row: i + 1, a: [a[i]], n: [n[i]], t: [t[i]], ...(hasIds && { carried: [id[i]] }) },
          );
          expect(rowsIn(await collected(opened.all(partBytes)))).toEqual(expected);
          const { parts, blocks } = await byParts(opened, partBytes);
          expect(rowsIn(blocks)).toEqual(expected);
          expect(parts.map(({ part, row }) => [part, row])).toEqual(parts.map(({ from }, i) => [i, from]));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of large row groups are read by windows, those of another row by the file’s index', async () => {
    const rows = 3_000_000;
    const data = Float64Array.from({ length: rows }, (_, i) => Math.sin(i));
    const columns = (offsetIndex: boolean): ColumnSource[] => [
      { name: 'x', data, type: 'DOUBLE', nullable: false, encoding: 'PLAIN', offsetIndex },
      { name: 'other', data, type: 'DOUBLE', nullable: false, encoding: 'PLAIN', offsetIndex },
    ];
    for (const offsetIndex of [true, false]) {
      const bytes = file(columns(offsetIndex), {
        rowGroupSize: rows,
        codec: 'UNCOMPRESSED',
        statistics: false,
      });
      const read = source(bytes);
      const opened = await openParquet(read, signature(input('x', 'FP64')), { ids: [], join: true });
      if (opened.plan === undefined) throw new Error('no plan');
      const parts = await collected(opened.plan(2 ** 24));
      expect(parts).toHaveLength(5);
      read.reads.length = 0;
      const last = parts.at(-1);
      if (last === undefined || opened.part === undefined) throw new Error('no part');
      let row = last.from;
      for await (const { tensors, rows: numbers, carried } of opened.part(last)) {
        expect(numbers[0]).toBe(row + 1);
        const values = tensors.x?.data as Float64Array;
        expect(values[values.length - 1]).toBe(data[row + values.length - 1]);
        expect(carried[1]?.[0]).toBe(data[row]);
        row += values.length;
      }
      expect(row).toBe(rows);
      // No read is larger than a window, and with the index none but the first is of an earlier row.
      for (const [start, end] of read.reads) expect(end - start).toBeLessThanOrEqual(4 * 2 ** 20 + 2 ** 16);
      const total = read.reads.reduce((sum, [start, end]) => sum + end - start, 0);
      if (offsetIndex) expect(total).toBeLessThan(2 * (data.byteLength / 5 + 2 ** 24));
      else expect(total).toBeGreaterThan(2 * data.byteLength - 2 ** 20);
    }
  });

  it('of pages that are packed, or not, are whole beside the windows that are let go', async () => {
    const rows = 600_000;
    const columns = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, shift) => ({
      name,
      data: Float32Array.from({ length: rows }, (_, i) => Math.sin(i + shift)),
      type: 'FLOAT' as const,
      nullable: false,
      encoding: 'PLAIN' as const,
      // Pages begin at other multiples of a byte: the values of one in four lie in the window itself.
      columnIndex: shift % 2 === 0,
    }));
    for (const codec of ['SNAPPY', 'UNCOMPRESSED'] as const) {
      const bytes = file(columns, { rowGroupSize: rows, pageSize: 60_000, codec, statistics: false });
      expect(bytes.length).toBeGreaterThan(8 * 2 ** 20);
      const opened = await open(
        bytes,
        columns.map(({ name }) => input(name, 'FP32', 1)),
      );
      let row = 0;
      let wrong = 0;
      for await (const { tensors, faults, read } of opened.all(2 ** 24)) {
        expect(faults).toEqual([]);
        for (const { name, data } of columns) {
          const values = tensors[name]?.data as Float32Array;
          for (let i = 0; i < values.length; i++) if (values[i] !== data[row + i]) wrong++;
        }
        row += read;
      }
      expect([row, wrong], codec).toEqual([rows, 0]);
    }
  });

  it('of pages whose heads have long statistics are read wherever a window cuts them', async () => {
    const LENGTH = 1900;
    for (let perPage = 20; perPage < 36; perPage++) {
      const page = (i: number): MadePage => {
        const body = new Uint8Array(perPage * (4 + LENGTH)).fill(97 + (i % 26));
        const view = new DataView(body.buffer);
        for (let row = 0; row < perPage; row++) view.setUint32(row * (4 + LENGTH), LENGTH, true);
        return {
          ...{ kind: 'v1', body, count: perPage, encoding: 'PLAIN' },
          bound: body.subarray(4, 4 + LENGTH),
        };
      };
      const rows = perPage * 240;
      const element = { name: 't', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' };
      const pages = Array.from({ length: 240 }, (_, i) => page(i));
      const bytes = fileOfPages(element as SchemaElement, pages, rows);
      expect(bytes.length).toBeGreaterThan(8 * 2 ** 20);
      const blocks = await collected((await open(bytes, [input('t', 'BYTES', 1)])).all(2 ** 25));
      expect(blocks.reduce((sum, { read }) => sum + read, 0)).toBe(rows);
    }
  });

  it('of a dictionary that lies in a window are its entries, also behind a page of nothing', async () => {
    const entries = Float32Array.from({ length: 1_200_000 }, (_, i) => i);
    const others = Float32Array.from({ length: 1_500_000 }, (_, i) => -i);
    // A width of 8, and a run of 1000 times place 7.
    const run = Uint8Array.of(8, ((1000 << 1) & 0x7f) | 0x80, (1000 << 1) >> 7, 7);
    const places: MadePage = { kind: 'v1', body: run, count: 1000, encoding: 'RLE_DICTIONARY' };
    const pages: MadePage[] = [
      {
        ...{ kind: 'dictionary', body: new Uint8Array(entries.buffer) },
        ...{ count: entries.length, encoding: 'PLAIN' },
      },
      places,
      { kind: 'v2', body: new Uint8Array(0), count: 0, encoding: 'RLE_DICTIONARY' },
      places,
      { kind: 'v1', body: new Uint8Array(others.buffer), count: others.length, encoding: 'PLAIN' },
    ];
    const rows = 2000 + others.length;
    const bytes = fileOfPages({ name: 'a', type: 'FLOAT', repetition_type: 'REQUIRED' }, pages, rows);
    let row = 0;
    let wrong = 0;
    for await (const { tensors, read } of (await open(bytes, [input('a', 'FP32', 1)])).all(2 ** 24)) {
      const values = tensors.a?.data as Float32Array;
      for (let i = 0; i < read; i++) if (values[i] !== (row + i < 2000 ? 7 : others[row + i - 2000])) wrong++;
      row += read;
    }
    expect([row, wrong]).toEqual([rows, 0]);
  });

  it('that are booleans in runs are read, as far as the page has rows', async () => {
    const of = (runs: readonly number[]) => {
      const body = Uint8Array.of(runs.length, 0, 0, 0, ...runs);
      const page: MadePage = { kind: 'v1', body, count: 8, encoding: 'RLE' };
      return fileOfPages({ name: 'b', type: 'BOOLEAN', repetition_type: 'REQUIRED' }, [page], 8);
    };
    const model = [input('b', 'BOOL', 1)];
    const values = async (runs: readonly number[]) =>
      (await collected((await open(of(runs), model)).all(2 ** 24))).flatMap(({ tensors }) => [
        ...((tensors.b?.data ?? []) as Uint8Array),
      ]);
    // Three of true and five of false; a group of bits; a run that says 2^31 − 1.
    expect(await values([3 << 1, 1, 5 << 1, 0])).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
    expect(await values([(1 << 1) | 1, 0b01100101])).toEqual([1, 0, 1, 0, 0, 1, 1, 0]);
    expect(await values([0xfe, 0xff, 0xff, 0xff, 0x0f, 1])).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('of columns that are not asked for are not read', async () => {
    const data = Float64Array.from({ length: 2_000_000 }, (_, i) => i / 3);
    const columns = ['a', 'label', 'b'].map((name) => ({ name, data, type: 'DOUBLE' as const }));
    const bytes = file(columns, { rowGroupSize: 2_000_000, codec: 'UNCOMPRESSED' });
    const [, label] = parquetMetadata(bytes.buffer as ArrayBuffer).row_groups[0]?.columns ?? [];
    const from = Number(label?.meta_data?.data_page_offset);
    const to = from + Number(label?.meta_data?.total_compressed_size);
    const read = source(bytes);
    const model = { ...signature(input('a', 'FP32'), input('b', 'FP32')), omitted: ['label'] };
    const opened = await openParquet(read, model, PLAIN);
    read.reads.length = 0;
    expect((await collected(opened.all(2 ** 25))).reduce((sum, block) => sum + block.read, 0)).toBe(
      2_000_000,
    );
    for (const [start, end] of read.reads) expect(end <= from || start >= to).toBe(true);
  });

  it('of one input have its columns in the file’s order, or those that number its elements', async () => {
    const columns = ['b', 'a', 'id'].map((name, i) => ({
      name,
      data: [i, i + 10],
      type: 'INT32' as const,
    }));
    const x = [input('x', 'FP32', 2)];
    expect(await all(file(columns.slice(0, 2)), x)).toEqual([
      { row: 1, x: [0, 1] },
      { row: 2, x: [10, 11] },
    ]);
    expect(await all(file(columns), x, { ids: ['id'], join: false })).toEqual([
      { row: 1, x: [0, 1], carried: [2] },
      { row: 2, x: [10, 11], carried: [12] },
    ]);
    const numbered = ['id', 'x_0', 'x_1'].map((name, i) => ({
      name,
      data: [i, i + 10],
      type: 'INT32' as const,
    }));
    expect(await all(file(numbered), x, { ids: [], join: true })).toEqual([
      { row: 1, x: [1, 2], carried: [0, 1, 2] },
      { row: 2, x: [11, 12], carried: [10, 11, 12] },
    ]);
  });

  it('with values that do not fit are faults of their rows', async () => {
    const columns: ColumnSource[] = [
      { name: 'a', data: [1, Number.NaN, 1e39, 2, 3, 4, 5], type: 'DOUBLE' },
      { name: 'n', data: [1n, 2n, 3n, null, 5n, 6n, 7n], type: 'INT64' },
      { name: 't', data: ['a', 'b', 'c', 'd', 'e\0', null, 'ü'], type: 'STRING' },
    ] as ColumnSource[];
    expect(await all(file(columns), MODEL)).toEqual([
      { row: 1, a: [1], n: [1n], t: ['a'] },
      bad(2, 'a', 'is NaN.', 'NOT_FINITE'),
      bad(3, 'a', 'is outside the range of FP32.'),
      bad(4, 'n', 'has no value.'),
      bad(5, 't', 'has the character U+0000, at which ONNX Runtime would cut it.'),
      bad(6, 't', 'has no value.'),
      { row: 7, a: [5], n: [7n], t: ['ü'] },
    ]);
    const binary: ColumnSource[] = [
      { name: 't', data: [Uint8Array.of(0xff), Uint8Array.of(0xef, 0xbf, 0xbd)], type: 'BYTE_ARRAY' },
      { name: 'id', data: [Uint8Array.of(65), Uint8Array.of(0xc0)], type: 'BYTE_ARRAY' },
    ];
    expect(await all(file(binary), [input('t', 'BYTES')], { ids: ['id'], join: false })).toEqual([
      bad(1, 't', 'is not UTF-8.'),
      bad(2, 'id', 'is not UTF-8.'),
    ]);
  });

  it('carry numbers, booleans and texts as they are, and tell exactly what else there is', async () => {
    const elements: (Omit<SchemaElement, 'repetition_type'> & {
      data: unknown[];
      told: unknown;
      as: string;
    })[] = [
      { name: 'int8', type: 'INT32', converted_type: 'INT_8', data: [-8], told: -8, as: 'INT32' },
      {
        name: 'uint32',
        type: 'INT32',
        converted_type: 'UINT_32',
        data: [2 ** 32 - 1],
        told: 2 ** 32 - 1,
        as: 'UINT32',
      },
      { name: 'int64', type: 'INT64', data: [2n ** 62n + 1n], told: 2n ** 62n + 1n, as: 'INT64' },
      {
        name: 'uint64',
        type: 'INT64',
        converted_type: 'UINT_64',
        data: [2n ** 64n - 1n],
        told: 2n ** 64n - 1n,
        as: 'UINT64',
      },
      { name: 'bool', type: 'BOOLEAN', data: [true], told: true, as: 'BOOL' },
      { name: 'float', type: 'FLOAT', data: [0.5], told: 0.5, as: 'FP32' },
      { name: 'double', type: 'DOUBLE', data: [0.1], told: 0.1, as: 'FP64' },
      {
        name: 'half',
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 2,
        logical_type: { type: 'FLOAT16' },
        data: [1.5],
        told: 1.5,
        as: 'FP16',
      },
      {
        name: 'text',
        type: 'BYTE_ARRAY',
        converted_type: 'UTF8',
        data: ['\uFEFFé'],
        told: '\uFEFFé',
        as: 'BYTES',
      },
      {
        name: 'date',
        type: 'INT32',
        converted_type: 'DATE',
        data: [19_000],
        told: '2022-01-08',
        as: 'BYTES',
      },
      { name: 'before', type: 'INT32', converted_type: 'DATE', data: [-1], told: '1969-12-31', as: 'BYTES' },
      {
        name: 'millis',
        type: 'INT64',
        converted_type: 'TIMESTAMP_MILLIS',
        data: [-1n],
        told: '1969-12-31T23:59:59.999Z',
        as: 'BYTES',
      },
      {
        name: 'micros',
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        data: [1_700_000_000_123_456n],
        told: '2023-11-14T22:13:20.123456Z',
        as: 'BYTES',
      },
      {
        name: 'nanos',
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' },
        data: [1_700_000_000_123_456_789n],
        told: '2023-11-14T22:13:20.123456789Z',
        as: 'BYTES',
      },
      {
        name: 'local', // by no zone: what a clock on the wall showed
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' },
        data: [1_700_000_000_123n],
        told: '2023-11-14T22:13:20.123',
        as: 'BYTES',
      },
      {
        name: 'decimal',
        type: 'INT64',
        converted_type: 'DECIMAL',
        scale: 3,
        precision: 18,
        data: [-123_456_789_012_345_678n],
        told: '-123456789012345.678',
        as: 'BYTES',
      },
      {
        name: 'small',
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 3,
        converted_type: 'DECIMAL',
        scale: 4,
        precision: 6,
        data: [-5n],
        told: '-0.0005',
        as: 'BYTES',
      },
      {
        name: 'uuid',
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 16,
        logical_type: { type: 'UUID' },
        data: ['01234567-89ab-cdef-0123-456789abcdef'],
        told: '01234567-89ab-cdef-0123-456789abcdef',
        as: 'BYTES',
      },
    ];
    const x = { name: 'x', data: [1, 2] };
    const bytes = file([x, ...elements.map(({ name, data }) => ({ name, data: [...data, null] }))], {
      schema: [
        { name: 'root', num_children: elements.length + 1 },
        { name: 'x', type: 'FLOAT', repetition_type: 'REQUIRED' },
        ...elements.map(({ data: _, told: __, as: ___, ...element }) => ({
          ...element,
          repetition_type: 'OPTIONAL' as const,
        })),
      ],
    });
    const opened = await open(bytes, [input('x', 'FP32')], { ids: [], join: true });
    expect(opened.carried).toEqual(['x', ...elements.map(({ name }) => name)]);
    expect(opened.types).toEqual(['FP32', ...elements.map(({ as }) => as)]);
    expect(rowsIn(await collected(opened.all(1000)))).toEqual([
      { row: 1, x: [1], carried: [1, ...elements.map(({ told }) => told)] },
      { row: 2, x: [2], carried: [2, ...elements.map(() => null)] },
    ]);
  });
});

/** Values of so many bits, and how often each comes. */
const runsOf = (width: number) =>
  fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** width - 1 }), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 60,
  });

describe('runs of Parquet', () => {
  it('are read as they are written, of any width', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }).chain((width) => fc.tuple(fc.constant(width), runsOf(width))),
        ([width, runs]) => {
          const values = runs.flatMap(([value, count]) => new Array<number>(count).fill(value));
          const writer = new ByteWriter();
          writer.appendUint8(width);
          writeRleBitPackedHybrid(writer, values, width);
          expect([...indexesIn(writer.getBytes(), values.length, 2 ** 31)]).toEqual(values);
        },
      ),
    );
    // The library writes no wider ones rightly.
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 31 }).chain((width) => fc.tuple(fc.constant(width), runsOf(width))),
        ([width, runs]) => {
          const values = runs.map(([value]) => value);
          const packed = values.reduce((all, value, i) => all | (BigInt(value) << BigInt(i * width)), 0n);
          const groups = Math.ceil(values.length / 8);
          const bytes = Array.from({ length: groups * width }, (_, i) =>
            Number((packed >> BigInt(8 * i)) & 255n),
          );
          const head = (groups << 1) | 1;
          expect([...indexesIn(Uint8Array.of(width, head, ...bytes), values.length, 2 ** 31)]).toEqual(
            values,
          );
        },
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }), (present) => {
        const writer = new ByteWriter();
        writeRleBitPackedHybrid(writer, present.map(Number), 1);
        const nulls = nullsIn(writer.getBytes(), present.length);
        expect(nulls === undefined ? [] : [...nulls]).toEqual(
          present.every(Boolean) ? [] : present.map((one) => (one ? 0 : 1)),
        );
      }),
    );
  });

  it('that are cut or say too much are refused, not read beyond', () => {
    for (const bytes of [
      [],
      [5],
      [5, 4],
      [5, 3, 1],
      [40, 2, 1],
      [5, 0],
      [5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    ])
      expect(() => indexesIn(Uint8Array.from(bytes), 9, 31), String(bytes)).toThrow('is broken');
    // A run of two 3s, a group of two bits each, and none: places in a dictionary of so many entries.
    for (const [bytes, count, entries] of [
      [[2, 4, 3], 2, 4],
      [[2, 3, 0xe4, 0xe4], 4, 4],
      [[0], 2, 1],
    ] as const) {
      expect(indexesIn(Uint8Array.from(bytes), count, entries)).toContain(entries - 1);
      expect(() => indexesIn(Uint8Array.from(bytes), count, entries - 1)).toThrow('is broken');
    }
    // A run of a value that has more bits than its width.
    expect(() => indexesIn(Uint8Array.from([2, 4, 4]), 2, 4)).toThrow('is broken');
    for (const bytes of [[], [2], [0, 1], [5, 1]])
      expect(() => nullsIn(Uint8Array.from(bytes), 17), String(bytes)).toThrow('is broken');
  });
});

describe('Parquet is refused', () => {
  it('where its list of pages lies beyond its end, which a bucket would refuse to read', async () => {
    const values = new Float64Array(150_000);
    const page: MadePage = {
      ...{ kind: 'v1', body: new Uint8Array(values.buffer), count: values.length, encoding: 'PLAIN' },
    };
    const rows = 10 * values.length;
    const element = { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' } as const;
    const bytes = fileOfPages(element, Array<MadePage>(10).fill(page), rows, 2n ** 40n);
    const whole = source(bytes);
    const strict: Source = {
      ...whole,
      range: (start, end) =>
        end > bytes.length ? Promise.reject(new Error('InvalidRange')) : whole.range(start, end),
    };
    const opened = await openParquet(strict, signature(input('x', 'FP64', 1)), PLAIN);
    if (opened.plan === undefined || opened.part === undefined) throw new Error('no parts');
    const [, second] = await collected(opened.plan(2 ** 22));
    if (second === undefined) throw new Error('no second part');
    expect(await refusal(collected(opened.part(second)))).toMatch(/^UNREADABLE: .*beyond the end/);
  });

  it('where texts that share their beginnings would take all memory', async () => {
    const ROWS = 20_000;
    const LENGTH = 100_000;
    const writer = new ByteWriter();
    const lengths = (of: (row: number) => number) => Array.from({ length: ROWS }, (_, row) => of(row));
    deltaBinaryPack(
      writer,
      lengths((row) => (row === 0 ? 0 : LENGTH)),
      'INT32',
    );
    deltaBinaryPack(
      writer,
      lengths((row) => (row === 0 ? LENGTH : 0)),
      'INT32',
    );
    writer.appendBytes(new Uint8Array(LENGTH).fill(97));
    const body = new Uint8Array(writer.getBytes());
    const page: MadePage = { kind: 'v1', body, count: ROWS, encoding: 'DELTA_BYTE_ARRAY' };
    const element = { name: 't', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' };
    const bytes = fileOfPages(element as SchemaElement, [page], ROWS);
    expect(bytes.length).toBeLessThan(110_000);
    const reading = async () => collected((await open(bytes, [input('t', 'BYTES', 1)])).all(2 ** 24));
    expect(await refusal(reading())).toMatch(/^UNREADABLE: .*texts of more than 256 MB/);
  });

  const good = file([{ name: 'x', data: [1.5, 2.5], type: 'DOUBLE' }]);
  const x = [input('x', 'FP32')];

  it.each([
    ['empty', new Uint8Array(0), /^UNREADABLE: The object is empty\./],
    ['one byte', Uint8Array.of(80), /^UNREADABLE: The object cannot be read as Parquet \(/],
    ['text', new TextEncoder().encode('x\n1\n2\n3\n4\n'), /^UNREADABLE: .*footer != PAR1/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0), /^UNREADABLE: /],
    ['cut', good.slice(0, -20), /^UNREADABLE: /],
    ['without its beginning', good.slice(20), /^UNREADABLE: /],
  ])('%s', async (_, bytes, message) => {
    const reading = open(bytes, x).then((rows) => collected(rows.all(1000)));
    expect(await refusal(reading)).toMatch(message);
  });

  it.each(['v1', 'v2'] as const)(
    'where a page of the kind %s says true or false for how many values it has, which had no end',
    async (kind) => {
      const element = { name: 'x', type: 'DOUBLE', repetition_type: 'REQUIRED' } as const;
      const entry: MadePage = { kind: 'dictionary', body: new Uint8Array(8), count: 1, encoding: 'PLAIN' };
      const page = (count: unknown) => ({ kind, body: new Uint8Array(1), count, encoding: 'RLE_DICTIONARY' });
      for (const count of [false, true]) {
        const pages = [entry, page(1), page(count)] as MadePage[];
        const bytes = fileOfPages(element, pages, 2);
        const reading = open(bytes, x).then((rows) => collected(rows.all(1000)));
        expect(await refusal(reading)).toMatch(/^UNREADABLE: .*a page of (false|true) values/);
      }
    },
  );

  it('where any byte is damaged, or read as something; never without end, never as an error of ours', async () => {
    const columns: ColumnSource[] = [
      { name: 'x', data: Array.from({ length: 100 }, (_, i) => i % 7), type: 'DOUBLE' },
      { name: 't', data: Array.from({ length: 100 }, (_, i) => `t${i % 5}`), type: 'STRING' },
    ];
    const whole = file(columns);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), {
          minLength: 1,
          maxLength: 3,
        }),
        async (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          try {
            const rows = await open(bytes, [input('x', 'FP32'), input('t', 'BYTES')]);
            for await (const { read } of rows.all(1000)) expect(read).toBeGreaterThan(0);
          } catch (error) {
            expect(await refusal(Promise.reject(error))).toMatch(/^(UNREADABLE|WRONG_HEADER): /);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it.each<[string, ColumnSource[], readonly TensorSpec[], Extras, RegExp]>([
    [
      'a column too many',
      [
        { name: 'x', data: [1] },
        { name: 'id', data: [1] },
      ],
      [input('x', 'FP32', 1)],
      PLAIN,
      /^WRONG_HEADER: Its column id is no input of the model; the model takes x\./,
    ],
    [
      'a column missing',
      [{ name: 'a', data: [1] }],
      [input('a', 'FP32'), input('b', 'FP32')],
      PLAIN,
      /^WRONG_HEADER: It has no column b, an input of the model\. Add this column/,
    ],
    [
      'an id missing',
      [{ name: 'x', data: [1] }],
      x,
      { ids: ['id'], join: false },
      /^WRONG_HEADER: It has no column id, which is one of ids\./,
    ],
    [
      'texts for numbers',
      [{ name: 'x', data: ['1'], type: 'STRING' }],
      x,
      PLAIN,
      /^WRONG_HEADER: Its column x has texts; the model takes FP32 there\./,
    ],
    [
      'times for numbers',
      [{ name: 'x', data: [new Date(0)], type: 'TIMESTAMP' }],
      x,
      PLAIN,
      /^WRONG_HEADER: Its column x has dates, times or decimals; the model takes FP32 there\./,
    ],
    [
      'numbers for texts',
      [{ name: 'x', data: [1.5], type: 'DOUBLE' }],
      [input('x', 'BYTES')],
      PLAIN,
      /^WRONG_HEADER: Its column x has numbers; the model takes texts there\./,
    ],
    [
      'times for texts',
      [{ name: 'x', data: [new Date(0)], type: 'TIMESTAMP' }],
      [input('x', 'BYTES')],
      PLAIN,
      /^WRONG_HEADER: Its column x has dates, times or decimals; the model takes BYTES there\./,
    ],
    [
      'too few columns',
      [{ name: 'a', data: [1] }],
      [input('x', 'FP32', 2)],
      PLAIN,
      /^WRONG_HEADER: It has 1 column for the input x; the model takes 2\./,
    ],
  ])('with %s', async (_, columns, inputs, extras, message) => {
    expect(await refusal(open(file(columns), inputs, extras))).toMatch(message);
  });

  it('with a list of all values of a row, as embeddings are kept: not told as one column of six', async () => {
    const listed = (name: string) =>
      file(
        [
          { name, data: [[1, 2, 3, 4, 5, 6]] },
          { name: 'id', data: [7] },
        ],
        {
          schema: [
            { name: 'root', num_children: 2 },
            { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
            { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
            { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
            { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
          ],
        },
      );
    const due = (name: string): string =>
      `WRONG_HEADER: Its column ${name} is nested. Give each element a column of its own, or upload JSON lines, whose values may be arrays.`;
    const wide = [input('x', 'FP32', 6)];
    for (const [name, extras] of [
      ['x', { ids: ['id'], join: false }],
      ['x', { ids: [], join: true }],
      ['embedding', { ids: ['id'], join: false }],
    ] as const)
      expect(await refusal(open(listed(name), wide, extras))).toBe(due(name));
    // A stranger is no vector.
    expect(await refusal(open(listed('tags'), wide, { ids: [], join: true }))).not.toBe(due('tags'));
  });

  it('with nested columns that are needed, and those that cannot be told', async () => {
    const nested = file(
      [
        { name: 'x', data: [1] },
        { name: 'list', data: [{ a: 1, b: 2 }] },
        { name: 'id', data: [7] },
      ],
      {
        schema: [
          { name: 'root', num_children: 3 },
          { name: 'x', type: 'INT32', repetition_type: 'REQUIRED' },
          { name: 'list', repetition_type: 'OPTIONAL', num_children: 2 },
          { name: 'a', type: 'INT32', repetition_type: 'REQUIRED' },
          { name: 'b', type: 'INT32', repetition_type: 'REQUIRED' },
          { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
        ],
      },
    );
    const passed = { ...signature(...x), omitted: ['list'] };
    const opened = await openParquet(source(nested), passed, { ids: ['id'], join: false });
    expect(rowsIn(await collected(opened.all(1000)))).toEqual([{ row: 1, x: [1], carried: [7] }]);
    expect(await refusal(open(nested, x, { ids: [], join: true }))).toMatch(
      /^WRONG_HEADER: Its column list is nested\. Drop it, or name the columns to carry in ids\./,
    );
    const asked = [input('x', 'FP32'), input('list', 'FP32', 1)];
    expect(await refusal(open(nested, asked, { ids: ['id'], join: false }))).toMatch(
      /^WRONG_HEADER: Its column list is nested\. Give each element a column of its own, or upload JSON lines/,
    );
    const time = file(
      [
        { name: 'x', data: [1] },
        { name: 'time', data: [5] },
      ],
      {
        schema: [
          { name: 'root', num_children: 2 },
          { name: 'x', type: 'INT32', repetition_type: 'REQUIRED' },
          { name: 'time', type: 'INT32', converted_type: 'TIME_MILLIS', repetition_type: 'REQUIRED' },
        ],
      },
    );
    expect(await refusal(open(time, x, { ids: ['time'], join: false }))).toMatch(
      /^WRONG_HEADER: Its column time is of a type that cannot be read; numbers, booleans, texts, dates/,
    );
  });

  it('but what is wrong with the reading is no fault of the object', async () => {
    const read = source(file([{ name: 'x', data: Float32Array.from({ length: 1000 }), type: 'FLOAT' }]));
    const failing = (error: Error, after: number): Source => {
      let count = 0;
      return {
        ...read,
        range: (start, end) => (count++ < after ? read.range(start, end) : Promise.reject(error)),
      };
    };
    for (const error of [new Error('socket hang up'), objectFault('CHANGED', 'It was overwritten.')]) {
      await expect(openParquet(failing(error, 0), signature(...x), PLAIN)).rejects.toBe(error);
      const opened = await openParquet(failing(error, 1), signature(...x), PLAIN);
      await expect(collected(opened.all(1000))).rejects.toBe(error);
    }
  });
});
