import { gzipSync } from 'node:zlib';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { csv } from '../../../../../core/tabular/csv/csv.ts';
import { parquet } from '../../../../../core/tabular/parquet/parquet.ts';
import type { TensorSpec } from '../../../../../core/tensor/contract.ts';
import { readAll, signature, sourceOf } from '../../../core/tabular/setup.ts';
import { head, input, newFolder, npy } from './setup.ts';

/**
 * Where the readers of reference data were others than batch’s, batch’s rule is the one: each row is such a
 * case.
 */
const folder = newFolder();
const x2 = [input('x', 'FP32', 2)];
const floats = new Uint8Array(Float32Array.from({ length: 600 }, (_, i) => i).buffer);

describe('an array of NumPy', () => {
  it('with a head as Python 2 wrote it is read', async () => {
    const path = await folder.write('longs.npy', npy(head('<f4', '300L, 2L'), floats));
    expect((await folder.ship(path, x2)).baseline.rows).toBe(300);
  });

  it('with infinities has no value there', async () => {
    const data = Float32Array.from({ length: 600 }, (_, i) => (i < 2 ? ([Infinity, NaN][i] as number) : i));
    const path = await folder.write('infinite.npy', npy(head('<f4', '300, 2'), new Uint8Array(data.buffer)));
    expect((await folder.ship(path, x2)).baseline.signals.map(({ nulls }) => nulls)).toEqual([1, 1]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'in a version to come',
      npy(head('<f4', '300, 2'), floats, 4),
      /version 4 of NumPy’s format; 1 to 3 can be read/,
    ],
    [
      'that does not say its order',
      npy("{'descr': '<f4', 'shape': (300, 2), }\n", floats),
      /Its head is not that of an array/,
    ],
    ['that is one number', npy(head('<f4', ''), new Uint8Array(4)), /The array is a single number/],
    [
      'that is packed',
      gzipSync(npy(head('<f4', '300, 2'), floats)),
      /It is gzip, in which no row can be found/,
    ],
    ['in an archive', Buffer.from('PK\u0003\u0004 and so on'), /It is a \.npz archive/],
  ])('%s is refused with what it is', async (_, content, words) => {
    expect(await folder.refusal(await folder.write('other.npy', content), x2)).toMatch(words);
  });

  it('for a model that takes texts is refused for that', async () => {
    const path = await folder.write('texts.npy', npy(head('<f4', '300, 2'), floats));
    expect(await folder.refusal(path, [input('x', 'BYTES', 2)])).toMatch(
      /input x is text, which an array of numbers cannot hold\. Upload CSV/,
    );
  });
});

const ROWS = 300;
const rowsOf = <T>(of: (i: number) => T): T[] => Array.from({ length: ROWS }, (_, i) => of(i));

describe('a file of Parquet', () => {
  const files = {
    decimals: {
      data: rowsOf((i) => i / 4),
      of: { type: 'INT32', converted_type: 'DECIMAL', scale: 2, precision: 9 },
      value: (i: number) => i / 4,
    },
    'times of day': {
      data: rowsOf((i) => i * 1000),
      of: { type: 'INT32', converted_type: 'TIME_MILLIS' },
      value: (i: number) => i * 1000,
    },
  } as const;
  const fileOf = ({ data, of }: (typeof files)[keyof typeof files]): Uint8Array =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [{ name: 'a', data }],
        schema: [
          { name: 'root', num_children: 1 },
          { name: 'a', repetition_type: 'REQUIRED', ...of },
        ],
      }),
    );

  it.each(Object.keys(files) as (keyof typeof files)[])('of %s has numbers, in batch, too', async (what) => {
    const bytes = fileOf(files[what]);
    const found = await folder.ship(await folder.write(`${what}.parquet`, bytes), [input('a', 'FP32')]);
    const [signal] = found.baseline.signals;
    const { value } = files[what];
    expect(signal).toMatchObject({ nulls: 0 });
    expect(signal?.kind === 'numeric' && [signal.knots[0], signal.knots.at(-1)]).toEqual([
      value(0),
      value(299),
    ]);
    const { rows } = await readAll(
      (await parquet.open(sourceOf(bytes), signature([input('a', 'FP32')]), { ids: [], join: false })).all(
        1e9,
      ),
    );
    expect(rows.map(({ values }) => values.a?.[0])).toEqual(rowsOf(value));
  });

  it('of UUIDs has texts, in batch, too', async () => {
    const uuid = (i: number): string => `00000000-0000-4000-8000-00000000000${i % 2}`;
    const bytes = new Uint8Array(
      parquetWriteBuffer({ columnData: [{ name: 'a', data: rowsOf(uuid), type: 'UUID', nullable: false }] }),
    );
    const { baseline } = await folder.ship(await folder.write('uuids.parquet', bytes), [input('a', 'BYTES')]);
    expect(baseline.signals).toMatchObject([{ values: [uuid(0), uuid(1)], counts: [150, 150, 0, 0] }]);
    const opened = await parquet.open(sourceOf(bytes), signature([input('a', 'BYTES')]), {
      ids: [],
      join: false,
    });
    expect((await readAll(opened.all(1e9))).rows.map(({ values }) => values.a?.[0])).toEqual(rowsOf(uuid));
  });

  it.each<[string, ColumnSource, readonly TensorSpec[], RegExp]>([
    [
      'a text that is not UTF-8',
      { name: 'a', data: rowsOf((i) => Uint8Array.of(i === 7 ? 0xff : 65)), type: 'BYTE_ARRAY' },
      [input('a', 'BYTES')],
      /Row 8, column a is not UTF-8\./,
    ],
    [
      'a text with U+0000, which the model would be given cut',
      { name: 'a', data: rowsOf((i) => (i === 7 ? 'a\0b' : 'a')), type: 'STRING' },
      [input('a', 'BYTES')],
      /Row 8, column a has the character U\+0000/,
    ],
    [
      'numbers that are called JSON',
      { name: 'a', data: rowsOf((i) => i), type: 'JSON' },
      [input('a', 'FP32')],
      /Its column a has texts; the model takes numbers there\./,
    ],
  ])('with %s is refused', async (_, column, inputs, words) => {
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData: [column] }));
    expect(await folder.refusal(await folder.write('refused.parquet', bytes), inputs)).toMatch(words);
  });

  it('with texts that are null has no value there, as infinities and nulls of numbers', async () => {
    const bytes = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 't', data: rowsOf((i) => (i % 3 === 0 ? null : `t${i % 2}`)), type: 'STRING' },
          { name: 'n', data: rowsOf((i) => (i % 3 === 0 ? null : i)), type: 'INT32' },
          { name: 'a', data: rowsOf((i) => (i < 2 ? Infinity : i === 2 ? null : i)), type: 'DOUBLE' },
        ],
      }),
    );
    const inputs = [input('t', 'BYTES'), input('n', 'INT64'), input('a', 'FP32')];
    const { baseline } = await folder.ship(await folder.write('gaps.parquet', bytes), inputs);
    expect(baseline.signals.map(({ nulls }) => nulls)).toEqual([100, 100, 3]);
    expect(baseline.signals[0]).toMatchObject({ values: ['t0', 't1'], counts: [100, 100, 0, 0] });
  });
});

describe('a file of CSV', () => {
  const texts = [input('t', 'BYTES')];
  const lines = (row: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`t\n${'a\n'.repeat(300)}`), Buffer.from(row as string), Buffer.from('\n')]);

  it.each<[string, Buffer, RegExp]>([
    ['a text that is not UTF-8', lines(Buffer.of(65, 0xff)), /Line 302, column t is not UTF-8\./],
    ['a text with U+0000', lines('a\0b'), /Line 302, column t has the character U\+0000/],
    [
      'a quote that never closes',
      lines('"a\nb'),
      /The quote that opens a cell in line 302 is never closed\./,
    ],
  ])('with %s is refused', async (_, content, words) => {
    expect(await folder.refusal(await folder.write('refused.csv', content), texts)).toMatch(words);
  });

  it('that is packed with gzip is read', async () => {
    const path = await folder.write('packed.csv.gz', gzipSync(lines('b')));
    expect((await folder.ship(path, texts)).baseline.rows).toBe(301);
  });

  it('without names whose first row is an empty text has that row', async () => {
    const path = await folder.write('empty.csv', `""\n${'1\n'.repeat(300)}`);
    const { baseline } = await folder.ship(path, [input('a', 'FP32')]);
    expect([baseline.rows, baseline.signals[0]?.nulls]).toEqual([301, 1]);
  });

  it('may have a row of 20 MB, which batch would refuse', async () => {
    const path = await folder.write('long.csv', lines('x'.repeat(20 * 1024 ** 2)));
    expect((await folder.ship(path, texts)).baseline.rows).toBe(301);
    const opened = await csv.open(sourceOf(lines('x'.repeat(20 * 1024 ** 2))), signature(texts), {
      ids: [],
      join: false,
    });
    await expect(readAll(opened.all(1e9))).rejects.toThrow('The row in line 302 is longer than 16 MB.');
  });
});

describe('a file of JSON lines', () => {
  const inputs = [input('t', 'BYTES'), input('a', 'FP32')];
  const good = rowsOf((i) => `{"t":"x","a":${i}}`);
  const lines = (row: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${good.join('\n')}\n`), Buffer.from(row as string), Buffer.from('\n')]);

  it.each<[string, Buffer, RegExp]>([
    ['a key that is there twice', lines('{"t":"x","a":1,"a":2}'), /Line 301: a is there twice\./],
    ['text that is not UTF-8', lines(Buffer.from('{"t":"\xff","a":1}', 'latin1')), /Line 301 is not UTF-8\./],
    ['a text with U+0000', lines('{"t":"a\\u0000","a":1}'), /Line 301, column t has the character U\+0000/],
    [
      'half a surrogate pair',
      lines('{"t":"\\ud800","a":1}'),
      /Line 301, column t has half of a surrogate pair/,
    ],
    [
      'arrays 33 deep',
      lines(`{"t":"x","a":${'['.repeat(33)}1${']'.repeat(33)}}`),
      /Line 301 is nested deeper than 32/,
    ],
  ])('with %s is refused', async (_, content, words) => {
    expect(await folder.refusal(await folder.write('refused.jsonl', content), inputs)).toMatch(words);
  });

  it('that is packed with gzip is read', async () => {
    const path = await folder.write('packed.jsonl.gz', gzipSync(lines('{"t":"y","a":1}')));
    expect((await folder.ship(path, inputs)).baseline.rows).toBe(301);
  });

  it('has no value in null, in a key that is not there and beyond a double; true is 1', async () => {
    const gaps = '{"a":5}\n{"t":null,"a":null}\n{"t":"","a":1e400}\n{"a":true,"t":"x"}';
    const { baseline } = await folder.ship(await folder.write('gaps.jsonl', lines(gaps)), inputs);
    expect(baseline.signals.map(({ nulls }) => nulls)).toEqual([3, 2]);
  });

  it('has arrays of one length in a column, however they are nested', async () => {
    const rows = rowsOf((i) => `{"x":[[${i},null],[[true]]],"answer":"y"}`).join('\n');
    const { baseline } = await folder.ship(
      await folder.write('nested.jsonl', `${rows}\n{"x":null}`),
      [input('x', 'FP32', 3)],
      { outputs: [input('answer', 'BYTES')] },
    );
    expect(baseline.signals.map(({ nulls }) => nulls)).toEqual([1, 301, 1]);
  });
});
