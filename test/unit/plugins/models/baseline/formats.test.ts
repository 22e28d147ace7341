import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { csv, FILES, head, input, newFolder, npy, rowsOf, signalsOf } from './setup.ts';

const folder = newFolder();
const at = (name: string): string => join(FILES, name);
const numbers = [input('x', 'FP32', 4)];
const mixed = [
  input('price', 'FP32', 1),
  input('rooms', 'INT64', 1),
  input('sold', 'BOOL', 1),
  input('city', 'BYTES', 1),
];

describe('reference data', () => {
  it.each([
    'numbers.jsonl',
    'numbers-snappy.parquet',
    'numbers-gzip.parquet',
    'numbers-brotli.parquet',
    'numbers-zstd.parquet',
    'numbers-v2.parquet',
    'numbers-plain.parquet',
  ])('in %s are what they are in CSV', async (name) => {
    const expected = signalsOf(await folder.ship(at('numbers.csv'), numbers));
    expect(expected.map(({ label }) => label)).toEqual(['a', 'b', 'c d', 'ü']);
    expect(expected.map(({ nulls }) => nulls)).toEqual([0, 58, 0, 0]);
    expect(signalsOf(await folder.ship(at(name), numbers))).toEqual(expected);
  });

  it.each(['numbers.npy', 'columns.npy'])('in %s are the same but for names', async (name) => {
    const strip = (signals: readonly object[]) =>
      signals.map((signal) => ({ ...signal, name: '', label: '' }));
    const expected = signalsOf(await folder.ship(at('numbers.csv'), numbers));
    const found = signalsOf(await folder.ship(at(name), numbers));
    expect(found.map((signal) => [signal.name, signal.label])).toEqual(
      [0, 1, 2, 3].map((i) => [`x_${i}`, `x[${i}]`]),
    );
    expect(strip(found)).toEqual(strip(expected));
  });

  it.each(['mixed.jsonl', 'mixed.parquet', 'mixed-plain.parquet', 'mixed-pages.parquet'])(
    'with texts in %s are what they are in CSV',
    async (name) => {
      const expected = signalsOf(await folder.ship(at('mixed.csv'), mixed));
      expect(expected.map(({ kind, nulls }) => [kind, nulls])).toEqual([
        ['numeric', 0],
        ['numeric', 8],
        ['numeric', 0],
        ['category', 10],
      ]);
      const [, , , city] = expected;
      expect(city).toMatchObject({ values: ['Bern', 'Zürich', 'the "old" town', 'a, b'], rare: [] });
      expect(signalsOf(await folder.ship(at(name), mixed))).toEqual(expected);
    },
  );

  it('as arrays a line, with nested ones and in any format without names, are in the model’s order', async () => {
    const rows = (await readFile(at('numbers.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line): unknown[] => Object.values(JSON.parse(line)));
    const lines = (of: (row: unknown[]) => unknown) => rows.map((row) => JSON.stringify(of(row))).join('\n');
    const flat = await folder.ship(
      await folder.write(
        'flat.jsonl',
        lines((row) => row),
      ),
      numbers,
    );
    const deep = await folder.write(
      'deep.jsonl',
      lines(([a, b, c, d]) => [
        [a, b],
        [[c], [d]],
      ]),
    );
    const named = await folder.write(
      'named.jsonl',
      lines((row) => ({ x: [row] })),
    );
    const bare = await folder.write('bare.csv', rows.map((row) => row.join()).join('\n'));
    const numbered = await folder.write('numbered.csv', csv('0,1,2,3', ...rows.map((row) => row.join())));
    for (const path of [deep, named, bare, numbered])
      expect(signalsOf(await folder.ship(path, numbers)), path).toEqual(signalsOf(flat));
    const npy = await folder.ship(at('numbers.npy'), numbers);
    expect(signalsOf(npy)).toEqual(signalsOf(flat));
  });

  it('by column are the same beyond a block of rows', async () => {
    const rows = 40_001;
    const value = (row: number, column: number): number => ((row * (column + 3)) % 1009) / 8 + column;
    const data = Float32Array.from({ length: rows * 3 }, (_, i) => value(i % rows, Math.floor(i / rows)));
    const columns = await folder.write(
      'long.npy',
      npy(head('<f4', `${rows}, 3`, 'True'), new Uint8Array(data.buffer), 2),
    );
    const text = csv('0,1,2', ...rowsOf(rows, (row) => [0, 1, 2].map((column) => value(row, column)).join()));
    const inputs = [input('x', 'FP32', 2), input('y', 'FP64', 1)];
    const found = await folder.ship(columns, inputs);
    expect(found.baseline.rows).toBe(rows);
    expect(signalsOf(found)).toEqual(
      signalsOf(await folder.ship(await folder.write('long.csv', text), inputs)),
    );
  });

  it('give the same bytes each time, and are read once', async () => {
    const path = await folder.write('same.csv', csv('a', ...rowsOf(5000, (i) => String(Math.sin(i)))));
    const first = await folder.ship(path, [input('a', 'FP64', 1)]);
    expect(folder.words).toContain('Reference data same.csv: 100 % read');
    expect(folder.words.at(-1)).toBe(undefined);
    folder.words.length = 0;
    const second = await folder.ship(path, [input('a', 'FP64', 1)]);
    expect(folder.words).toEqual([]);
    expect(second).toEqual(first);
    const bytes = await readFile(first.upload.from);
    expect(bytes.toString()).toBe(JSON.stringify(first.baseline));
    // Another file of the same rows: another source, the same signals.
    const other = await folder.ship(
      await folder.write('other.csv', csv('a', ...rowsOf(5000, (i) => `"${Math.sin(i)}"`))),
      [input('a', 'FP64', 1)],
    );
    expect(other.facts.sha256).not.toBe(first.facts.sha256);
    expect(other.baseline).toEqual({ ...first.baseline, source: other.facts.source });
  });
});

describe('CSV', () => {
  const one = [input('a', 'FP64', 1)];
  const columns = async (text: string): Promise<unknown> => {
    const { baseline } = await folder.ship(await folder.write('cells.csv', text), one);
    const [signal] = baseline.signals;
    return signal?.kind === 'numeric' ? [signal.knots[0], signal.knots.at(-1), signal.nulls] : undefined;
  };

  it.each([
    ['plain', '-1.5', -1.5],
    ['quoted', '"-1.5"', -1.5],
    ['with blanks', ' -1.5 ', -1.5],
    ['with an exponent', '-15e-1', -1.5],
    ['with a sign', '+1.5', 1.5],
    ['without a whole part', '-.5', -0.5],
    ['of 17 digits', '-0.30000000000000004', -0.30000000000000004],
    ['beyond 2^53', '-9007199254740993', -9007199254740992],
    ['with many zeros', '-0.00000000000000000000000012345', -1.2345e-25],
    ['with many digits', `-0.${'1'.repeat(40)}`, -0.1111111111111111],
    ['as true', 'true', 1],
  ])('has numbers %s', async (_, text, value) => {
    const [low, high] = [Math.min(value, 0), Math.max(value, 0)];
    expect(await columns(csv('a', ...rowsOf(300, (i) => (i === 0 ? text : '0'))))).toEqual([low, high, 0]);
  });

  it.each(['nan', 'NaN', '-inf', 'Infinity', '""', '1e999'])('has no value in %s', async (text) => {
    expect(await columns(csv('a', ...rowsOf(300, (i) => (i === 0 ? text : '7'))))).toEqual([7, 7, 1]);
  });

  it('passes over blank lines, ends lines as Windows does, or not at all at its end', async () => {
    const rows = rowsOf(300, String);
    for (const text of [
      `\n\na\n${rows.join('\n\n')}`,
      `\uFEFFa\r\n${rows.join('\r\n')}\r\n`,
      `"a"\r\n${rows.join('\r\n')}`,
    ])
      expect(await columns(text)).toEqual([0, 299, 0]);
  });

  it('may have quoted line ends, and records longer than what is read at a time', async () => {
    const long = 'x'.repeat(3_000_000);
    const path = await folder.write(
      'long.csv',
      csv('t,a', ...rowsOf(300, (i) => `${i === 150 ? `"a\n""b""\n${long}"` : 't'},${i}`)),
    );
    const { baseline } = await folder.ship(path, [input('t', 'BYTES', 1), input('a', 'FP32', 1)]);
    expect(baseline.signals).toMatchObject([
      { values: ['t', `a\n"b"\n${long}`], counts: [299, 1, 0, 0] },
      {
        nulls: 0,
        edges: rowsOf(9, (i) => String((299 * (i + 1)) / 10)).map((edge) => expect.closeTo(Number(edge), 3)),
      },
    ]);
  });

  it('is read alike wherever its parts are cut', async () => {
    // Rows of changing length, so that the end of each part in memory falls into every place of a record.
    const rows = rowsOf(60_000, (i) => `${i},"${'q'.repeat(i % 53)}""${i % 3}",${(i * 7) % 1000}.25`);
    const path = await folder.write('cut.csv', csv('a,t,b', ...rows));
    const { baseline } = await folder.ship(path, [
      input('a', 'FP64', 1),
      input('t', 'BYTES', 1),
      input('b', 'FP64', 1),
    ]);
    expect(baseline.rows).toBe(60_000);
    const [a, t, b] = baseline.signals;
    expect(a).toMatchObject({
      knots: rowsOf(121, (i) => String((59_999 * i) / 120)).map((knot) => expect.closeTo(Number(knot), 6)),
    });
    expect(t?.kind === 'category' && t.values.length + t.rare.length).toBe(159);
    expect(b).toMatchObject({ counts: Array(10).fill(6000), nulls: 0 });
  });
});
