import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { type Entry, type Format, SIZES } from '../../../../core/batch/contract.ts';
import { openRows } from '../../../../core/batch/formats.ts';
import type { Columns } from '../../../../core/tensor/contract.ts';
import {
  input,
  objectFaultOf,
  type Read,
  readAll,
  readParts,
  signature,
  sourceOf,
} from '../tabular/setup.ts';
import { ENTRY, scene } from './scene.ts';

/** Rows of a table in a format, with the columns in the given order. */
type Table = { readonly names: readonly string[]; readonly rows: readonly (readonly (number | null)[])[] };
const WRITE: Readonly<Record<'csv' | 'jsonl' | 'parquet', (table: Table) => string | Uint8Array>> = {
  csv: ({ names, rows }) =>
    [names, ...rows.map((row) => row.map((value) => value ?? ''))].map((line) => `${line.join()}\n`).join(''),
  jsonl: ({ names, rows }) =>
    rows
      .map((row) => `${JSON.stringify(Object.fromEntries(names.map((name, i) => [name, row[i]])))}\n`)
      .join(''),
  parquet: ({ names, rows }) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: names.map((name, i) => ({
          name,
          data: rows.map((row) => row[i] as number),
          type: 'DOUBLE',
          nullable: true,
        })),
        rowGroupSize: 7,
      }),
    ),
};
const FORMATS = ['csv', 'jsonl', 'parquet'] as const;

const NAMES = ['age', 'income', 'since'];
const model = signature([input('x', 'FP32', 3)], { outputs: [input('label', 'INT64')] });
const entryOf = (format: Format, more: Partial<Entry> = {}): Entry => ({ ...ENTRY, format, ...more });
const open = (
  format: Format,
  content: string | Uint8Array,
  columns?: Columns,
  more: Partial<Entry> = {},
  of = model,
) => openRows(entryOf(format, more), sourceOf(content), { signature: of, ...(columns && { columns }) });
const bind = { names: NAMES, bind: true };
const free = { names: NAMES, bind: false };
const table = (rows: number): Table => ({
  names: NAMES,
  rows: Array.from({ length: rows }, (_, i) => [i, i / 4, i * i]),
});
/** The same table, its columns in another order. */
const ordered = ({ names, rows }: Table, order: readonly number[]): Table => ({
  names: order.map((i) => names[i] as string),
  rows: rows.map((row) => order.map((i) => row[i] as number | null)),
});
const valuesOf = ({ rows, faults }: Read): unknown => ({
  rows: rows.map(({ row, values }) => [row, values.x]),
  faults,
});
const REVERSED = [2, 1, 0];

describe.each(FORMATS)('columns of %s', (format) => {
  const write = WRITE[format];

  it.each([bind, free])('in another order are taken by their names: %j', async (columns) => {
    const reversed = await open(format, write(ordered(table(20), REVERSED)), columns);
    expect(reversed.taken).toEqual({ by: 'name', notices: [] });
    const read = await readAll(reversed.all(2 ** 20));
    expect(read.rows.map(({ values }) => values.x)).toEqual(table(20).rows);
  });

  it('give the same rows in any order, in parts of any size, with ids and join', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 20, max: 600 }),
        fc.constantFrom<Partial<Entry>>({ ids: ['who'] }, { join: true }),
        fc.constantFrom(bind, free),
        async (order, rows, partBytes, extras, columns) => {
          const all = table(rows);
          const wide = { names: [...NAMES, 'who'], rows: all.rows.map((row, i) => [...row, 100 + i]) };
          const opened = await open(format, write(ordered(wide, order)), columns, extras);
          const whole = await readAll(opened.all(partBytes));
          expect(whole.faults).toEqual([]);
          expect(whole.rows.map(({ values }) => values.x)).toEqual(all.rows);
          const who = opened.carried.indexOf('who');
          expect(whole.rows.map(({ carried }) => Number(carried[who]))).toEqual(
            all.rows.map((_, i) => 100 + i),
          );
          const { parts: _, ...byParts } = await readParts(opened, partBytes);
          expect(byParts).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a header that lacks a name that binds', () => {
  const renamed = { names: ['age', 'incme', 'since'], rows: table(3).rows };

  it.each(['csv', 'parquet'] as const)('is refused by name: %s', async (format) => {
    expect(await objectFaultOf(() => open(format, WRITE[format](renamed), bind))).toEqual({
      code: 'WRONG_HEADER',
      message:
        'It has no column income; the columns of the model are age, income, since. Name the columns of the file as the model does, and add what is missing.',
    });
  });

  it('makes each JSON row a faulty one that names it', async () => {
    const rows = await open('jsonl', WRITE.jsonl(renamed), bind);
    const { faults } = await readAll(rows.all(2 ** 20));
    expect(faults).toHaveLength(3);
    expect(faults[0]).toMatchObject({
      code: 'UNKNOWN_INPUT',
      reason: 'The key "incme" is no input of the model; known are age, income, since.',
    });
    const short = await open('jsonl', '{"age":1,"since":2}\n', bind);
    expect((await readAll(short.all(2 ** 20))).faults[0]).toMatchObject({
      code: 'MISSING_INPUT',
      reason: 'income is missing, a column of the model.',
    });
  });

  it('leaves the order as it is where the names are the reference data’s, and says so', async () => {
    for (const format of ['csv', 'parquet'] as const) {
      const rows = await open(format, WRITE[format](renamed), free);
      expect(rows.taken).toEqual({ by: 'order', notices: ['NAMES_DIFFER'] });
      expect((await readAll(rows.all(2 ** 20))).rows.map(({ values }) => values.x)).toEqual(table(3).rows);
    }
  });
});

describe('rows without names', () => {
  it.each([
    ['1,2,4\n5,6,7\n', 2, []],
    // What numbers the columns may be a row, unless the rows have fractions.
    ['0,1,2\n5,6,7\n', 1, ['NUMBERS_FIRST']],
    ['1,2,3\n5,6,7\n', 1, ['NUMBERS_FIRST']],
    ['0,1,2\n5,6.5,7\n', 1, []],
    ['2020,2021,2022\n5,6.5,7\n', 2, ['INTEGERS_FIRST']],
    ['2020,2021,2022\n5,6,7\n', 2, []],
  ] as const)('are in their order, and that is told: %j', async (text, count, notices) => {
    for (const columns of [bind, free, undefined]) {
      const rows = await open('csv', text, columns);
      expect(rows.taken).toEqual({ by: 'order', notices });
      expect((await readAll(rows.all(2 ** 20))).rows).toHaveLength(count);
    }
  });

  it.each([
    ['great\nbad\n', { by: 'order', notices: ['TEXTS_FIRST'] }],
    ['text\ngreat\nbad\n', { by: 'name', notices: [] }],
    ['1\nbad\n', { by: 'order', notices: [] }],
  ])('of texts may be taken for names, and that is told: %j', async (text, taken) => {
    const texts = { ...model, inputs: [{ name: 'text', datatype: 'BYTES' as const, shape: [-1] }] };
    const rows = await openRows(entryOf('csv'), sourceOf(text), { signature: texts });
    expect(rows.taken).toEqual(taken);
    const named = { signature: texts, columns: { names: ['great'], bind: true } };
    expect((await openRows(entryOf('csv'), sourceOf('great\nbad\n'), named)).taken?.notices).toEqual([]);
  });

  it('of years are names where the model’s are these', async () => {
    const years = { names: ['2020', '2021', '2022'], bind: true };
    const rows = await open('csv', '2022,2021,2020\n1.5,2,3\n', years);
    expect(rows.taken).toEqual({ by: 'name', notices: [] });
    expect((await readAll(rows.all(2 ** 20))).rows.map(({ values }) => values.x)).toEqual([[3, 2, 1.5]]);
  });

  it('are told the same, however the object comes in pieces', async () => {
    const text = '2020,2021,2022\r\n5,6.5,7\r\n';
    for (let size = 1; size < text.length; size++) {
      const rows = await openRows(entryOf('csv'), sourceOf(text, [size]), { signature: model });
      expect(rows.taken, String(size)).toEqual({ by: 'order', notices: ['INTEGERS_FIRST'] });
    }
  });

  it('of JSON are arrays, beside objects of columns, too', async () => {
    const lone = await open('jsonl', '[1,2,3]\n', bind);
    expect(lone.taken).toEqual({ by: 'order', notices: [] });
    const both = await open(
      'jsonl',
      'not JSON\n{"since":3,"age":1,"income":2}\n[4,5,6]\n{"x":[7,8,9]}\n',
      bind,
    );
    const { rows, faults } = await readAll(both.all(2 ** 20));
    expect(rows.map(({ values }) => values.x)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(faults.map(({ line, code }) => [line, code])).toEqual([
      [1, 'INVALID_JSON'],
      [4, 'UNKNOWN_INPUT'],
    ]);
    const whole = await open('jsonl', '{"x":[7,8,9]}\n', bind);
    expect(whole.taken).toEqual({ by: 'order', notices: [] });
    expect((await readAll(whole.all(2 ** 20))).rows.map(({ values }) => values.x)).toEqual([[7, 8, 9]]);
  });

  it('of JSON by columns may have texts, and any number of columns', async () => {
    const texts = signature([input('x', 'BYTES', -1)]);
    const rows = await open('jsonl', '{"b":"é","a":"1"}\n', { names: ['a', 'b'], bind: false }, {}, texts);
    expect(valuesOf(await readAll(rows.all(2 ** 20)))).toEqual({ rows: [[1, ['1', 'é']]], faults: [] });
  });
});

describe('values that are missing', () => {
  const holes: Table = {
    names: NAMES,
    rows: [
      [1, null, 3],
      [null, null, null],
      [4, 5, 6],
    ],
  };

  it.each(FORMATS)('are refused in %s, unless they are NaN for the model', async (format) => {
    const content = WRITE[format](holes);
    const refused = await readAll((await open(format, content, bind)).all(2 ** 20));
    expect(refused.rows.map(({ row }) => row)).toEqual([3]);
    expect(refused.faults.map(({ code }) => code)).toEqual(['WRONG_VALUE', 'WRONG_VALUE']);
    const taken = await readAll((await open(format, content, bind, { missing: 'nan' })).all(2 ** 20));
    expect(taken.faults).toEqual([]);
    expect(taken.rows.map(({ values }) => values.x)).toEqual(
      holes.rows.map((row) => row.map((value) => value ?? Number.NaN)),
    );
  });

  it.each([
    ['FP16', 'csv', 'nan,NaN\n,1\n'],
    ['FP64', 'csv', '"",-nan\n+NAN,1\n'],
    ['FP16', 'jsonl', '[null,null]\n[null,1]\n'],
    ['FP64', 'jsonl', '{"x":[null,null]}\n{"x":[null,1]}\n'],
  ] as const)('of %s are NaN in %s: %j', async (datatype, format, text) => {
    const of = signature([input('x', datatype, 2)]);
    const { rows, faults } = await readAll(
      (await open(format, text, undefined, { missing: 'nan' }, of)).all(2 ** 20),
    );
    expect(faults).toEqual([]);
    const [none, one] = datatype === 'FP16' ? [0x7e00, 0x3c00] : [Number.NaN, 1];
    expect(rows.map(({ values }) => values.x)).toEqual([
      [none, none],
      [none, one],
    ]);
  });

  it.each([
    ['INT32', 'csv', '1,\n2,NaN\n'],
    ['BOOL', 'csv', '1,\n1,NaN\n'],
    ['INT64', 'jsonl', '[1,null]\n[2,null]\n'],
    ['FP32', 'csv', '1,inf\n2,NA\n'],
    ['FP32', 'jsonl', '[1,NaN]\n[2,"nan"]\n'],
  ] as const)('of %s stay refused in %s: %j', async (datatype, format, text) => {
    const of = signature([input('x', datatype, 2)]);
    const read = await readAll((await open(format, text, undefined, { missing: 'nan' }, of)).all(2 ** 20));
    expect(read.rows).toEqual([]);
    expect(read.faults).toHaveLength(2);
  });
});

describe('a job', () => {
  /** All that a job with these columns writes of a text. */
  const written = async (text: string, columns?: Columns, entry: Partial<Entry> = {}, whole?: number) => {
    const s = scene({
      entry,
      ...(columns && { manifest: { columns } }),
      ...(whole !== undefined && { whole }),
    });
    await s.send(s.upload('rows/a.csv', text));
    for (const job of s.spread) await s.map(job);
    return s;
  };
  const success = (files: Readonly<Record<string, string>>) => JSON.parse(files['_SUCCESS.json'] ?? 'null');
  const two = (names: readonly string[], isBinding = true): Columns => ({ names, bind: isBinding });

  it.each([undefined, 10])(
    'says how its columns were taken, also of many parts (whole: %s)',
    async (whole) => {
      const rows = Array.from({ length: 20 }, (_, i) => `${i},${i / 2}\n`).join('');
      const cases: readonly (readonly [string, Columns | undefined, object])[] = [
        [`b,a\n${rows}`, two(['a', 'b']), { columns: 'name' }],
        [rows, two(['a', 'b']), { columns: 'order' }],
        [`c,d\n${rows}`, undefined, { columns: 'order' }],
        [
          `c,d\n${rows}`,
          two(['a', 'b'], false),
          {
            columns: 'order',
            notices: [expect.stringMatching(/^The names of its columns are not those of/)],
          },
        ],
        [
          `2020,2021\n5.5,1\n${rows}`,
          undefined,
          {
            columns: 'order',
            notices: [expect.stringMatching(/^Its first line has different whole numbers/)],
          },
        ],
      ];
      for (const [text, columns, expected] of cases) {
        const found = success((await written(text, columns, {}, whole)).files());
        expect(found, text.slice(0, 10)).toMatchObject(expected);
        expect(Object.hasOwn(found, 'notices')).toBe(Object.hasOwn(expected, 'notices'));
        expect(Object.hasOwn(found, 'missing')).toBe(false);
      }
    },
  );

  it('counts the values that were missing, in parts and in all', async () => {
    const s = await written('1,\n,\n3,4\n5,x\n', undefined, { missing: 'nan', outputFormat: 'npy' });
    expect(success(s.files())).toMatchObject({ rows: 4, errors: 1, missing: 3, files: [{ missing: 3 }] });
  });

  it('has another folder where missing values are taken, and the one that it had where not', async () => {
    const folderFor = async (entry: Partial<Entry>) => {
      const s = await written('1,2\n', undefined, entry);
      const { object } = success(s.files());
      const key = [...s.output.objects.keys()].find((one) => one.endsWith('_SUCCESS.json'));
      return { key, object };
    };
    const plain = await folderFor({});
    expect((await folderFor({ missing: 'nan' })).key).not.toBe(plain.key);
    const { bucket, key, etag } = plain.object;
    const before = JSON.stringify([bucket, key, etag, 'csv', 'csv', [], false, [], SIZES.part]);
    const hash = createHash('sha256').update(before).digest('hex');
    expect(plain.key).toBe(`scored/sum@0123456789ab/${hash}/_SUCCESS.json`);
  });
});

it('columns of JSON lines are found by their names behind a thousand lines that are no rows', async () => {
  const text = `${'\n# no row'.repeat(500)}\n{"since":3,"age":1,"income":2}\n`;
  const { rows, faults } = await readAll((await open('jsonl', text, bind)).all(1e9));
  expect(faults).toHaveLength(500);
  expect(rows.map(({ values }) => values.x)).toEqual([[1, 2, 3]]);
});
