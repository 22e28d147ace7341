import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block, Column } from '../../../../core/tabular/cells/format.ts';
import { csvWriter } from '../../../../core/tabular/csv/writer.ts';
import { jsonlWriter } from '../../../../core/tabular/jsonl/writer.ts';
import { openParquet } from '../../../../core/tabular/parquet/read.ts';
import { parquetWriter } from '../../../../core/tabular/parquet/write.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import { toHalf } from '../../../../core/tensor/half.ts';
import { collected, input, signature, source } from './arrays-setup.ts';

const blockOf = (count: number, carried: readonly (readonly unknown[])[] = []): Block => ({
  part: 0,
  read: count,
  rows: Array.from({ length: count }, (_, i) => i + 1),
  tensors: {},
  carried,
  faults: [],
});
const tensor = (datatype: Tensor['datatype'], shape: readonly number[], data: unknown): Tensor => ({
  datatype,
  shape,
  data: data as never,
});
const output = (name: string, index?: number): Column => ({
  name: index === undefined ? name : `${name}_${index}`,
  of: 'output',
  output: name,
  ...(index === undefined ? {} : { index }),
});
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

const all = {
  b: tensor('BOOL', [2], Uint8Array.of(0, 1)),
  u: tensor('UINT8', [2], Uint8Array.of(0, 255)),
  i: tensor('INT32', [2, 1], Int32Array.of(-2_147_483_648, 2_147_483_647)),
  l: tensor('INT64', [2], BigInt64Array.of(-(2n ** 63n), 9_007_199_254_740_993n)),
  h: tensor('FP16', [2], Uint16Array.of(toHalf(0.1), toHalf(-65_504))),
  f: tensor('FP32', [2, 2], Float32Array.of(0.1, -1e-8, 16_777_216, -0)),
  d: tensor('FP64', [2], Float64Array.of(0.1, 1e300)),
  s: tensor('BYTES', [2], ['a,"b"', 'ü\n']),
};
const columns: Column[] = [
  { name: 'row', of: 'row' },
  { name: 'id, of it', of: 'carried', index: 0 },
  ...['b', 'u', 'i', 'l', 'h'].map((name) => output(name)),
];

describe('a part', () => {
  it.each([1, 1000])('in Parquet says about how much memory it takes, in blocks of %i rows', (rows) => {
    const names = Array.from({ length: 64 }, (_, i) => output('f', i));
    const writer = parquetWriter(names, { f: 'FP32' }, undefined);
    for (let block = 0; block < 1000 / rows; block++)
      writer.add(blockOf(rows), { f: tensor('FP32', [rows, 64], new Float32Array(64 * rows)) });
    // Four bytes a value; an array of one element takes fifty times as much.
    const least = rows === 1 ? 200 : 4;
    expect(writer.size()).toBeGreaterThan(least * 64 * 1000);
    expect(writer.size()).toBeLessThan(1.1 * (least + 4) * 64 * 1000);
  });

  it('in Parquet keeps the sign of a carried zero, however often there are both', async () => {
    const zeros = Array.from({ length: 100 }, (_, i) => (i % 3 === 0 ? -0 : 0));
    const names: Column[] = [{ name: 'z', of: 'carried', index: 0 }, output('x')];
    const writer = parquetWriter(names, { x: 'FP64' }, ['FP64']);
    writer.add(blockOf(100, [zeros]), { x: tensor('FP64', [100], new Float64Array(100)) });
    const again = await openParquet(source(writer.end()), signature(input('x', 'FP64', 1)), {
      ids: ['z'],
      join: false,
    });
    const [block] = await collected(again.all(1e6));
    expect(block?.carried).toEqual([zeros]);
  });

  it('in CSV has its names, and numbers in the fewest digits that are read as them', () => {
    const writer = csvWriter([...columns, output('f', 0), output('f', 1), output('d'), output('s')]);
    writer.add(blockOf(2, [['x', 'a\rb']]), all);
    expect(text(writer.end())).toBe(
      `row,"id, of it",b,u,i,l,h,f_0,f_1,d,s
1,x,false,0,-2147483648,-9223372036854775808,0.099975586,0.1,-1e-8,0.1,"a,""b"""
2,"a\rb",true,255,2147483647,9007199254740993,-65504,16777216,-0,1e+300,"ü
"
`,
    );
  });

  it('in JSONL has an object a row, and an array of what has several values', () => {
    const writer = jsonlWriter([...columns, output('f'), output('f', 1), output('d'), output('s')]);
    writer.add(blockOf(2, [[{ deep: [2n ** 64n] }, null]]), all);
    expect(text(writer.end())).toBe(
      `{"row":1,"id, of it":{"deep":[18446744073709551616]},"b":false,"u":0,"i":-2147483648,"l":-9223372036854775808,"h":0.099975586,"f":[0.1,-1e-8],"f_1":-1e-8,"d":0.1,"s":"a,\\"b\\""}
{"row":2,"id, of it":null,"b":true,"u":255,"i":2147483647,"l":9007199254740993,"h":-65504,"f":[16777216,-0],"f_1":-0,"d":1e+300,"s":"ü\\n"}
`,
    );
  });

  it('in JSON keeps the sign of a carried zero, however deep it is', () => {
    const carried: Column[] = [{ name: 'z', of: 'carried', index: 0 }];
    const zeros = [-0, 0, { deep: [-0, 0, '-0'] }];
    const [jsonl, csv] = [jsonlWriter(carried), csvWriter(carried)];
    for (const writer of [jsonl, csv]) writer.add(blockOf(3, [zeros]), {});
    expect(text(jsonl.end())).toBe('{"z":-0}\n{"z":0}\n{"z":{"deep":[-0,0,"-0"]}}\n');
    expect(text(csv.end())).toBe('z\n-0\n0\n"{""deep"":[-0,0,""-0""]}"\n');
  });

  it('has the same floats for whoever reads it, in no more digits than it takes', () => {
    const float = fc.oneof(
      fc.float({ noDefaultInfinity: true, noNaN: true }),
      fc.float({ noNaN: true, min: 0, max: 1 }),
      fc.integer({ min: 0, max: 1_000_000 }).map((value) => Math.fround(value / 1000)),
      fc.integer({ min: -126, max: 127 }).map((exponent) => 2 ** exponent),
    );
    fc.assert(
      fc.property(fc.array(float, { minLength: 1, maxLength: 50 }), (values) => {
        const writer = csvWriter([output('f')]);
        writer.add(blockOf(values.length), { f: tensor('FP32', [values.length], Float32Array.from(values)) });
        const cells = text(writer.end()).trim().split('\n').slice(1);
        expect(cells.map((cell) => Math.fround(Number(cell)))).toEqual(values);
        cells.forEach((cell, i) => {
          const value = values[i] as number;
          expect(digitsIn(cell), cell).toBeLessThanOrEqual(leastDigits(value));
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('in CSV has whatever texts there are', () => {
    const texts = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string()), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(texts, (rows) => {
        const writer = csvWriter([
          { name: 'a', of: 'carried', index: 0 },
          { name: 'b', of: 'carried', index: 1 },
        ]);
        writer.add(blockOf(rows.length, [rows.map(([a]) => a), rows.map(([, b]) => b)]), {});
        expect(parse(text(writer.end()), { record_delimiter: '\n' })).toEqual([['a', 'b'], ...rows]);
      }),
    );
    const writer = csvWriter([{ name: 'a', of: 'carried', index: 0 }]);
    writer.add(blockOf(3, [['', null, 'x']]), {});
    expect(text(writer.end())).toBe('a\n""\n""\nx\n');
  });

  it('of more than its first memory is whole', () => {
    const writer = jsonlWriter([{ name: 'a', of: 'carried', index: 0 }]);
    const long = 'é'.repeat(100_000);
    for (let i = 0; i < 3; i++) writer.add(blockOf(1, [[long]]), {});
    expect(text(writer.end())).toBe(`{"a":"${long}"}\n`.repeat(3));
  });

  it('in JSONL has no NaN: nothing of such a block is written', () => {
    for (const f of [
      tensor('FP32', [1], Float32Array.of(Number.NaN)),
      tensor('FP16', [1], Uint16Array.of(0x7c00)),
    ]) {
      const writer = jsonlWriter([output('f')]);
      expect(() => writer.add(blockOf(1), { f })).toThrow(
        'Output f is NaN or infinite, which JSON cannot say.',
      );
      expect(writer.end()).toHaveLength(0);
    }
  });

  it('without rows is a line of names, or nothing', () => {
    expect(text(csvWriter(columns).end())).toBe('row,"id, of it",b,u,i,l,h\n');
    expect(text(jsonlWriter(columns).end())).toBe('');
  });
});

const digitsIn = (cell: string): number =>
  cell.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;

function leastDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    // Clear of the middle between two floats, where readers differ.
    const near = [1 - 1e-15, 1 + 1e-15].map((factor) => Math.fround(decimal * factor));
    if (near.every((read) => read === value)) return digits;
  }
  return 9;
}
