import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { objectFault } from '../../../../core/errors/object-errors.ts';
import { ROW_BYTES } from '../../../../core/tabular/cells/cursor.ts';
import type { Extras, Rows, Source } from '../../../../core/tabular/cells/format.ts';
import { openCsv } from '../../../../core/tabular/csv/read.ts';
import { openJsonl } from '../../../../core/tabular/jsonl/read.ts';
import { input, objectFaultOf, readAll, readParts, signature, sourceOf } from './setup.ts';

const none: Extras = { ids: [], join: false };
const two = signature([input('a', 'FP32', 1), input('b', 'INT32', 1)], {
  outputs: [input('label', 'INT64')],
});
const matrix = signature([input('x', 'FP32', 3)], { outputs: [input('label', 'INT64')] });

/** What both ways through an object say. */
async function read(rows: Rows, partBytes = 1e9) {
  const { parts, ...cut } = await readParts(rows, partBytes);
  expect(await readAll(rows.all(partBytes))).toEqual(cut);
  return { parts, ...cut };
}
const csv = async (text: string | Uint8Array, model = two, extras = none, partBytes?: number) =>
  read(await openCsv(sourceOf(text), model, extras), partBytes);
const jsonl = async (text: string | Uint8Array, model = two, extras = none, partBytes?: number) =>
  read(await openJsonl(sourceOf(text), model, extras), partBytes);
const reasons = ({
  faults,
}: {
  readonly faults: readonly { line?: number; code: string; reason: string }[];
}) => faults.map(({ line, code, reason }) => `${line} ${code} ${reason}`);

describe('an object', () => {
  it.each(['', '\n', '\r\n\n', '\uFEFF', '\uFEFF\n'])('that is empty, %j, has no rows', async (text) => {
    expect(await csv(text)).toEqual({ parts: [], rows: [], faults: [] });
    expect(await jsonl(text)).toEqual({ parts: [], rows: [], faults: [] });
  });

  it('of JSON lines in UTF-16, as PowerShell writes them, is refused as a whole', async () => {
    const text = '{"a":1,"b":2}\n{"a":3,"b":4}\n';
    const little = (marked: string): Buffer => Buffer.from(marked, 'utf16le');
    for (const bytes of [text, `\uFEFF${text}`, `[1]\n${text}`].flatMap((marked) => [
      little(marked),
      little(marked).swap16(),
    ]))
      expect(await objectFaultOf(() => openJsonl(sourceOf(bytes), two, none))).toEqual({
        code: 'WRONG_HEADER',
        message: 'It is in UTF-16. Save the file in UTF-8.',
      });
    // One row that has a zero byte is wrong, and no other.
    const { rows, faults } = await jsonl(`{"a":1,\0"b":2}\n{"a":3,"b":4}\n`);
    expect([rows.length, faults.length]).toEqual([1, 1]);
  });

  it('of one byte is a row, a header or neither', async () => {
    const one = signature([input('a', 'FP32')]);
    expect((await csv('7', one)).rows).toMatchObject([{ row: 1, line: 1, values: { a: [7] } }]);
    expect((await csv('a', one)).rows).toEqual([]);
    expect(await objectFaultOf(() => csv('b'))).toEqual({
      code: 'WRONG_HEADER',
      message: 'It has no column a, an input of the model. Add this column to the file.',
    });
    expect(reasons(await jsonl('{', one))).toEqual(['1 INVALID_JSON The line is not valid JSON.']);
  });

  it('with a column that two inputs would have is refused: one of them had zeros', async () => {
    const alike = signature([input('x', 'FP32', 2), input('x_1', 'FP32', 1)]);
    expect(await objectFaultOf(() => csv('x_0,x_1\n5,7\n', alike))).toEqual({
      code: 'WRONG_HEADER',
      message:
        'Its column x_1 may be of two inputs of the model, x and x_1. Rename an input of the model, or upload JSON lines, whose values may be arrays.',
    });
    expect((await jsonl('{"x": [5, 6], "x_1": 7}', alike)).rows).toMatchObject([
      { values: { x: [5, 6], x_1: [7] } },
    ]);
  });

  it.each(['1,2\n3,4', '1,2\r\n3,4\r\n', '\n1,2\n\r\n\n3,4\n\n'])(
    '%j may end its lines in any way',
    async (text) => {
      const { rows } = await csv(`a,b\n${text}`);
      expect(rows.map(({ values }) => values)).toEqual([
        { a: [1], b: [2] },
        { a: [3], b: [4] },
      ]);
    },
  );

  it('is cut at row ends, never inside quotes', async () => {
    const model = signature([input('a', 'FP32', 1), input('t', 'BYTES', 1)]);
    const text = 'a,t\n1,"x\n""y""\n"\n2,z\n\n3,é\n';
    const { parts, rows } = await csv(text, model, none, 1);
    expect(parts).toEqual([
      { part: 0, from: 4, to: 17, row: 0, line: 2 },
      { part: 1, from: 17, to: 21, row: 1, line: 5 },
      { part: 2, from: 21, to: 27, row: 2, line: 6 },
    ]);
    expect(rows.map(({ part, line, values }) => [part, line, values.t])).toEqual([
      [0, 2, ['x\n"y"\n']],
      [1, 5, ['z']],
      [2, 7, ['é']],
    ]);
  });

  it('may have a row that is longer than a part, and than what is in memory at a time', async () => {
    const model = signature([input('a', 'FP32', 1), input('t', 'BYTES', 1)]);
    const long = 'ä\n'.repeat(1_000_000);
    const { parts, rows } = await csv(`a,t\n1,x\n2,"${long}"\n3,y`, model, none, 1000);
    expect(parts.map(({ to }) => to)).toEqual([3_000_013, 3_000_016]);
    expect(rows.map(({ line }) => line)).toEqual([2, 3, 1_000_004]);
    expect(rows[1]?.values.t).toEqual([long]);
  });

  it('must not have a row beyond 16 MB, whether it ends or not', async () => {
    const long = 'x'.repeat(ROW_BYTES);
    const message =
      'The row in line 3 is longer than 16 MB. End each row with a line end, and close each quote.';
    for (const text of [`a,b\n1,2\n${long}\n1,2\n`, `a,b\n1,2\n1,"${long}${long}`]) {
      const rows = await openCsv(sourceOf(text), two, none);
      const fault = { code: 'ROW_TOO_LONG', message };
      expect(await objectFaultOf(() => readAll(rows.all(1e9)))).toEqual(fault);
      expect(await objectFaultOf(() => readParts(rows, 1e9))).toEqual(fault);
    }
    const rows = await openJsonl(sourceOf(`{}\n\n"${long}"`), two, none);
    expect((await objectFaultOf(() => readAll(rows.all(1e9)))).message).toBe(message);
    expect((await objectFaultOf(() => readParts(rows, 1e9))).message).toBe(message);
    const just = `a,b\n1,2\n1,"${'x'.repeat(ROW_BYTES - 5)}"\n`;
    expect((await csv(just)).faults.map(({ code }) => code)).toEqual(['WRONG_VALUE']);
  });

  it.each([
    ['a,b\n1,2\n3,"4\n5,6\n', 3],
    ['a,b\n1,2\n"3\n","4\n5,6""\n', 4],
    ['a,"b\n1,2', 1],
  ])('%j has a quote that never closes', async (text, line) => {
    expect(await objectFaultOf(() => csv(text))).toEqual({
      code: 'UNCLOSED_QUOTE',
      message: `The quote that opens a cell in line ${line} is never closed. Close it, and double each quote in a quoted cell (RFC 4180).`,
    });
  });
});

describe('a header', () => {
  it('names columns in any order, the model’s own answers included', async () => {
    const { rows } = await csv('label,"b",a\n9,2,1\nx,4,3\n');
    expect(rows.map(({ values }) => values)).toEqual([
      { a: [1], b: [2] },
      { a: [3], b: [4] },
    ]);
  });

  it.each([
    '1,2,4',
    '0,1,2\n1,2,4',
    '1,2,3\n1,2,4',
    'p,q,r\n1,2,4',
    'p,label,q,r\n1,9,2,4',
    'x_2,x_0,x_1\n1,2,4',
  ])('of a model with one input is in its order: %j', async (text) => {
    expect((await csv(text, matrix)).rows.map(({ values }) => values)).toEqual([{ x: [1, 2, 4] }]);
  });

  it('may have ids anywhere; with join any columns are carried', async () => {
    const text = 'id,b,"who, else",a\n007,2,"é ""x""",1.50\n';
    const ids = await csv(text.replace(',"who, else"', '').replace(',"é ""x"""', ''), two, {
      ids: ['id'],
      join: false,
    });
    expect(ids.rows).toMatchObject([{ values: { a: [1.5], b: [2] }, carried: ['007'] }]);
    const rows = await openCsv(sourceOf(text), two, { ids: [], join: true });
    expect(rows.carried).toEqual(['id', 'b', 'who, else', 'a']);
    expect((await read(rows)).rows).toMatchObject([
      { values: { a: [1.5], b: [2] }, carried: ['007', '2', 'é "x"', '1.50'] },
    ]);
    const joined = await csv('x_0,note,x_1,x_2\n1,n,2,3\n', matrix, { ids: [], join: true });
    expect(joined.rows).toMatchObject([{ values: { x: [1, 2, 3] }, carried: ['1', 'n', '2', '3'] }]);
  });

  it.each([
    [
      'a,b,c\n1,2,3\n',
      none,
      'Its column c is no input of the model; the model takes a, b. Drop this column from the file, or carry it into the answer with ids or join.',
    ],
    [
      'a,b,c,d,"e, f"\n1,2,3,4,5\n',
      { ids: ['d'], join: false },
      'Its columns c, e, f are no inputs of the model; the model takes a, b. Drop these columns from the file, or carry it into the answer with ids or join.',
    ],
    [
      'id;a;b\n7;1,5;2\n',
      { ids: ['id'], join: false },
      'Its first line has no comma, but semicolons. Separate the cells by commas, and write numbers with a point.',
    ],
    [
      'a\tb\n1\t2\n',
      none,
      'Its first line has no comma, but tabs. Separate the cells by commas, and write numbers with a point.',
    ],
    [
      'a,b\n1,2\n'.replace(/./gs, '$&\0'),
      none,
      'Its first line has zero bytes, so it is not UTF-8. Save the file in UTF-8.',
    ],
    [
      'a,id\n1,2\n',
      { ids: ['id'], join: false },
      'It has no column b, an input of the model. Add this column to the file.',
    ],
    [
      'a,b\n1,2\n',
      { ids: ['id'], join: false },
      'It has no column id, which is one of ids. Add the column, or take it out of ids.',
    ],
    [
      '1,2\n',
      { ids: ['id'], join: false },
      'Its first line has no names, and ids needs them. Write the names of the columns in the first line.',
    ],
    [
      '1,2\n',
      { ids: [], join: true },
      'Its first line has no names, and join needs them. Write the names of the columns in the first line.',
    ],
    [
      '1,2,4\n',
      none,
      'Its first line has no names, and 3 numbers; the model takes 2. Write the names of the columns in the first line.',
    ],
    ['a,b,a\n', none, 'It has two columns a. Give each column a name of its own, or drop one.'],
    [
      ',a,b\n',
      none,
      'Its column 1 has no name. Name it, or drop it: pandas leaves its row numbers out with index=False.',
    ],
    [
      'a,b"\n',
      none,
      'Its first row, in line 1, is not CSV: a quote is out of place. Double each quote in a quoted cell (RFC 4180).',
    ],
  ])('%j that is wrong is told as such', async (text, extras, message) => {
    expect(await objectFaultOf(() => openCsv(sourceOf(text), two, extras))).toEqual({
      code: 'WRONG_HEADER',
      message,
    });
  });
});

it.each([
  ['PAR1\x15\x04\x15\x90"', 'It is a Parquet file, and was read as CSV. Name its format: `.parquet`'],
  [
    "\x93NUMPY\x01\0v\0{'descr': '<f4'}\n",
    'It is a NumPy array, and was read as CSV. Name its format: `.npy`',
  ],
  [
    'PK\x03\x04\x14\0\x06\0',
    'It is an Excel workbook, or another zip archive, and was read as CSV. Save it as CSV.',
  ],
])('a file of another format is told as such: %j', async (text, message) => {
  const source = sourceOf(Buffer.from(`${text}\0\xff\xfe"x`, 'latin1'));
  const { code, message: told } = (await objectFaultOf(() => openCsv(source, two, none))) ?? {};
  expect(code).toBe('WRONG_HEADER');
  expect(told).toContain(message);
});

it.each([
  ['Zstandard', '(\xb5/\xfd\x04X'],
  ['xz', '\xfd7zXZ\0\0\x04'],
  ['bzip2', 'BZh61AY&SY\x8f\x05'],
  ['LZ4', '\x04"M\x18d@'],
  ['Snappy', '\xff\x06\0\0sNaPpY'],
])('a text that is packed with %s is told as such, and no row of it', async (name, text) => {
  const source = sourceOf(Buffer.from(`${text}\n{"a":1,"b":2}\n`, 'latin1'));
  const fault = {
    code: 'UNREADABLE',
    message: `The object is packed with ${name}. Pack it with gzip, or not at all.`,
  };
  expect(await objectFaultOf(() => openCsv(source, two, none))).toEqual(fault);
  expect(await objectFaultOf(() => openJsonl(source, two, none))).toEqual(fault);
});

it.each([
  ['csv', openCsv, 'a,b\n1,2\n'],
  ['jsonl', openJsonl, '{"a":1,"b":2}\n'],
] as const)('%s that is packed with gzip twice is told as such', async (_, open, text) => {
  expect(await objectFaultOf(() => open(sourceOf(gzipSync(gzipSync(text))), two, none))).toEqual({
    code: 'UNREADABLE',
    message: 'The object is packed with gzip twice. Pack it once, or not at all.',
  });
});

it('a CSV whose first column is called so is one, whatever is wrong with it', async () => {
  const fault = await objectFaultOf(() => openCsv(sourceOf('PAR1,b\n1,2\n'), two, none));
  expect(fault).toMatchObject({ message: expect.not.stringContaining('Parquet file') });
});

it('lines that end with a carriage return alone are told by the header: all of them would be a name, and no row', async () => {
  const one = signature([input('a', 'FP32')]);
  for (const text of ['a\r1\r2\r', '1.5\r2.5\r3.5']) {
    expect(await objectFaultOf(() => csv(text, one))).toEqual({
      code: 'WRONG_HEADER',
      message:
        'Its first line, 1, has a carriage return within. End each line with a line feed, or with both.',
    });
  }
});

it('carriage returns before the end of a line are no part of its last cell: Python writes two to a text on Windows', async () => {
  const model = signature([input('n', 'INT32', 1), input('t', 'BYTES', 1)]);
  const { rows } = await csv('n,t\r\r\n1,cat\r\r\n2,\r\r\n3,"a\r"\r\n', model, { ids: [], join: true });
  expect(rows.map(({ values, carried }) => [values, carried])).toEqual(
    [
      [1, 'cat'],
      [2, ''],
      [3, 'a\r'],
    ].map(([n, t]) => [{ n: [n], t: [t] }, [String(n), t]]),
  );
});

describe('a text that is not UTF-8', () => {
  it('is told so by its header', async () => {
    for (const bytes of [Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'), Buffer.from('a,b\xe9\n', 'latin1')]) {
      expect(await objectFaultOf(() => csv(bytes))).toEqual({
        code: 'WRONG_HEADER',
        message: 'Its first line, 1, is not UTF-8. Save the file in UTF-8.',
      });
    }
  });
});

describe('a first row', () => {
  it('that has more columns than are carried is refused, whatever the format', async () => {
    const names = Array.from({ length: 2 ** 18 }, (_, i) => `k${i}`);
    const all: Extras = { ids: [], join: true };
    const expected = {
      code: 'WRONG_HEADER',
      message:
        'It has 262145 columns; at most 262144 are taken where all columns are carried. Name in `ids` what is carried.',
    };
    expect(await objectFaultOf(() => openCsv(sourceOf(`a,${names.join()}\n`), two, all))).toEqual(expected);
    const keys = names.map((name) => `"${name}":0`).join();
    expect(await objectFaultOf(() => openJsonl(sourceOf(`{"a":1,${keys}}\n`), two, all))).toEqual(expected);
  });

  it('of JSON that is nested too deep is not read before it is refused', async () => {
    const deep = `${'['.repeat(100)}${']'.repeat(100)}`;
    const parse = vi.spyOn(JSON, 'parse');
    const { faults } = await jsonl(`${deep}\n[1, 2, 3]\n`, matrix);
    expect(faults.map(({ line, code }) => [line, code])).toEqual([[1, 'TOO_DEEP']]);
    expect(parse.mock.calls.filter(([text]) => text.includes('[['))).toEqual([]);
    parse.mockRestore();
  });
});

describe('a row that cannot be scored', () => {
  it('of CSV is told by line and column, never by value', async () => {
    const model = signature([input('a', 'FP32', 1), input('n', 'UINT8'), input('t', 'BYTES', 1)]);
    const bytes = Buffer.concat([
      Buffer.from(
        'a,n,t\n,1,x\nsecret,1,x\n1e39,1,x\n1,256,x\n1,1.5,x\n1,-1,x\n1,2\n\n1,2,x,y\n1,2,a"secret\n1,2,"x',
      ),
      Buffer.from([0]),
      Buffer.from('"\n1,2,\xe9\n', 'latin1'),
      Buffer.from('1,2,"x\ny"\n'),
    ]);
    const found = await csv(bytes, model);
    expect(reasons(found)).toEqual([
      '2 WRONG_VALUE Column a must be a number.',
      '3 WRONG_VALUE Column a must be a number.',
      '4 WRONG_VALUE Column a is outside the range of FP32.',
      '5 WRONG_VALUE Column n is outside the range of UINT8.',
      '6 WRONG_VALUE Column n must be a whole number.',
      '7 WRONG_VALUE Column n is outside the range of UINT8.',
      '8 WRONG_LENGTH The row has 2 columns; 3 are expected.',
      '10 WRONG_LENGTH The row has 4 columns; 3 are expected.',
      '11 INVALID_REQUEST The row is not CSV: a quote is out of place; where a quoted cell has quotes, each is doubled (RFC 4180).',
      '12 WRONG_VALUE Column t has the character U+0000, at which ONNX Runtime would cut it.',
      '13 INVALID_ENCODING Column t is not UTF-8.',
    ]);
    expect(found.rows).toMatchObject([{ row: 12, line: 14, values: { t: ['x\ny'] } }]);
  });

  it('of JSONL is told by line and column, never by value', async () => {
    const model = signature([input('a', 'FP32', 2), input('n', 'INT64'), input('t', 'BYTES', 1)]);
    const bytes = Buffer.concat([
      Buffer.from(
        [
          '{"a":[1,"secret"],"n":1,"t":"x"}',
          '{"a":[1,1e39],"n":1,"t":"x"}',
          '{"a":[1],"n":1,"t":"x"}',
          '{"a":[[1,2]],"n":1,"t":"x"}',
          '{"a":[1,2],"n":9223372036854775808,"t":"x"}',
          '{"a":[1,2],"n":1.5,"t":"x"}',
          '{"a":[1,2],"n":true,"t":"x"}',
          '{"a":[1,2],"n":01,"t":"x"}',
          '{"a":[1,2],"n":null,"t":"x"}',
          '{"a":[1,2],"n":1,"t":"\\u0000"}',
          `{"a":${'['.repeat(40)}1${']'.repeat(40)},"n":1,"t":"x"}`,
          '{"a":[1,2],"n":1,"t":"x","extra":1}',
          '{"a":[1,2],"n":1,"t":"x","n":1}',
          '{"a":[1,2],"n":1}',
          '3',
          '[1,2]',
          '{"a":[1,2],"n":1,"t":',
        ].join('\n'),
      ),
      Buffer.from('\n{"a":[1,2],"n":1,"t":"\xe9"}\n{"a":[1,2],"n":9223372036854775807,"t":"x"}\n', 'latin1'),
    ]);
    const found = await jsonl(bytes, model);
    expect(reasons(found)).toEqual([
      '1 WRONG_VALUE a[1] must be a number.',
      '2 WRONG_VALUE a[1] is outside the range of FP32.',
      '3 WRONG_LENGTH a has fewer elements than the shape’s 2.',
      '4 WRONG_LENGTH a[0][0] is not nested as the shape is; flat data are fine, too.',
      '5 WRONG_VALUE n is outside the range of INT64, or not written so that every digit is certain.',
      '6 WRONG_VALUE n must be a whole number.',
      '7 WRONG_VALUE n must be a whole number.',
      '8 WRONG_VALUE n must be a whole number.',
      '9 WRONG_VALUE n must be a whole number.',
      '10 WRONG_VALUE t has the character U+0000, at which ONNX Runtime would cut it.',
      '11 TOO_DEEP The row is nested deeper than 32.',
      '12 UNKNOWN_INPUT The key "extra" is no input of the model; known are a, n, t.',
      '13 DUPLICATE_NAME n is there twice.',
      '14 MISSING_INPUT t is missing, an input of the model.',
      '15 INVALID_REQUEST The row must be a JSON object.',
      '16 INVALID_REQUEST The row must be a JSON object: an array is one for a model with one input, without ids and join.',
      '17 INVALID_JSON The line is not valid JSON.',
      '18 INVALID_ENCODING The line is not UTF-8.',
    ]);
    expect(found.rows).toMatchObject([{ row: 19, values: { n: [9_223_372_036_854_775_807n] } }]);
  });

  it('of JSONL that is no JSON is told as such, not by the first key that no row has made known', async () => {
    const named: Extras = { ...none, columns: { names: ['p', 'q', 'r'], bind: true } };
    const good = '{"p":1,"q":2,"r":3}';
    const text = [good + good, `${good}\r${good}`, '{"p":1,"q":NaN,"r":3}'].join('\n');
    const told = ['1', '2', '3'].map((line) => `${line} INVALID_JSON The line is not valid JSON.`);
    expect(reasons(await jsonl(text, matrix, named))).toEqual(told);
    expect(reasons(await jsonl(text, two, { ids: [], join: true }))).toEqual(told);
    // A key that is unknown is told where it is one.
    expect(reasons(await jsonl(`{"p":1,"s":2}\n${good}`, matrix, named))).toEqual([
      '1 UNKNOWN_INPUT The key "s" is no input of the model; known are p, q, r.',
    ]);
    const deep = `{"s":${'['.repeat(40)}${']'.repeat(40)}}`;
    const latin = Buffer.from('{"s":"\xe9"}\n', 'latin1');
    expect(reasons(await jsonl(Buffer.concat([Buffer.from(`${deep}\n`), latin])))).toEqual([
      '1 TOO_DEEP The row is nested deeper than 32.',
      '2 INVALID_ENCODING The line is not UTF-8.',
    ]);
  });

  it('of JSONL may be an array where the model has one input; with join the first row’s keys are the columns', async () => {
    expect(
      (await jsonl('[1,2,3]\n[4,5]\n{"x":[6,7,8],"label":9}\n', matrix)).rows.map(({ values }) => values.x),
    ).toEqual([
      [1, 2, 3],
      [6, 7, 8],
    ]);
    const text =
      '\n{"id":12345678901234567890,"a":1,"b":2}\n{"b":2,"a":1.50}\n{"a":1,"b":2,"c":3}\n{"id":1e999,"a":1,"b":2}\n';
    const rows = await openJsonl(sourceOf(text, [1]), two, { ids: [], join: true });
    expect(rows.carried).toEqual(['id', 'a', 'b']);
    const found = await read(rows);
    expect(found.rows.map(({ carried }) => carried)).toEqual([
      [12_345_678_901_234_567_890n, 1, 2],
      [null, 1.5, 2],
    ]);
    expect(reasons(found)).toEqual([
      '4 UNKNOWN_INPUT The key "c" is no input of the model; known are a, b, id.',
      '5 WRONG_VALUE id has a number beyond the range of a double.',
    ]);
    const nested = await jsonl('{"id":{"__proto__":1},"a":1,"b":2}\n{"a":1,"b":2}', two, {
      ids: ['id'],
      join: false,
    });
    expect(reasons(nested)).toEqual([
      '1 FORBIDDEN_KEY A key is named __proto__, which is not allowed.',
      '2 MISSING_INPUT id is missing, one of ids.',
    ]);
  });

  it('is no reason for a block without end', async () => {
    const rows = await openCsv(sourceOf(`a,b\n${'x,y\n'.repeat(10_000)}`), two, none);
    const sizes: number[] = [];
    for await (const { read, faults } of rows.all(1e9)) sizes.push(read, faults.length);
    expect(sizes).toEqual([4096, 4096, 4096, 4096, 1808, 1808]);
  });

  it('that lacks thousands of carried columns takes no more memory than its block may', async () => {
    const keys = Array.from({ length: 8191 }, (_, i) => [`k${i}`, i] as const);
    const first = JSON.stringify({ a: 1, ...Object.fromEntries(keys) });
    const rows = await openJsonl(
      sourceOf(`${first}\n${'{"a":2}\n'.repeat(299)}`),
      signature([input('a', 'FP32', 1)]),
      { ids: [], join: true },
    );
    expect(rows.carried).toHaveLength(8192);
    const blocks: [read: number, last: unknown][] = [];
    for await (const { read, carried } of rows.all(1e9)) blocks.push([read, carried.at(-1)?.[read - 1]]);
    // Two million values.
    expect(blocks).toEqual([
      [256, null],
      [44, null],
    ]);
  });
});

describe('a gzip object', () => {
  const text = `a,b\n${Array.from({ length: 50_000 }, (_, i) => `${i},${i % 7}`).join('\n')}\n`;
  const half = Buffer.from(text).length >> 1;
  const members = Buffer.concat([
    gzipSync(Buffer.from(text).subarray(0, half)),
    gzipSync(Buffer.from(text).subarray(half)),
  ]);

  it('is read as its text is, whatever its members, from its start only', async () => {
    const plain = await readAll((await openCsv(sourceOf(text), two, none)).all(100_000));
    // Zeros behind it are padding, as of a tape.
    for (const bytes of [gzipSync(text), members, Buffer.concat([members, Buffer.alloc(5000)])]) {
      const rows = await openCsv(sourceOf(bytes, [1000, 7]), two, none);
      expect(rows.plan).toBeUndefined();
      expect(rows.part).toBeUndefined();
      expect(await readAll(rows.all(100_000))).toEqual(plain);
    }
    expect(plain.rows).toHaveLength(50_000);
    const json = await openJsonl(sourceOf(gzipSync('\uFEFF{"a":1,"b":2}')), two, none);
    expect((await readAll(json.all(1))).rows).toMatchObject([{ row: 1, values: { a: [1], b: [2] } }]);
    expect((await readAll((await openCsv(sourceOf(gzipSync('')), two, none)).all(1))).rows).toEqual([]);
  });

  it.each([
    ['is cut off', gzipSync(text).subarray(0, -9)],
    ['has a member that is cut off', members.subarray(0, -1)],
    [
      'has a member whose first byte is lost',
      Buffer.concat([gzipSync(text), Buffer.alloc(1), members.subarray(1)]),
    ],
    ['has a member behind zeros', Buffer.concat([gzipSync(text), Buffer.alloc(512), members])],
    ['is no gzip behind its first bytes', Buffer.from([0x1f, 0x8b, 1, 2, 3])],
    ['says another sum', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
  ])('that %s cannot be read', async (_, bytes) => {
    const fault = await objectFaultOf(async () =>
      readAll((await openCsv(sourceOf(bytes), two, none)).all(1e9)),
    );
    expect(fault).toEqual({
      code: 'UNREADABLE',
      message: 'The gzip data are broken, or end too early. Upload the object again.',
    });
  });

  it('that changes while it is read says so, and is let go', async () => {
    const bytes = gzipSync(text);
    let isOpen = 0;
    const source: Source = {
      ...sourceOf(bytes),
      async *stream() {
        isOpen++;
        try {
          yield bytes.subarray(0, 1000);
          throw objectFault('CHANGED', 'It is another one.');
        } finally {
          isOpen--;
        }
      },
    };
    const fault = await objectFaultOf(async () => readAll((await openCsv(source, two, none)).all(1e9)));
    expect(fault).toEqual({ code: 'CHANGED', message: 'It is another one.' });
    expect(isOpen).toBe(0);
  });
});

describe('a stream', () => {
  it.each(['all', 'plan'] as const)('is let go of where %s is not read to its end', async (way) => {
    let isOpen = 0;
    const source = sourceOf(`a,b\n${'1,2\n'.repeat(100_000)}`);
    const rows = await openCsv(
      {
        ...source,
        async *stream(start, end) {
          isOpen++;
          try {
            yield* source.stream(start, end);
          } finally {
            isOpen--;
          }
        },
      },
      two,
      none,
    );
    expect(isOpen).toBe(0);
    for await (const _ of rows[way]?.(1000) ?? []) break;
    expect(isOpen).toBe(0);
  });
});
