import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorSpec } from '../../../../../core/tensor/contract.ts';
import { csv, FILES, head, input, newFolder, npy, rowsOf } from './setup.ts';

const folder = newFolder();
const x2 = [input('x', 'FP32', 2)];
const named = [input('a', 'FP32', 1), input('b', 'INT64')];
const two = (of: (i: number) => string = (i) => `${i},${i}`): string[] => rowsOf(300, of);
const broken = (row: string, at = 200): string[] => two((i) => (i === at ? row : `${i},${i}`));

describe('reference data are refused', () => {
  it.each<[string, string, string | Uint8Array, readonly TensorSpec[], RegExp]>([
    [
      'of a format that is not read',
      'a.xlsx',
      '',
      x2,
      /no format that can be read\. Write a file that ends in \.csv, \.jsonl, \.npy, \.parquet/,
    ],
    ['that are empty', 'a.csv', '', x2, /It is empty/],
    [
      'with too few rows',
      'a.csv',
      csv('a,b', ...rowsOf(299, () => '1,2')),
      x2,
      /has 299 rows; reference data have at least 300/,
    ],
    ['with names only', 'a.csv', 'a,b', x2, /has 0 rows/],
    [
      'with a text for a number',
      'a.csv',
      csv('a,b', ...broken('1,secret')),
      x2,
      /Line 202, column b must be a number\./,
    ],
    [
      'with a text in quotes',
      'a.csv',
      csv('a,b', ...broken('"sec,ret",2')),
      x2,
      /Line 202, column a must be a number\./,
    ],
    [
      'with a fraction of an integer',
      'a.csv',
      csv('a,b', ...broken('1,1.5')),
      named,
      /Line 202, column b must be a whole number \(INT64\)/,
    ],
    [
      'with an integer out of range',
      'a.csv',
      csv('a,b', ...broken('1,9223372036854775808')),
      named,
      /Line 202, column b is out of the range of INT64/,
    ],
    [
      'with a number for a boolean',
      'a.csv',
      csv('a,b', ...broken('1,2')),
      [input('a', 'FP32'), input('b', 'BOOL')],
      /column b must be true, false, 1 or 0/,
    ],
    ['with a short line', 'a.csv', csv('a,b', ...broken('1')), x2, /Line 202 has 1 column; 2 are expected/],
    [
      'with a long line',
      'a.csv',
      csv('a,b', ...broken('1,2,3')),
      x2,
      /Line 202 has 3 columns; 2 are expected/,
    ],
    [
      'with a line of text that is too long',
      'a.csv',
      csv('a,b', ...broken('1,2,"x"')),
      x2,
      /Line 202 has 3 columns/,
    ],
    [
      'with a quote in a bare cell',
      'a.csv',
      csv('a,b', ...broken('1,2"')),
      x2,
      /Line 202 is not CSV: a quote is out of place/,
    ],
    [
      'with a quote that never closes',
      'a.csv',
      csv('a,b', ...broken('1,"2')),
      x2,
      /quote that opens a cell in line 202 is never closed/,
    ],
    ['with more after a quote', 'a.csv', csv('a,b', ...broken('1,"2"3')), x2, /Line 202 is not CSV/],
    [
      'with lines counted by their ends, in quotes, too',
      'a.csv',
      csv('t,a', '"x\ny\nz",1', '', 't,u'),
      [input('t', 'BYTES'), input('a', 'FP32')],
      /Line 6, column a must be a number/,
    ],
    [
      'with a column that is none of the model’s',
      'a.csv',
      csv('a,b,c', ...two((i) => `${i},${i},${i}`)),
      named,
      /Its column c is no input of the model; the model takes a, b\. Drop this column/,
    ],
    [
      'with several of them',
      'a.csv',
      csv('c,a,b,d', ...two((i) => `${i},${i},${i},${i}`)),
      named,
      /Its columns c, d are no inputs of the model; the model takes a, b\. Drop these columns from the file\./,
    ],
    [
      'with another separator',
      'a.csv',
      csv('a;b', ...two((i) => `${i};${i}`)),
      named,
      /Its first line has no comma, but semicolons\. Separate the cells by commas/,
    ],
    [
      'in UTF-16',
      'a.csv',
      Buffer.from(`\uFEFF${csv('a,b', ...two())}`, 'utf16le'),
      named,
      /Its first line, 1, is not UTF-8\. Save the file in UTF-8\.$/,
    ],
    [
      'in UTF-16 without a mark',
      'a.csv',
      Buffer.from(csv('a,b', ...two()), 'utf16le'),
      named,
      /Its first line has zero bytes, so it is not UTF-8\. Save the file in UTF-8\.$/,
    ],
    [
      'without a column of the model',
      'a.csv',
      csv('a', ...two(String)),
      named,
      /It has no column b, an input of the model\. Add/,
    ],
    [
      'with a column too many',
      'a.csv',
      csv('a,b,c', ...two((i) => `${i},${i},${i}`)),
      x2,
      /It has 3 columns for the input x; the model takes 2\. Drop/,
    ],
    [
      'with a column too few',
      'a.csv',
      csv('a', ...two(String)),
      x2,
      /It has 1 column for the input x; the model takes 2\. Add/,
    ],
    ['with two columns of one name', 'a.csv', csv('a,a', ...two()), x2, /two columns a/],
    [
      'with a column without a name',
      'a.csv',
      csv(',a,b', ...two((i) => `${i},1,2`)),
      x2,
      /column 1 has no name\..*index=False/,
    ],
    [
      'with a row that is no name',
      'a.csv',
      csv('1,2,4', ...two((i) => `${i},1,2`)),
      x2,
      /first line has no names, and 3 numbers; the model takes 2\. Write the names/,
    ],
    [
      'that are no JSON',
      'a.jsonl',
      ['{"a":1,"b":2}', '{"a":NaN,"b":2}'].join('\n'),
      named,
      /Line 2 is not valid JSON\./,
    ],
    ['that are no rows', 'a.jsonl', '3', named, /Line 1 must be a JSON object\./],
    [
      'with a text in JSON',
      'a.jsonl',
      ['{"a":1,"b":2}', '', '{"a":"secret","b":2}'].join('\n'),
      named,
      /Line 3, column a must be a number/,
    ],
    [
      'with a number for a text in JSON',
      'a.jsonl',
      '{"a":1}',
      [input('a', 'BYTES')],
      /Line 1, column a must be a string/,
    ],
    [
      'with another column in JSON',
      'a.jsonl',
      ['{"a":1,"b":2}', '{"a":1,"b":2,"c":3}'].join('\n'),
      named,
      /Line 2: The key "c" is no input of the model; known are a, b\./,
    ],
    [
      'with arrays among objects',
      'a.jsonl',
      ['{"a":1,"b":2}', '[1,2]'].join('\n'),
      named,
      /Line 2 is not what the first is/,
    ],
    [
      'with longer arrays',
      'a.jsonl',
      ['[1,2]', '[1,2,3]'].join('\n'),
      x2,
      /Line 2 has 3 values; in the first row 2\./,
    ],
    [
      'with longer arrays in a column',
      'a.jsonl',
      ['{"x":[1,2]}', '{"x":[[1],[2,3]]}'].join('\n'),
      x2,
      /Line 2, column x has 3 values; in the first row 2\./,
    ],
    [
      'with as many arrays as do not fit',
      'a.jsonl',
      '[1,2,3]',
      named,
      /has 3 columns without names; the model takes 2/,
    ],
    [
      'with a column less than inputs',
      'a.jsonl',
      '[1]',
      [input('a', 'FP32', 1), input('rest', 'FP32', -1)],
      /has 1 column without names; the model takes 2 or more/,
    ],
    [
      'for inputs that share the columns in ways unknown',
      'a.jsonl',
      '[1,2,3]',
      [input('a', 'FP32', -1), input('b', 'FP32', -1)],
      /has 3 columns without names; the inputs a, b of the model have no fixed width/,
    ],
    ['that are no array of NumPy', 'a.npy', 'hello, this is no array', x2, /no array of NumPy/],
    [
      'of Python’s objects',
      'a.npy',
      npy(head('|O', '1, 2')),
      x2,
      /of the type \|O; numbers of up to 8 bytes in little-endian order/,
    ],
    ['in big-endian order', 'a.npy', npy(head('>f4', '1, 2')), x2, /of the type >f4/],
    [
      'of records',
      'a.npy',
      npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
      x2,
      /are records/,
    ],
    [
      'whose end is missing',
      'a.npy',
      npy(head('<f4', '300, 2'), new Uint8Array(2396)),
      x2,
      /has 2396 bytes of elements, where its head says 2400/,
    ],
    ['of no rows', 'a.npy', npy(head('<f4', '0, 2')), x2, /has 0 rows; reference data have at least 300/],
    [
      'of another width',
      'a.npy',
      npy(head('<f4', '300, 3'), new Uint8Array(3600)),
      x2,
      /has 3 columns without names; the model takes 2/,
    ],
    [
      'of cubes by column',
      'a.npy',
      npy(head('<f4', '3, 2, 1', 'True'), new Uint8Array(24)),
      x2,
      /in Fortran order/,
    ],
    ['that are no Parquet', 'a.parquet', 'no parquet at all, but text', x2, /cannot be read as Parquet/],
    [
      'without names, where the model takes any number of columns',
      'a.csv',
      csv('1,2', ...two()),
      [input('x', 'FP32', -1)],
      /no names, and 2 numbers; the model takes any number/,
    ],
    [
      'of a model whose rows have no length',
      'a.csv',
      csv('a,b', ...two()),
      [{ name: 'x', datatype: 'FP32', shape: [-1, -1, 3] }],
      /leaves the size of its input x open, \[-1, -1, 3\]/,
    ],
  ])('%s', async (_, name, content, inputs, words) => {
    const refusal = await folder.refusal(await folder.write(name, content), inputs);
    expect(refusal).toMatch(words);
    expect(refusal).not.toMatch(/secret/);
    expect(refusal.startsWith(`${name}: `)).toBe(true);
  });

  it('that are not there, or a folder', async () => {
    expect(await folder.refusal('none.csv', x2)).toMatch(/^none.csv: It does not exist/);
    await mkdir(join(folder.path(), 'dir.csv'));
    expect(await folder.refusal('dir.csv', x2)).toMatch(/It is no file/);
  });

  it('in Parquet whose end is missing', async () => {
    const whole = await readFile(join(FILES, 'numbers-snappy.parquet'));
    const cut = await folder.write(
      'cut.parquet',
      Buffer.concat([whole.subarray(0, 3000), whole.subarray(-3000)]),
    );
    expect(await folder.refusal(cut, [input('x', 'FP32', 4)])).toMatch(/cannot be read as Parquet/);
  });

  it('but for the model’s own answers, which are passed over', async () => {
    const path = await folder.write('scored.csv', csv('a,label,b', ...two((i) => `${i},yes,${i}`)));
    const outputs = [{ name: 'label', datatype: 'BYTES' as const, shape: [-1] }];
    for (const inputs of [named, x2]) {
      const { baseline } = await folder.ship(path, inputs, { outputs });
      expect(baseline.signals.map(({ label }) => label)).toEqual(['a', 'b']);
    }
    // A column that the model takes is no answer, whatever its name.
    const taken = await folder.write('taken.csv', csv('a,label', ...two()));
    const { baseline } = await folder.ship(taken, x2, { outputs });
    expect(baseline.signals.map(({ label }) => label)).toEqual(['a', 'label']);
  });
});
