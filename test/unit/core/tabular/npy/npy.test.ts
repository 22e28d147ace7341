import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block, Column } from '../../../../../core/tabular/cells/format.ts';
import { openNpy } from '../../../../../core/tabular/npy/read.ts';
import { npyWriter } from '../../../../../core/tabular/npy/write.ts';
import type { TensorSpec } from '../../../../../core/tensor/contract.ts';
import { byParts, collected, input, refusal, rowsIn, signature, source } from '../arrays-setup.ts';

const PLAIN = { ids: [], join: false };
const fields = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }`;

/** An array's file, as numpy.save writes it. */
function npy(head: string, data: ArrayBufferView | undefined = undefined, version = 1): Uint8Array {
  const prefix = version === 1 ? 10 : 12;
  const text = `${head}${' '.repeat(63 - ((prefix + head.length) % 64))}\n`;
  const bytes = new Uint8Array(prefix + text.length + (data?.byteLength ?? 0));
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  new DataView(bytes.buffer).setUint16(8, text.length, true);
  bytes.set(new TextEncoder().encode(text), prefix);
  if (data !== undefined)
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), prefix + text.length);
  return bytes;
}
const open = (bytes: Uint8Array, ...inputs: readonly TensorSpec[]) =>
  openNpy(source(bytes), signature(...inputs), PLAIN);
async function all(bytes: Uint8Array, ...inputs: readonly TensorSpec[]): Promise<unknown[]> {
  return rowsIn(await collected((await open(bytes, ...inputs)).all(2 ** 25)));
}

describe('rows of a NumPy array', () => {
  it('are the array’s, once each and in order, in parts of any size and chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 70_000 }),
        fc.boolean(),
        async (rows, width, partBytes, chunk, hasFaults) => {
          const data = Float32Array.from({ length: rows * width }, (_, i) =>
            hasFaults && i % 997 === 5 ? Number.NaN : Math.fround(Math.sin(i)),
          );
          const read = source(npy(fields('<f4', `${rows}, ${width}`), data), chunk);
          const opened = await openNpy(read, signature(input('x', 'FP32', width)), PLAIN);
          const whole = rowsIn(await collected(opened.all(partBytes)));
          const expected = Array.from({ length: rows }, (_, row) => {
            const x = [...data.slice(row * width, (row + 1) * width)];
            const bad = x.findIndex(Number.isNaN);
            const reason = `Column x${width === 1 ? '' : `[${bad}]`} is NaN.`;
            return bad < 0 ? { row: row + 1, x } : { row: row + 1, code: 'NOT_FINITE', reason };
          });
          expect(whole).toEqual(expected);
          read.reads.length = 0;
          const { parts, blocks } = await byParts(opened, partBytes);
          expect(rowsIn(blocks)).toEqual(expected);
          // A part reads its own bytes only.
          const start = read.bytes - data.byteLength;
          expect(read.reads).toEqual(
            parts.map(({ from, to }) => [start + from * width * 4, start + to * width * 4]),
          );
          expect(parts.map(({ part, row, from }) => [part, row, from])).toEqual(
            parts.map(({ from }, i) => [i, from, from]),
          );
          for (const { from, to } of parts)
            expect((to - from) * width * 4).toBeLessThanOrEqual(Math.max(partBytes, width * 4));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are the same where its columns lie one after the other, in parts of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 60_000 }),
        async (rows, width, partBytes) => {
          const byRow = Float64Array.from({ length: rows * width }, (_, i) => i);
          const byColumn = byRow.map((_, i) => (i % rows) * width + Math.floor(i / rows));
          const file = (data: Float64Array, order: string) =>
            source(npy(fields('<f8', `${rows}, ${width}`, order), data), 1000);
          const open = (data: Float64Array, order: string) =>
            openNpy(file(data, order), signature(input('x', 'FP32', width)), PLAIN);
          const expected = rowsIn(await collected((await open(byRow, 'False')).all(partBytes)));
          const opened = await open(byColumn, 'True');
          expect(rowsIn(await collected(opened.all(partBytes)))).toEqual(expected);
          expect(rowsIn((await byParts(opened, partBytes)).blocks)).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('have tensors of at most a block’s rows', async () => {
    const opened = await open(
      npy(fields('<f4', '10000, 2'), new Float32Array(20_000)),
      input('x', 'FP32', 2),
    );
    const sizes = (await collected(opened.all(2 ** 30))).map(({ tensors }) => tensors.x?.shape);
    expect(sizes).toEqual([
      [4096, 2],
      [4096, 2],
      [1808, 2],
    ]);
    const large = await open(
      npy(fields('<f4', '3, 3000000'), new Float32Array(9_000_000)),
      input('x', 'FP32', 3_000_000),
    );
    expect((await collected(large.all(2 ** 30))).map(({ read }) => read)).toEqual([1, 1, 1]);
  });

  it('of several inputs have their elements in the signature’s order', async () => {
    const data = Float64Array.of(1.5, 2, 1, 4, 5.25, -6, 0, 8);
    const inputs = [
      input('a', 'FP32', 1),
      input('b', 'INT64'),
      input('c', 'BOOL', 1),
      input('d', 'UINT8', 1, 1),
    ];
    expect(await all(npy(fields('<f8', '2, 4'), data), ...inputs)).toEqual([
      { row: 1, a: [1.5], b: [2n], c: [1], d: [4] },
      { row: 2, a: [5.25], b: [-6n], c: [0], d: [8] },
    ]);
    const opened = await open(npy(fields('<f8', '2, 4'), data), ...inputs);
    const [block] = await collected(opened.all(100));
    expect(Object.values(block?.tensors ?? {}).map(({ shape }) => shape)).toEqual([
      [2, 1],
      [2],
      [2, 1],
      [2, 1, 1],
    ]);
  });

  it.each([
    ['three dimensions', '2, 2, 3', [2, 3]],
    ['flat ones', '2, 6', [2, 3]],
    ['an open dimension', '2, 2, 3', [-1, 3]],
    ['one open dimension', '2, 6', [-1]],
  ])('of %s take the model’s shape', async (_, shape, inner) => {
    const file = npy(
      fields('<f4', shape),
      Float32Array.from({ length: 12 }, (_, i) => i),
    );
    const [block] = await collected((await open(file, input('x', 'FP32', ...inner))).all(1000));
    const size = inner.length === 1 ? [6] : [2, 3];
    expect(block?.tensors.x).toEqual({
      datatype: 'FP32',
      shape: [2, ...size],
      data: Float32Array.from({ length: 12 }, (_, i) => i),
    });
  });

  it.each([1, 2, 3])('are read in version %i, with a head of any length', async (version) => {
    const short = npy(fields('|u1', '2,'), Uint8Array.of(7, 8), version);
    const long = npy(`${fields('|u1', '2,')}${' '.repeat(5000)}`, Uint8Array.of(7, 8), version);
    for (const file of [short, long])
      expect(await all(file, input('x', 'UINT8'))).toEqual([
        { row: 1, x: [7] },
        { row: 2, x: [8] },
      ]);
  });

  it.each([
    ['FP16', '<f2', Uint16Array.of(0x3c00, 0x7c00), 'NOT_FINITE: Column x is infinite.'],
    ['FP32', '<f8', Float64Array.of(1, 1e39), 'WRONG_VALUE: Column x is outside the range of FP32.'],
    ['FP32', '<f8', Float64Array.of(1, -Infinity), 'NOT_FINITE: Column x is infinite.'],
    ['FP16', '<f4', Float32Array.of(1, 70_000), 'WRONG_VALUE: Column x is outside the range of FP16.'],
    ['INT8', '<i4', Int32Array.of(-128, 128), 'WRONG_VALUE: Column x is outside the range of INT8.'],
    ['INT32', '<f4', Float32Array.of(7, 0.5), 'WRONG_VALUE: Column x must be a whole number.'],
    [
      'INT32',
      '<i8',
      BigInt64Array.of(-7n, 2n ** 31n),
      'WRONG_VALUE: Column x is outside the range of INT32.',
    ],
    [
      'UINT32',
      '<u8',
      BigUint64Array.of(2n ** 32n - 1n, 2n ** 32n),
      'WRONG_VALUE: Column x is outside the range of UINT32.',
    ],
    ['BOOL', '|u1', Uint8Array.of(1, 2), 'WRONG_VALUE: Column x must be true or false.'],
    ['BOOL', '|b1', Uint8Array.of(1, 2), 'WRONG_VALUE: Column x must be true or false.'],
    ['UINT64', '<i8', BigInt64Array.of(5n, -5n), /^WRONG_VALUE: Column x is outside the range of UINT64, or/],
    [
      'INT64',
      '<u8',
      BigUint64Array.of(5n, 2n ** 63n),
      /^WRONG_VALUE: Column x is outside the range of INT64, or/,
    ],
    [
      'INT64',
      '<f8',
      Float64Array.of(-(2 ** 53) + 1, 2 ** 53),
      /^WRONG_VALUE: Column x is outside the range of INT64, or/,
    ],
  ] as const)(
    'of %s from %s: what does not fit is a fault of its row',
    async (datatype, descr, data, reason) => {
      const [good, bad, ...rest] = await all(npy(fields(descr, '2,'), data), input('x', datatype));
      expect(rest).toEqual([]);
      const [first] = data;
      const isWide = datatype === 'INT64' || datatype === 'UINT64';
      const value = datatype === 'FP16' ? 0x3c00 : isWide ? BigInt(first as number) : Number(first);
      expect(good).toEqual({ row: 1, x: [value] });
      const { row, code, reason: why } = bad as { row: number; code: string; reason: string };
      expect(row).toBe(2);
      expect(`${code}: ${why}`).toMatch(reason instanceof RegExp ? reason : new RegExp(`^${reason}$`));
    },
  );

  it.each([
    ['FP16', '<f2', Uint16Array.of(0x3c00, 0x7e00, 0x7c00, 0x3c00), [0x3c00, 0x7e00]],
    ['FP32', '<f4', Float32Array.of(1, Number.NaN, Infinity, 1), [1, Number.NaN]],
    ['FP32', '<f8', Float64Array.of(1, Number.NaN, -Infinity, 1), [1, Number.NaN]],
    ['FP64', '<f4', Float32Array.of(1, Number.NaN, Infinity, 1), [1, Number.NaN]],
    ['INT32', '<f8', Float64Array.of(1, 2, Number.NaN, 1), [1, 2]],
  ] as const)(
    'of %s from %s: NaN is a missing value where it may be one, and nothing else is',
    async (datatype, descr, data, good) => {
      const one = signature(input('x', datatype, 2));
      const two = signature(input('x', datatype, 1), input('y', datatype, 1));
      for (const model of [one, two]) {
        const opened = await openNpy(source(npy(fields(descr, '2, 2'), data)), model, {
          ...PLAIN,
          missing: 'nan',
        });
        const [first, second] = rowsIn(await collected(opened.all(2 ** 25)));
        expect(first).toEqual(model === one ? { row: 1, x: good } : { row: 1, x: [good[0]], y: [good[1]] });
        expect(second).toMatchObject({ row: 2, code: 'NOT_FINITE' });
      }
    },
  );

  it('of one byte have no order of bytes: cnpy of C++ writes one, and numpy takes any', async () => {
    const x = input('x', 'INT64');
    for (const [descr, data] of [
      ['<u1', Uint8Array.of(0, 255)],
      ['>u1', Uint8Array.of(0, 255)],
      ['<i1', Int8Array.of(0, -1)],
      ['<b1', Uint8Array.of(0, 1)],
    ] as const)
      expect(await all(npy(fields(descr, '2,'), data), x), descr).toEqual([
        { row: 1, x: [0n] },
        { row: 2, x: [BigInt(data[1] as number)] },
      ]);
  });

  it('of 64 bits keep every digit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
        async (values) => {
          const file = npy(fields('<i8', `${values.length}, 1`), BigInt64Array.from(values));
          // Two inputs of one column would be another way through: both are taken.
          const one = await all(file, input('x', 'INT64'));
          expect(one).toEqual(values.map((value, i) => ({ row: i + 1, x: [value] })));
          const twice = npy(
            fields('<i8', `${values.length}, 2`),
            BigInt64Array.from(values.flatMap((value) => [value, value])),
          );
          const two = await all(twice, input('x', 'INT64'), input('y', 'FP64'));
          expect(two).toEqual(values.map((value, i) => ({ row: i + 1, x: [value], y: [Number(value)] })));
        },
      ),
    );
  });

  it('as doubles become 64-bit integers exactly as far as doubles tell them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.maxSafeInteger(), { minLength: 1 }), async (values) => {
        const file = npy(fields('<f8', `${values.length},`), Float64Array.from(values));
        expect(await all(file, input('x', 'INT64'))).toEqual(
          values.map((value, i) => ({ row: i + 1, x: [BigInt(value)] })),
        );
      }),
    );
  });
});

describe('a NumPy array is refused', () => {
  const x = input('x', 'FP32', 2);
  const two = new Float32Array(4);
  it.each([
    ['empty', new Uint8Array(0), /^UNREADABLE: The object is empty\. Write it with numpy\.save\.$/],
    ['one byte', Uint8Array.of(0x93), /^UNREADABLE: The object is no array of NumPy\./],
    ['text', new TextEncoder().encode('a,b\n1,2\n3,4\n'), /^UNREADABLE: The object is no array of NumPy\./],
    [
      'gzip',
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      /^UNREADABLE: The object is gzip.*Upload the \.npy file itself/,
    ],
    [
      'an archive',
      new TextEncoder().encode('PK\u0003\u0004aaaaaaaaaa'),
      /^UNREADABLE: The object is a \.npz archive\./,
    ],
    ['of a later version', npy(fields('<f4', '2, 2'), two, 4), /^UNREADABLE: The object is in version 4/],
    [
      'cut in its head',
      npy(fields('<f4', '2, 2')).slice(0, 40),
      /^UNREADABLE: The object ends within its head\./,
    ],
    [
      'with a head that is none',
      npy('{"descr": "<f4"}'),
      /^UNREADABLE: The object’s head is not that of an array\./,
    ],
    [
      'cut short',
      npy(fields('<f4', '2, 2'), two).slice(0, -1),
      /^UNREADABLE: The object has 15 bytes of elements, where its head says 16\. Write it again/,
    ],
    [
      'too long',
      npy(fields('<f4', '1, 2'), two),
      /^UNREADABLE: The object has 16 bytes of elements, where its head says 8\./,
    ],
    [
      'of absurd size',
      npy(fields('<f4', '99999999999999999999, 2'), two),
      /^UNREADABLE: The object has 16 bytes/,
    ],
    [
      'without elements',
      npy(fields('<f4', '99999999999999, 0')),
      /^WRONG_HEADER: The array’s rows have no elements\./,
    ],
    ['a number', npy(fields('<f4', ''), new Float32Array(1)), /^UNREADABLE: The array is a single number\./],
    [
      'in Fortran order',
      npy(fields('<f4', '1, 2, 2', 'True'), two),
      /^UNREADABLE: The array is in Fortran order.*numpy\.ascontiguousarray\(rows\)/,
    ],
    [
      'big-endian',
      npy(fields('>f4', '2, 2'), two),
      /^UNREADABLE: The array’s elements are of the type >f4;.*astype\("float32"\)/,
    ],
    ['of objects', npy(fields('|O', '2, 2'), two), /^UNREADABLE: The array’s elements are of the type \|O;/],
    [
      'of records',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", two),
      /^UNREADABLE: The array’s elements are records;/,
    ],
    [
      'of another width',
      npy(fields('<f4', '1, 4'), two),
      /^WRONG_HEADER: The array’s rows are \[4\]; the model’s input x takes \[2\]\./,
    ],
    [
      'of another shape',
      npy(fields('<f4', '2, 1, 2'), two),
      /^WRONG_HEADER: The array’s rows are \[1, 2\]; the model’s input x takes \[2\]\./,
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(open(bytes, x))).toMatch(message);
  });

  it('where columns are carried, or the model takes texts', async () => {
    const file = npy(fields('<f4', '2, 2'), two);
    for (const columns of [
      { ids: ['id'], join: false },
      { ids: [], join: true },
    ])
      expect(await refusal(openNpy(source(file), signature(x), columns))).toMatch(
        /^WRONG_HEADER: Columns of a NumPy array have no names/,
      );
    expect(await refusal(open(file, x, input('t', 'BYTES', 1)))).toMatch(
      /^WRONG_HEADER: The model’s input t is text/,
    );
    expect(await refusal(open(file, x, input('y', 'FP32', 1)))).toMatch(
      /^WRONG_HEADER: The array’s rows are \[2\]; the model’s inputs x, y take 3 elements together\./,
    );
    expect(await refusal(open(file, input('ids', 'FP32', -1), input('mask', 'FP32', -1)))).toMatch(
      /^WRONG_HEADER: The model’s inputs ids, mask have free sizes, and rows of an array do not tell where one/,
    );
  });

  it('that becomes shorter while it is read', async () => {
    const read = source(npy(fields('<f4', '2, 2'), two));
    const opened = await openNpy(read, signature(x), PLAIN);
    const cut = { ...read, stream: (start: number, end = 0) => read.stream(start, end - 3) };
    const shorter = await openNpy(cut, signature(x), PLAIN);
    expect(await collected(opened.all(100))).toHaveLength(1);
    expect(await refusal(collected(shorter.all(100)))).toMatch(/^UNREADABLE: The object ends within row 1\./);
  });
});

describe('a written NumPy array', () => {
  const columns: Column[] = [
    { name: 'row', of: 'row' },
    { name: 'p_0', of: 'output', output: 'p', index: 0 },
    { name: 'p_1', of: 'output', output: 'p', index: 1 },
    { name: 'label', of: 'output', output: 'label', index: 0 },
  ];
  const block = (rows: number[], faulty: number[]): Block => ({
    part: 0,
    read: rows.length + faulty.length,
    rows,
    tensors: {},
    carried: [],
    faults: faulty.map((row) => ({ row, code: 'WRONG_VALUE', reason: 'Column x has no value.' })),
  });

  it('has a row of NaN for each faulty row, and is read as what was written', async () => {
    const writer = npyWriter(columns, { p: 'FP32', label: 'INT64' });
    writer.add(block([11, 13], [12]), {
      p: { datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      label: { datatype: 'INT64', shape: [2], data: BigInt64Array.of(2n ** 40n, -1n) },
    });
    writer.add(block([], [14]), {});
    writer.add(block([16], [15]), {
      p: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(5, 6) },
      label: { datatype: 'INT64', shape: [1], data: BigInt64Array.of(7n) },
    });
    const read = await all(writer.end(), input('x', 'FP64', 3));
    const bad = (row: number) => ({ row, code: 'NOT_FINITE', reason: 'Column x[0] is NaN.' });
    expect(read).toEqual([
      { row: 1, x: [1, 2, 2 ** 40] },
      bad(2),
      { row: 3, x: [3, 4, -1] },
      bad(4),
      bad(5),
      { row: 6, x: [5, 6, 7] },
    ]);
  });

  it('is of single floats where all outputs are, and the same bytes each time', () => {
    const written = (): Uint8Array => {
      const writer = npyWriter(columns.slice(0, 3), { p: 'FP16', label: 'INT64' });
      writer.add(block([1], []), {
        p: { datatype: 'FP16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0xc000) },
      });
      return writer.end();
    };
    const text = new TextDecoder('latin1').decode(written());
    expect(text).toContain("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }");
    expect(new Float32Array(written().slice(-8).buffer)).toEqual(Float32Array.of(1, -2));
    expect(written()).toEqual(written());
  });
});
