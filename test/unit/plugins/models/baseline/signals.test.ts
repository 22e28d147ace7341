import { describe, expect, it } from 'vitest';
import type { OutputSignal, Signal } from '../../../../../core/drift/contract.ts';
import { categoryPart } from '../../../../../plugins/models/baseline/category.ts';
import { outputValues } from '../../../../../plugins/models/baseline/outputs.ts';
import { category } from '../../../../../plugins/models/baseline/signals.ts';
import { csv, input, newFolder, rowsOf } from './setup.ts';

const folder = newFolder();
const numeric = (signal: Signal | undefined) => {
  if (signal?.kind !== 'numeric') throw new Error('It is no numeric signal.');
  return signal;
};

describe('signals of inputs', () => {
  it('are of values as the tensor has them', async () => {
    const inputs = [
      input('single', 'FP32'),
      input('half', 'FP16'),
      input('double', 'FP64'),
      input('tiny', 'UINT8'),
    ];
    // With 361 rows every knot is a value.
    const rows = rowsOf(361, (i) => `0.${i % 4},0.${i % 4},0.${i % 4},${i % 4}`);
    const { baseline } = await folder.ship(
      await folder.write('cast.csv', csv('single,half,double,tiny', ...rows)),
      inputs,
    );
    const levels = baseline.signals.map((signal) => [...new Set(numeric(signal).knots)]);
    expect(levels[0]).toEqual([0, 0.1, 0.2, 0.3].map(Math.fround));
    expect(levels[1]).toEqual([0, 0.0999755859375, 0.199951171875, 0.300048828125]);
    expect(levels[2]).toEqual([0, 0.1, 0.2, 0.3]);
    expect(levels[3]).toEqual([0, 1, 2, 3]);
  });

  it('have names for metrics, each once, and the columns’ own names for people', async () => {
    const header = ['Ä', 'a b', 'a-b', 'a_b', '%', '"x,y"'].join();
    const rows = rowsOf(300, (i) => `${i},${i},${i},${i},${i},${i}`);
    const { baseline, facts, notices } = await folder.ship(
      await folder.write('names.csv', csv(header, ...rows)),
      [input('x', 'FP32', -1)],
    );
    expect(baseline.signals.map(({ name }) => name)).toEqual([
      'signal',
      'a_b',
      'a_b_2',
      'a_b_3',
      'signal_2',
      'x_y',
    ]);
    expect(baseline.signals.map(({ label, tensor, column }) => [label, tensor, column])).toEqual([
      ['Ä', 'x', 0],
      ['a b', 'x', 1],
      ['a-b', 'x', 2],
      ['a_b', 'x', 3],
      ['%', 'x', 4],
      ['x,y', 'x', 5],
    ]);
    expect(facts).toMatchObject({ rows: 300, bytes: expect.any(Number), source: baseline.source });
    expect(notices).toEqual([]);
  });

  it('of several inputs are in the model’s order, whatever the file’s', async () => {
    const inputs = [input('b', 'FP32'), input('x', 'FP32', 2), input('a', 'INT32', 1)];
    const path = await folder.write(
      'order.csv',
      csv('a,x_1,b,x_0', ...rowsOf(300, (i) => `1${i},2.${i},3.${i},4.${i}`)),
    );
    const { baseline } = await folder.ship(path, inputs);
    expect(baseline.signals.map(({ label, tensor, column }) => `${label} ${tensor} ${column}`)).toEqual([
      'b b 0',
      'x_0 x 0',
      'x_1 x 1',
      'a a 0',
    ]);
    expect(baseline.signals.map((signal) => Math.floor(numeric(signal).knots[0] ?? 0))).toEqual([
      3, 4, 2, 10,
    ]);
  });

  it('that cannot drift are kept, and told by name', async () => {
    const path = await folder.write('still.csv', csv('none,same,word', ...rowsOf(300, () => ',4,x')));
    const { baseline, notices } = await folder.ship(path, [
      input('none', 'FP32'),
      input('same', 'FP32'),
      input('word', 'BYTES'),
    ]);
    expect(baseline.signals).toMatchObject([
      { nulls: 300, sd: 0, counts: [0] },
      { nulls: 0, sd: 0, edges: [4 - 2 ** -51, 4], counts: [0, 300, 0] },
      { values: ['x'], counts: [300, 0, 0], phi: 1 },
    ]);
    expect(notices).toEqual([
      'none has no value in any row of the reference.',
      'same has one value only in the reference.',
      'word has one value only in the reference.',
    ]);
  });

  it('of columns that lack some values are told of, as an empty cell may be a mistake', async () => {
    const gaps = rowsOf(300, (i) => `${i % 3 === 0 ? 'NaN' : i},${i < 2 ? '' : i},${i}`);
    const { baseline, notices } = await folder.ship(
      await folder.write('gaps.csv', csv('age,income,since', ...gaps)),
      ['age', 'income', 'since'].map((name) => input(name, 'FP32')),
    );
    expect(baseline.signals.map(({ nulls }) => nulls)).toEqual([100, 2, 0]);
    expect(notices).toEqual([
      'Some of the 300 rows of the reference have no value: age in 100, income in 2. An empty cell, null, NaN and infinity count as none.',
    ]);
  });

  it('leave out texts that are ids or prose', async () => {
    const path = await folder.write('ids.csv', csv('id,a', ...rowsOf(1200, (i) => `id${i},${i}`)));
    const { baseline, notices } = await folder.ship(path, [input('id', 'BYTES'), input('a', 'FP32')]);
    expect(baseline.signals.map(({ name }) => name)).toEqual(['a']);
    expect(notices).toEqual(['id is not watched: it has 1200 different texts, more than 1000.']);
  });

  it('of wide rows are norm, mean and deviation of each', async () => {
    const row = (i: number): number[] => [i, 0, 4, i % 5, 0, 2];
    const rows = rowsOf(300, (i) =>
      JSON.stringify(i === 9 ? [null, 0, 0, 0, 0, 0] : [row(i).slice(0, 3), row(i).slice(3)]),
    );
    const image = [{ name: 'image', datatype: 'FP32' as const, shape: [-1, 2, 3] }];
    const { baseline } = await folder.ship(await folder.write('wide.jsonl', rows.join('\n')), image);
    expect(baseline.signals.map(({ name, label, column, nulls }) => [name, label, column, nulls])).toEqual([
      ['norm_of_image', 'norm of image', 0, 1],
      ['mean_of_image', 'mean of image', 0, 1],
      ['sd_of_image', 'sd of image', 0, 1],
    ]);
    const [norm, mean, sd] = baseline.signals.map(numeric);
    const deviations = Array.from({ length: 300 }, (_, i) => {
      const average = row(i).reduce((sum, x) => sum + x, 0) / 6;
      return Math.sqrt(row(i).reduce((sum, x) => sum + (x - average) ** 2, 0) / 6);
    }).filter((_, i) => i !== 9);
    expect(norm?.knots[0]).toBeCloseTo(Math.sqrt(16 + 4), 12);
    expect(mean?.knots[0]).toBeCloseTo(1, 12);
    expect(sd?.knots[0]).toBeCloseTo(Math.min(...deviations), 12);
    expect(norm?.knots[120]).toBeCloseTo(Math.hypot(...row(299)), 10);
  });

  it('of more than 200 columns are three of each input that has several', async () => {
    const columns = Array.from({ length: 150 }, (_, i) => i);
    const header = [...columns.map((i) => `x_${i}`), ...columns.map((i) => `y_${i}`), 'z'].join();
    const rows = rowsOf(300, (i) => Array.from({ length: 301 }, (_, j) => (i * j) % 97).join());
    const inputs = [input('x', 'FP32', 150), input('y', 'FP32', 150), input('z', 'FP32', 1)];
    const { baseline } = await folder.ship(await folder.write('many.csv', csv(header, ...rows)), inputs);
    expect(baseline.signals.map(({ name }) => name)).toEqual([
      ...['norm_of_x', 'mean_of_x', 'sd_of_x', 'norm_of_y', 'mean_of_y', 'sd_of_y', 'z'],
    ]);
  });

  it('of rows that may have any length, as texts have, are told to be of one', async () => {
    const rows = rowsOf(300, (i) =>
      JSON.stringify({ ids: [i % 7, i % 5, i % 3], mask: [1, i % 2, 1], age: i }),
    );
    const { notices } = await folder.ship(await folder.write('tokens.jsonl', `${rows.join('\n')}\n`), [
      input('ids', 'INT64', -1),
      input('mask', 'INT64', -1),
      input('age', 'INT64'),
    ]);
    expect(notices.at(-1)).toBe(
      'The model takes rows of any length, and in the reference each row of ids has 3, mask has 3 values. What a row of a request has fewer is told as missing, and more are not watched: take rows of the length that requests have, padded as they are.',
    );
  });

  it('of more than 200 inputs are of the first ones', async () => {
    const inputs = Array.from({ length: 210 }, (_, i) => input(`c${i}`, 'FP32'));
    const rows = rowsOf(300, (i) => inputs.map((_, j) => (i * j) % 97).join());
    const path = await folder.write('inputs.csv', csv(inputs.map(({ name }) => name).join(), ...rows));
    const { baseline, notices } = await folder.ship(path, inputs);
    expect(baseline.signals).toHaveLength(200);
    expect(notices.at(-1)).toBe('The first 200 of its columns are watched, and 10 are not.');
  });
});

describe('a category', () => {
  it('has cells for the most frequent, one for others and one for what the other rows do not have', () => {
    const texts = Array.from({ length: 13 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    // t11 is the most frequent; t03, t04 and t05 are equally frequent, so that the last one is among others;
    // t00 is in one row, and t12 in none.
    const rowsOf = (i: number): number => (i === 0 ? 1 : i === 12 ? 0 : 40 * (i === 3 || i === 5 ? 4 : i));
    const codes = texts.flatMap((_, i) => Array<number>(rowsOf(i)).fill(i)).reverse();
    const part = categoryPart(Float64Array.from([...codes, Number.NaN]), texts);
    expect(part).toEqual({
      values: ['t11', 't10', 't09', 't08', 't07', 't06', 't03', 't04'],
      rare: ['t00', 't01', 't02', 't05'],
      counts: [440, 400, 360, 320, 280, 240, 160, 160, 280, 1],
      nulls: 1,
      phi: expect.any(Number),
    });
  });

  it('has those that are surely the most frequent, and of others about as frequent the first by their text', () => {
    const texts = Array.from({ length: 40 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    // t30 to t34 stand out; each of the others has 20 rows, give or take what chance does.
    const rowsOf = (i: number): number => (i >= 30 && i < 35 ? 100 + i : 15 + ((i * 7) % 11));
    const codes = texts.flatMap((_, i) => Array<number>(rowsOf(i)).fill(i));
    const { values, counts } = categoryPart(Float64Array.from(codes), texts);
    expect(values).toEqual(['t34', 't33', 't32', 't31', 't30', 't01', 't02', 't00']);
    expect(counts.slice(0, 8)).toEqual([134, 133, 132, 131, 130, 22, 18, 15]);
  });

  it('tells data whose windows differ', () => {
    const mixed = Float64Array.from({ length: 3000 }, (_, i) => i % 2);
    expect(categoryPart(mixed, ['a', 'b']).phi).toBe(1);
    // Manually: windows of 300 of either the one or the other, each against 1,200 of its own and 1,500
    // others: 300/(1200+300)…
    const sorted = mixed.slice().sort();
    const [n, m] = [300, 2700];
    const own = (300 * Math.sqrt(m / n) - 1200 * Math.sqrt(n / m)) ** 2 / 1500;
    const other = (1500 * Math.sqrt(n / m)) ** 2 / 1500;
    expect(categoryPart(sorted, ['a', 'b']).phi).toBeCloseTo(own + other, 9);
    // Each of three values has a third, and chi² has two degrees of freedom.
    const thirds = Float64Array.from({ length: 3600 }, (_, i) => Math.floor(i / 1200));
    const share = 3300 / 300;
    const third =
      (300 * Math.sqrt(share) - 900 / Math.sqrt(share)) ** 2 / 1200 +
      2 * ((1200 / Math.sqrt(share)) ** 2 / 1200);
    expect(categoryPart(thirds, ['a', 'b', 'c']).phi).toBeCloseTo(third / 2, 9);
  });
});

describe('values of outputs', () => {
  const signal = (kind: OutputSignal['kind'], logits = false): OutputSignal => ({
    name: `${kind}_f1`,
    kind,
    output: 'p',
    logits,
    scores: 2,
  });
  const classes = [signal('label'), signal('confidence'), signal('entropy')];
  const answer = (data: readonly number[], size: number) => ({
    p: { type: 'float32', dims: [data.length / size, size], data: Float64Array.from(data) },
  });

  it('are the greatest’s number and probability, and the entropy of all', () => {
    const values = outputValues(classes, answer([0.2, 0.5, 0.3, 1, 0, 0, Number.NaN, 0.5, 0.5], 3), 3);
    const entropy = -(0.2 * Math.log(0.2) + 0.5 * Math.log(0.5) + 0.3 * Math.log(0.3)) / Math.log(3);
    expect(values?.map((of) => [...of])).toEqual([
      [1, 0, Number.NaN],
      [0.5, 1, Number.NaN],
      [expect.closeTo(entropy, 14), 0, Number.NaN],
    ]);
  });

  it('are the same of logits', () => {
    const p = [0.2, 0.5, 0.3, 0.1, 0.1, 0.8];
    const found = outputValues(
      classes.map((one) => ({ ...one, logits: true })),
      answer(
        p.map((x) => Math.log(x) + 700),
        3,
      ),
      2,
    );
    const expected = outputValues(classes, answer(p, 3), 2);
    found?.forEach((of, i) => {
      of.forEach((value, row) => {
        expect(value).toBeCloseTo(expected?.[i]?.[row] ?? Number.NaN, 10);
      });
    });
  });

  it('are a row’s only number, of half precision and whole ones, too', () => {
    const prediction = [signal('prediction')];
    const of = (type: string, data: ArrayLike<unknown>) =>
      outputValues(prediction, { p: { type, dims: [2, 1], data } }, 2)?.map((values) => [...values]);
    expect(of('float32', Float32Array.of(1.5, Number.POSITIVE_INFINITY))).toEqual([[1.5, Number.NaN]]);
    expect(of('float16', Uint16Array.of(0x3e00, 0xb800))).toEqual([[1.5, -0.5]]);
    expect(of('int64', BigInt64Array.of(3n, -4n))).toEqual([[3, -4]]);
    expect(of('float32', Float32Array.of(1))).toBe(undefined);
  });
});

describe('classes of an output', () => {
  const classes = (count: number): { readonly notices: string[]; readonly found: unknown } => {
    const notices: string[] = [];
    const texts = Array.from({ length: count }, (_, i) => String(i));
    const codes = Float64Array.from({ length: 2 * count }, (_, i) => i % count);
    return { notices, found: category('label', 'p', 0, 'label', codes, texts, notices) };
  };

  it('are watched up to a thousand; of more a line says so', () => {
    expect(classes(1000)).toMatchObject({
      notices: [],
      found: { kind: 'category', value: 'label', counts: [...Array(8).fill(2), 1984, 0] },
    });
    expect(classes(1001)).toEqual({
      notices: ['label is not watched: it has 1001 different classes, more than 1000.'],
      found: undefined,
    });
  });

  it('that are one only are told of', () => {
    expect(classes(1).notices).toEqual(['label has one value only in the reference.']);
  });
});
