import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { csv, head, input, newFolder, npy, rowsOf, signalsOf } from './setup.ts';

const folder = newFolder();
const x = [input('x', 'FP64', 3)];
const NAMES = ['age', 'income', 'since'];
const bind = { names: NAMES, bind: true };
const value = (row: number, column: number): number => Math.sin((row + 1) * (column + 1)) + column;
const ROWS = 400;
const rows = rowsOf(ROWS, (row) => [0, 1, 2].map((column) => value(row, column)).join());

/** The same table in each format, with its columns in an order. */
const written: Readonly<
  Record<string, (names: readonly string[], order: readonly number[]) => string | Uint8Array>
> = {
  csv: (names, order) =>
    csv(order.map((i) => names[i]).join(), ...rowsOf(ROWS, (row) => order.map((i) => value(row, i)).join())),
  jsonl: (names, order) =>
    rowsOf(ROWS, (row) =>
      JSON.stringify(Object.fromEntries(order.map((i) => [names[i] as string, value(row, i)]))),
    ).join('\n'),
  parquet: (names, order) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: order.map((i) => ({
          name: names[i] as string,
          data: Array.from({ length: ROWS }, (_, row) => value(row, i)),
          type: 'DOUBLE' as const,
        })),
      }),
    ),
};
const write = (format: string, names: readonly string[], order: readonly number[]) =>
  folder.write(`${order.join('')}-${names.join('')}.${format}`, written[format]?.(names, order) ?? '');

describe.each(Object.keys(written))('reference data in %s', (format) => {
  it('whose columns are in another order are the same by their names', async () => {
    const expected = await folder.ship(await write(format, NAMES, [0, 1, 2]), x);
    const found = await folder.ship(await write(format, NAMES, [2, 0, 1]), x, {}, bind);
    expect(signalsOf(found)).toEqual(signalsOf(expected));
    expect(found.notices).toEqual(expected.notices);
    for (const { columns } of [expected, found]) expect(columns).toEqual(NAMES);
  });

  it('that lack a column are refused with its name', async () => {
    const path = await write(format, ['age', 'incme', 'since'], [0, 1, 2]);
    expect(await folder.refusal(path, x, {}, bind)).toBe(
      `${path}: It has no column income; the columns of the model are age, income, since. Name the columns of the file as the model does, and add what is missing.`,
    );
  });
});

describe('reference data without names', () => {
  const TRUSTED =
    'The columns of the reference data were taken in their order: the file has no names for them.';

  it('are in their order, and that is told where names are known', async () => {
    const data = Float64Array.from({ length: ROWS * 3 }, (_, i) => value(Math.floor(i / 3), i % 3));
    for (const path of [
      await folder.write('bare.csv', rows.join('\n')),
      await folder.write('zero.csv', csv('0,1,2', ...rows)),
      await folder.write('one.csv', csv('1,2,3', ...rows)),
      await folder.write('rows.jsonl', rows.map((row) => `[${row}]`).join('\n')),
      await folder.write('array.npy', npy(head('<f8', `${ROWS}, 3`), new Uint8Array(data.buffer))),
    ]) {
      const known = await folder.ship(path, x, {}, bind);
      expect(known.notices, path).toContain(TRUSTED);
      const unknown = await folder.ship(path, x);
      expect(unknown.notices, path).not.toContain(TRUSTED);
      for (const { columns, facts } of [known, unknown]) {
        expect(columns, path).toBe(undefined);
        expect(facts.rows, path).toBe(ROWS);
      }
      expect(signalsOf(known)).toEqual(signalsOf(unknown));
    }
  });

  it('that begin with whole numbers before fractions are asked about', async () => {
    const years = await folder.ship(await folder.write('years.csv', csv('2020,2021,2022', ...rows)), x);
    expect(years.facts.rows).toBe(ROWS + 1);
    expect(years.notices).toContainEqual(
      expect.stringMatching(/^Its first line has different whole numbers/),
    );
    const named = { names: ['2020', '2021', '2022'], bind: true };
    const known = await folder.ship(
      await folder.write('years.csv', csv('2022,2021,2020', ...rows)),
      x,
      {},
      named,
    );
    expect(known.facts.rows).toBe(ROWS);
    expect(known.columns).toEqual(named.names);
  });
});

describe('names of a header', () => {
  it('are told of a table only: not of several inputs, of arrays, or of the input itself', async () => {
    const two = await folder.ship(
      await folder.write('two.csv', csv('a,b', ...rowsOf(ROWS, (i) => `${i},${-i}`))),
      [input('a', 'FP64', 1), input('b', 'FP64', 1)],
    );
    const arrays = await folder.ship(
      await folder.write('arrays.jsonl', rows.map((row) => `{"x":[${row}]}`).join('\n')),
      x,
    );
    const answers = await folder.ship(
      await folder.write(
        'label.csv',
        csv('age,label,income,since', ...rows.map((row) => row.replace(',', ',1,'))),
      ),
      x,
      { outputs: [input('label', 'INT64')] },
    );
    expect([two.columns, arrays.columns, answers.columns]).toEqual([undefined, undefined, NAMES]);
  });
});
