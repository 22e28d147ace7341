/** Models whose signature leaves open how many elements a row of an output has. */
import { describe, expect, it } from 'vitest';
import type { Entry, Format } from '../../../../core/batch/contract.ts';
import { openRows } from '../../../../core/batch/formats.ts';
import type { Block } from '../../../../core/tabular/cells/format.ts';
import { formatOf, TABULAR_FORMATS } from '../../../../core/tabular/formats.ts';
import type { Signature, TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { readAll, sourceOf } from '../tabular/setup.ts';
import { scene, steady } from './scene.ts';

type Values = readonly (readonly number[])[];
type Model = (rows: Values) => Values;

const FORMATS = Object.keys(TABULAR_FORMATS) as Format[];
const PAIRS = FORMATS.flatMap((format) => FORMATS.map((outputFormat) => [format, outputFormat] as const));

const spec = (name: string, ...shape: readonly number[]): TensorSpec => ({ name, datatype: 'FP32', shape });
const OPEN: Signature = { inputs: [spec('x', -1, -1)], outputs: [spec('y', -1, -1)], omitted: [] };

/** The rows as one tensor. */
const tensor = (rows: Values): Tensor => ({
  datatype: 'FP32',
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
});
const valuesOf = ({ shape, data }: Tensor): Values => {
  const [rows = 0] = shape;
  const width = data.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from((data as Float32Array).subarray(row * width, (row + 1) * width)),
  );
};

/** An object with these rows. */
async function written(format: Format, rows: Values): Promise<Uint8Array> {
  const nests = formatOf(format).nests;
  const [first = []] = rows;
  const columns = nests
    ? [{ name: 'x', of: 'output' as const, output: 'x' }]
    : first.map((_, index) => ({ name: `x_${index}`, of: 'output' as const, output: 'x', index }));
  const writer = (await formatOf(format).writer(columns, { x: 'FP32' }))();
  // A row a block: those of JSON may be of any size.
  for (const [i, row] of rows.entries()) {
    const block: Block = { part: 0, read: 1, rows: [i + 1], tensors: {}, carried: [], faults: [] };
    writer.add(block, { x: tensor([row]) });
  }
  return writer.end();
}

/** A job of such a model, done. */
async function scored(
  [format, outputFormat]: readonly [Format, Format],
  content: string | Uint8Array,
  model: Model,
  { signature = OPEN, whole }: { readonly signature?: Signature; readonly whole?: number } = {},
) {
  const input: Entry['input'] = { bucket: 'in', prefix: 'rows/', suffix: `.${format}` };
  const runs: Values[] = [];
  const s = scene({
    entry: { format, outputFormat, input, tolerate: 0.9 },
    manifest: { signature },
    ...(whole !== undefined && { whole }),
    part: 24,
  });
  Object.assign(s.world, {
    run: ({ x }: Tensors) => {
      const rows = valuesOf(x as Tensor);
      runs.push(rows);
      return { outputs: { y: tensor(model(rows)) } };
    },
  });
  await s.send(s.upload(`rows/a.${format}`, content));
  for (const job of s.spread) await s.map(job);
  const files = s.files();
  const errors = Object.keys(files)
    .filter((name) => name.startsWith('errors-'))
    .flatMap((name) => (files[name] ?? '').trim().split('\n'))
    .map((line): { row: number; code: string; reason: string } => JSON.parse(line));
  const parts = [...s.output.objects].filter(([key]) => /\/part-\d+[^/]*$/.test(key));
  /** Answers of rows of so many elements. */
  const answers = async (width: number): Promise<Values> => {
    const ids = formatOf(outputFormat).isArray ? [] : ['row'];
    const of = { inputs: [spec('y', -1, width)], outputs: [], omitted: [] };
    const entry = { format: outputFormat, ids, join: false } as unknown as Entry;
    const found: Values[] = [];
    for (const [, { bytes }] of parts) {
      const { rows } = await readAll(
        (await openRows(entry, sourceOf(bytes), { signature: of })).all(1_000_000),
      );
      found.push(rows.map(({ values }) => (values.y ?? []) as number[]));
    }
    return found.flat();
  };
  return { s, runs, files, errors, answers };
}

const ROWS: Values = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
  [10, 11, 12],
];
const doubled: Model = (rows) => rows.map((row) => row.map((value) => 2 * value));

describe.each(PAIRS)('answers of any number of elements, from %s to %s', (...formats) => {
  it('are as wide as the model says of rows of the object’s size', async () => {
    const { s, errors, answers } = await scored(formats, await written(formats[0], ROWS), doubled);
    expect([s.failed, errors]).toEqual([[], []]);
    expect(await answers(3)).toEqual(doubled(ROWS));
  });

  it('are those of a model that takes no other rows', async () => {
    const classes: Model = (rows) => {
      if (rows.some(({ length }) => length !== 3)) throw new Error('MatMul');
      return rows.map(([value = 0]) => [value, 0.5, 0.25, 0.125]);
    };
    const { s, errors, answers } = await scored(formats, await written(formats[0], ROWS), classes);
    expect([s.failed, errors]).toEqual([[], []]);
    expect(await answers(4)).toEqual(classes(ROWS));
  });

  it('are those of a model that refuses zeros, and rows of which it refuses the first', async () => {
    const lookup: Model = (rows) => {
      if (rows.some(([value = 0]) => value < 4)) throw new Error('not there');
      return rows.map(([value = 0]) => [value, -value]);
    };
    const { s, errors, answers } = await scored(formats, await written(formats[0], ROWS), lookup);
    expect(s.failed).toEqual([]);
    expect(errors).toMatchObject([{ row: 1, code: 'MODEL_FAILED' }]);
    const found = await answers(2);
    expect(formatOf(formats[1]).isArray ? found.slice(-3) : found).toEqual(lookup(ROWS.slice(1)));
  });

  it('are the same where the object is large, and its parts are scored by several', async () => {
    const content = await written(formats[0], ROWS);
    const [whole, large] = [
      await scored(formats, content, doubled),
      await scored(formats, content, doubled, { whole: 1 }),
    ];
    expect(large.s.spread.length).toBe(1);
    expect(Object.keys(whole.files)).toContain('_SUCCESS.json');
    expect(steady(large.files)).toEqual(steady(whole.files));
  });
});

it('rows that are faulty before the model sees them do not count among those that it is tried with', async () => {
  const lookup: Model = (rows) => {
    if (rows.some(([value = 0]) => value < 1)) throw new Error('not there');
    return rows.map(([value = 0]) => [value, -value]);
  };
  const content = `x_0,x_1\n${'-,-\n'.repeat(40)}${'1,2\n'.repeat(60)}`;
  const { s, errors, answers } = await scored(['csv', 'csv'], content, lookup);
  expect([s.failed, errors.length]).toEqual([[], 40]);
  expect(await answers(2)).toEqual(Array.from({ length: 60 }, () => [1, -1]));
});

describe('the model is asked', () => {
  const closed = { ...OPEN, inputs: [spec('x', -1, 3)] };
  const sums: Model = (rows) => rows.map((row) => [row.reduce((sum, value) => sum + value, 0)]);

  it('once, with zeros of the size of the object’s rows; never where an array is written', async () => {
    for (const signature of [OPEN, closed]) {
      const csv = await scored(['csv', 'csv'], await written('csv', ROWS), sums, { signature });
      expect(csv.runs).toEqual([[[0, 0, 0]], ROWS]);
      const jsonl = await scored(['csv', 'jsonl'], await written('csv', ROWS), sums, { signature });
      expect(jsonl.runs).toEqual([ROWS]);
    }
  });

  it('about the columns of an object without rows', async () => {
    const header = await scored(['csv', 'csv'], 'x_0,x_1\n', doubled);
    expect(header.runs).toEqual([[[0, 0]]]);
  });

  it('in vain: one that answers no row is taken for one with one element, as it was', async () => {
    const never: Model = () => {
      throw new Error('a kernel fails');
    };
    const { s, runs } = await scored(['csv', 'csv'], await written('csv', ROWS), never);
    expect(s.failed).toMatchObject([{ code: 'TOO_MANY_ERRORS' }]);
    expect(runs.slice(0, 6)).toEqual([[[0, 0, 0]], ...ROWS.map((row) => [row]), [[0]]]);
  });
});

describe('rows of different sizes', () => {
  const ragged = '{"x":[1,2]}\n{"x":[3]}\n{"x":[4,5,6]}\n';
  const ids = (files: Readonly<Record<string, string>>): string[] =>
    Object.keys(files)
      .filter((name) => name.startsWith('part-'))
      .flatMap((name) => (files[name] ?? '').trim().split('\n'));

  it('are written as arrays, each of its own size', async () => {
    const { errors, files } = await scored(['jsonl', 'jsonl'], ragged, doubled);
    expect(errors).toEqual([]);
    expect(ids(files)).toEqual(['{"row":1,"y":[2,4]}', '{"row":2,"y":6}', '{"row":3,"y":[8,10,12]}']);
  });

  it('are faulty where columns are written and the first row has others: the reason says so', async () => {
    const { errors, files } = await scored(['jsonl', 'csv'], ragged, doubled);
    expect(ids(files)).toEqual(['row,y_0,y_1', '1,2,4']);
    expect(errors.map(({ code, reason }) => `${code} ${reason}`)).toEqual([
      'MODEL_FAILED The length of y in the model’s answer to this row is 1; it must be 2.',
      'MODEL_FAILED The length of y in the model’s answer to this row is 3; it must be 2.',
    ]);
  });

  it('are good beside one that fails: answers as wide as the longest of those that went together', async () => {
    const padding: Model = (rows) => {
      if (rows.some(([value = 0]) => value < 0)) throw new Error('a kernel fails');
      const widest = Math.max(...rows.map(([value = 0]) => value));
      return rows.map(([value = 0]) => Array.from({ length: widest }, (_, i) => (i < value ? value : 0)));
    };
    const content = 'x_0\n1\n3\n-1\n2\n';
    const { errors, files } = await scored(['csv', 'jsonl'], content, padding);
    expect(errors.map(({ row }) => row)).toEqual([3]);
    expect(ids(files)).toEqual(['{"row":1,"y":[1,0,0]}', '{"row":2,"y":[3,3,3]}', '{"row":4,"y":[2,2]}']);
  });

  it('of a model that takes one at a time have each its own answer, as what finds things in pictures', async () => {
    const signature = { ...OPEN, inputs: [spec('x', 1, 3)], outputs: [spec('y', -1, -1, 2)] };
    const found: Model = ([[value = 0] = []]) => [Array.from({ length: 2 * ((value - 1) / 3) }, () => value)];
    const { errors, files } = await scored(['csv', 'jsonl'], await written('csv', ROWS), found, {
      signature,
    });
    expect(errors).toEqual([]);
    expect(ids(files)).toEqual([
      '{"row":1,"y":[]}',
      '{"row":2,"y":[4,4]}',
      '{"row":3,"y":[7,7,7,7]}',
      '{"row":4,"y":[10,10,10,10,10,10]}',
    ]);
  });

  it('of such a model without a dimension of rows have as many as were found, where arrays are written', async () => {
    const signature = { ...OPEN, inputs: [spec('x', 1, 3)], outputs: [spec('y', -1, 2)] };
    const found: Model = ([[value = 0] = []]) => Array.from({ length: (value - 1) / 3 }, () => [value, 0]);
    const content = await written('csv', ROWS);
    const { errors, files } = await scored(['csv', 'jsonl'], content, found, { signature });
    expect(errors).toEqual([]);
    expect(ids(files)).toEqual([
      '{"row":1,"y":[]}',
      '{"row":2,"y":[4,0]}',
      '{"row":3,"y":[7,0,7,0]}',
      '{"row":4,"y":[10,0,10,0,10,0]}',
    ]);
    // Columns are of one.
    const csv = await scored(['csv', 'csv'], content, found, { signature });
    expect(ids(csv.files)).toEqual(['row,y_0,y_1', '2,4,0']);
    expect(csv.errors.map(({ row }) => row)).toEqual([1, 3, 4]);
  });
});
