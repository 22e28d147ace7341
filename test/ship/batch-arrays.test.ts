import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Block, Column } from '../../core/tabular/cells/format.ts';
import { openNpy } from '../../core/tabular/npy/read.ts';
import { npyWriter } from '../../core/tabular/npy/write.ts';
import { openParquet } from '../../core/tabular/parquet/read.ts';
import { parquetWriter } from '../../core/tabular/parquet/write.ts';
import type { Datatype } from '../../core/tensor/contract.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { runPython } from '../python.ts';
import {
  byParts,
  collected,
  input,
  refusal,
  rowsIn,
  signature,
  source,
} from '../unit/core/tabular/arrays-setup.ts';

const SCRIPT = join(import.meta.dirname, 'batch_arrays.py');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-batch-arrays-'));
  await runPython(SCRIPT, ['write', folder], { timeout: 280_000 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const file = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(join(folder, name)));
const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));

const MODEL = [input('a', 'FP32', 1), input('n', 'INT64', 1), input('b', 'BOOL'), input('t', 'BYTES', 1)];
type Row = {
  readonly a: number;
  readonly n: string;
  readonly b: boolean;
  readonly t: string;
  readonly id: string | null;
  readonly when: string;
};

describe('Parquet by pandas and pyarrow', () => {
  it('has in each of its encodings, codecs and versions the rows that were written, in any parts', async () => {
    const written = (await json('rows.json')) as (Row | null)[];
    const rowsWith = (zone: string) =>
      written.map((of, i) =>
        of === null
          ? { row: i + 1, code: 'WRONG_VALUE', reason: 'Column a has no value.' }
          : {
              row: i + 1,
              a: [of.a],
              n: [BigInt(of.n)],
              b: [of.b ? 1 : 0],
              t: [of.t],
              carried: [of.id, of.when + zone],
            },
      );
    // Nobody says in which zone INT96 is.
    const [inUtc, inNone] = [rowsWith('Z'), rowsWith('')];
    const names = (await readdir(folder)).filter((name) => /\.parquet$/.test(name)).sort();
    const variants = names.filter((name) => !/^(nested|none)/.test(name));
    expect(variants).toHaveLength(14);
    for (const name of variants) {
      const expected = name === 'int96.parquet' ? inNone : inUtc;
      const opened = await openParquet(source(await file(name)), signature(...MODEL), {
        ids: ['id', 'when'],
        join: false,
      });
      expect(opened.types, name).toEqual(['BYTES', 'BYTES']);
      const whole = rowsIn(await collected(opened.all(100_000)));
      // Row by row would take minutes; what differs is told by the first row that does.
      const apart = whole.findIndex((row, i) => told(row) !== told(expected[i]));
      if (apart >= 0) expect(whole[apart], `${name}, row ${apart + 1}`).toEqual(expected[apart]);
      expect(whole).toHaveLength(expected.length);
      const { parts, blocks } = await byParts(opened, 100_000);
      expect(parts.length, name).toBeGreaterThan(10);
      expect(told(rowsIn(blocks)), name).toBe(told(whole));
    }
  });

  it('without rows has none, and its nested column is refused where it is needed', async () => {
    const open = async (name: string, join: boolean) =>
      openParquet(source(await file(name)), signature(...MODEL), { ids: join ? [] : ['id', 'when'], join });
    const none = await open('none.parquet', false);
    expect(await byParts(none, 1000)).toEqual({ parts: [], blocks: [] });
    expect(await collected(none.all(1000))).toEqual([]);
    expect(await refusal(open('nested.parquet', true))).toMatch(/^WRONG_HEADER: Its column pair is nested\./);
    expect(await refusal(open('nested.parquet', false))).toMatch(
      /^WRONG_HEADER: Its column pair is no input/,
    );
  });
});

const told = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one));

describe('arrays by numpy', () => {
  it('are the rows that were saved', async () => {
    const { x } = (await json('x.json')) as { x: number[][] };
    const expected = x.map((row, i) => ({ row: i + 1, x: row }));
    const open = async (name: string, datatype: Datatype, ...inner: number[]) =>
      openNpy(source(await file(name)), signature(input('x', datatype, ...inner)), { ids: [], join: false });
    for (const name of ['x.npy', 'version-3.npy', 'double.npy']) {
      const opened = await open(name, 'FP32', 2, 3);
      expect(rowsIn(await collected(opened.all(30))), name).toEqual(expected);
    }
    const halves = rowsIn(await collected((await open('flat.npy', 'FP64', 6)).all(30))) as typeof expected;
    for (const [i, row] of halves.entries())
      for (const [k, value] of row.x.entries()) expect(value).toBeCloseTo(x[i]?.[k] ?? Number.NaN, 3);
    for (const name of ['b1', 'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8'])
      for (const [datatype, of] of [
        ['FP32', Number],
        ['INT64', BigInt],
        ['BOOL', Number],
        ['UINT8', Number],
      ] as const)
        expect(rowsIn(await collected((await open(`${name}.npy`, datatype)).all(2))), name).toEqual(
          [0, 1, 1, 0].map((value, i) => ({ row: i + 1, x: [of(value)] })),
        );
    const flat = expected.map(({ row, x }) => ({ row, x: x.flat(2) }));
    expect(rowsIn(await collected((await open('fortran.npy', 'FP32', 6)).all(30)))).toEqual(flat);
    expect(await refusal(open('big.npy', 'FP32', 6))).toMatch(/^UNREADABLE: .*the type >f4/);
    expect(await refusal(open('objects.npy', 'FP32', 6))).toMatch(/^UNREADABLE: .*the type \|O/);
    expect(await refusal(open('archive.npz', 'FP32', 6))).toMatch(/^UNREADABLE: .*\.npz archive/);
  });
});

describe('what batch writes', () => {
  const DATATYPES: Readonly<Record<string, Datatype>> = {
    p: 'FP32',
    half: 'FP16',
    double: 'FP64',
    label: 'INT64',
    unsigned: 'UINT64',
    word: 'UINT32',
    small: 'INT8',
    is: 'BOOL',
    name: 'BYTES',
  };
  const output = (of: string, index = 0, name = of): Column => ({ name, of: 'output', output: of, index });
  const columns: Column[] = [
    { name: 'row', of: 'row' },
    { name: 'id', of: 'carried', index: 0 },
    { name: 'age', of: 'carried', index: 1 },
    { name: 'any', of: 'carried', index: 2 },
    output('p', 0, 'p_0'),
    output('p', 1, 'p_1'),
    ...['half', 'double', 'label', 'unsigned', 'word', 'small', 'is', 'name'].map((of) => output(of)),
  ];
  const tensors: Tensors = {
    p: { datatype: 'FP32', shape: [3, 2], data: Float32Array.of(0.25, 0.75, 1, 0, -1, 2.5) },
    half: { datatype: 'FP16', shape: [3], data: Uint16Array.of(0x3c00, 0xc000, 0x3800) },
    double: { datatype: 'FP64', shape: [3], data: Float64Array.of(0.1, 1e300, -0) },
    label: { datatype: 'INT64', shape: [3, 1], data: BigInt64Array.of(-(2n ** 63n), 7n, 2n ** 53n + 1n) },
    unsigned: { datatype: 'UINT64', shape: [3], data: BigUint64Array.of(2n ** 64n - 1n, 0n, 1n) },
    word: { datatype: 'UINT32', shape: [3], data: Uint32Array.of(2 ** 32 - 1, 0, 1) },
    small: { datatype: 'INT8', shape: [3], data: Int8Array.of(-128, 127, 0) },
    is: { datatype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
    name: { datatype: 'BYTES', shape: [3], data: ['é', '', 'a,"b"\n'] },
  };
  const block: Block = {
    part: 0,
    read: 4,
    rows: [1, 2, 4],
    tensors: {},
    carried: [
      [2n ** 60n, null, 5n],
      [1.5, 2.5, null],
      ['text', null, { a: [1, 2n ** 60n] }],
    ],
    faults: [{ row: 3, code: 'WRONG_VALUE', reason: 'Column x has no value.' }],
  };
  const parquet = (...blocks: Block[]): Uint8Array => {
    const writer = parquetWriter(columns, DATATYPES, ['INT64', 'FP64', 'BYTES']);
    for (const one of blocks) writer.add(one, tensors);
    return writer.end();
  };

  it('is read by numpy, pandas and pyarrow, each value as it was', async () => {
    const npy = (...of: Column[]): Uint8Array => {
      const writer = npyWriter(of, DATATYPES);
      writer.add(block, tensors);
      return writer.end();
    };
    const single = npy(...columns.slice(0, 7));
    await writeFile(join(folder, 'single.npy'), single);
    await writeFile(join(folder, 'double-out.npy'), npy(output('p', 1), output('label'), output('is')));
    const later = { ...block, rows: [5, 7, 8], faults: [{ row: 6, code: 'A', reason: '' }] };
    await writeFile(join(folder, 'out.parquet'), parquet(block, later));
    await writeFile(join(folder, 'empty.parquet'), parquet());
    const found = JSON.parse(await runPython(SCRIPT, ['read', folder], { timeout: 300_000 }));
    expect(found.single).toEqual([
      'float32',
      [
        [0.25, 0.75, 1],
        [1, 0, -2],
        [-1, -1, -1],
        [-1, 2.5, 0.5],
      ],
    ]);
    expect(single).toEqual(await file('again.npy'));
    expect(found.double).toEqual([
      'float64',
      [
        [0.75, -(2 ** 63), 1],
        [0, 7, 0],
        [-1, -1, -1],
        [2.5, 2 ** 53, 1],
      ],
    ]);
    expect(found.types).toEqual({
      row: 'int64',
      id: 'int64?',
      age: 'double?',
      any: 'string?',
      p_0: 'float',
      p_1: 'float',
      half: 'float',
      double: 'double',
      label: 'int64',
      unsigned: 'uint64',
      word: 'uint32',
      small: 'int8',
      is: 'bool',
      name: 'string',
    });
    const twice = (...values: string[]): string[] => [...values, ...values];
    expect(found.columns).toEqual({
      row: ['1', '2', '4', '5', '7', '8'],
      id: twice(String(2n ** 60n), 'None', '5'),
      age: twice('1.5', '2.5', 'None'),
      any: twice('text', 'None', '{"a":[1,1152921504606846976]}'),
      p_0: twice('0.25', '1.0', '-1.0'),
      p_1: twice('0.75', '0.0', '2.5'),
      half: twice('1.0', '-2.0', '0.5'),
      double: twice('0.1', '1e+300', '-0.0'),
      label: twice(String(-(2n ** 63n)), '7', String(2n ** 53n + 1n)),
      unsigned: twice(String(2n ** 64n - 1n), '0', '1'),
      word: twice(String(2 ** 32 - 1), '0', '1'),
      small: twice('-128', '127', '0'),
      is: twice('True', 'False', 'True'),
      name: twice('é', '', 'a,"b"\n'),
    });
    expect([found.pandas, found.empty]).toEqual([6, [0, columns.length]]);
  });

  it('is the same bytes for the same rows, in however many blocks they come, and is read again', async () => {
    expect(parquet(block)).toEqual(parquet(block));
    const opened = await openParquet(
      source(parquet(block)),
      signature(input('p', 'FP32', 2), input('label', 'INT64'), input('is', 'BOOL')),
      { ids: [], join: true },
    );
    expect(opened.types?.slice(0, 4)).toEqual(['INT64', 'INT64', 'FP64', 'BYTES']);
    const rows = rowsIn(await collected(opened.all(1000))) as { carried: unknown[] }[];
    expect(rows[0]).toMatchObject({ row: 1, p: [0.25, 0.75], label: [-(2n ** 63n)], is: [1] });
    expect(rows.map(({ carried }) => carried.slice(0, 4))).toEqual([
      [1n, 2n ** 60n, 1.5, 'text'],
      [2n, null, 2.5, null],
      [4n, 5n, null, '{"a":[1,1152921504606846976]}'],
    ]);
  });
});
