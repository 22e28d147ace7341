import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoreBlock } from '../../../../core/batch/score.ts';
import { refusal } from '../../../../core/errors/refusals.ts';
import type { Block } from '../../../../core/tabular/cells/format.ts';
import type { Tensor } from '../../../../core/tensor/datatypes.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';

const fp32 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
});

/** Rows 11, 12, …, each of one number. */
const blockOf = (values: readonly number[]): Block => ({
  part: 0,
  read: values.length,
  rows: values.map((_, i) => 11 + i),
  lines: values.map((_, i) => 12 + 2 * i),
  tensors: { x: fp32([values.length, 1], values) },
  carried: [values.map((_, i) => `id ${i}`)],
  faults: [],
});

/** Doubles each row; one below zero breaks the whole run, as a lookup in a model does. */
const doubling =
  (runs: number[] = []) =>
  ({ x }: Tensors): Tensors => {
    const values = f(x);
    runs.push(values.length);
    if (values.some((value) => value < 0)) throw new Error('a kernel fails, and says the value');
    return {
      y: fp32(
        [values.length, 2],
        values.flatMap((value) => [2 * value, value]),
      ),
    };
  };

const f = (tensor: Tensor | undefined): number[] => [...((tensor?.data ?? []) as Float32Array)];

const score = async (
  run: (rows: Tensors) => Tensors,
  ...others: Parameters<typeof scoreBlock> extends [unknown, ...infer Rest] ? Rest : never
) => {
  const [only, ...more] = await scoreBlock((rows) => ({ outputs: run(rows) }), ...others);
  expect(more).toEqual([]);
  return only;
};

const MANY = Number.MAX_SAFE_INTEGER;

describe('a block of rows', () => {
  it('gives each good row its answer, in order, and each bad one a fault, whatever is bad and how many the model takes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 40 }),
        fc.constantFrom(1, 3, MANY),
        async (values, most) => {
          const { block, outputs } = await score(
            doubling(),
            blockOf(values),
            [{ name: 'y', width: 2 }],
            most,
            false,
          );
          const good = values.flatMap((value, i) => (value < 0 ? [] : [i]));
          expect([...(block.rows as number[])]).toEqual(good.map((i) => 11 + i));
          expect([...(block.lines as number[])]).toEqual(good.map((i) => 12 + 2 * i));
          expect([...(block.carried[0] as string[])]).toEqual(good.map((i) => `id ${i}`));
          expect(f(outputs.y)).toEqual(good.flatMap((i) => [2 * (values[i] as number), values[i]]));
          expect(block.faults.map(({ row, line, code }) => ({ row, line, code }))).toEqual(
            values.flatMap((value, i) =>
              value < 0 ? [{ row: 11 + i, line: 12 + 2 * i, code: 'MODEL_FAILED' }] : [],
            ),
          );
        },
      ),
    );
  });

  it('is run once where all is well, and twice a halving for one bad row among a thousand', async () => {
    const runs: number[] = [];
    const values = Array.from({ length: 1024 }, (_, i) => i);
    await score(doubling(runs), blockOf(values), [{ name: 'y', width: 2 }], MANY, false);
    expect(runs).toEqual([1024]);
    runs.length = 0;
    await score(doubling(runs), blockOf(values.with(700, -1)), [{ name: 'y', width: 2 }], MANY, false);
    expect(runs.length).toBe(1 + 2 * 10);
  });

  it('keeps the reader’s faults, in the order of rows', async () => {
    const block = { ...blockOf([1, -1, 1]), faults: [{ row: 14, code: 'WRONG_VALUE', reason: 'r' }] };
    const scored = await score(doubling(), block, [{ name: 'y', width: 2 }], MANY, false);
    expect(scored.block.faults.map(({ row }) => row)).toEqual([12, 14]);
  });

  it('says what a transform refuses, and nothing of what a kernel says', async () => {
    const refusing = ({ x }: Tensors): Tensors => {
      if (f(x).includes(-1)) throw refusal('WRONG_VALUE', 'age must be positive.');
      return doubling()({ x: x as Tensor });
    };
    const [fault] = (await score(refusing, blockOf([1, -1]), [{ name: 'y', width: 2 }], MANY, false)).block
      .faults;
    expect(fault).toEqual({ row: 12, line: 14, code: 'WRONG_VALUE', reason: 'age must be positive.' });
    const [other] = (await score(doubling(), blockOf([-1]), [{ name: 'y', width: 2 }], MANY, false)).block
      .faults;
    expect(JSON.stringify(other)).not.toContain('kernel');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'takes an answer of %s for a fault, unless it may be written',
    async (bad) => {
      const run = ({ x }: Tensors): Tensors => ({
        y: fp32(
          [x?.shape[0] as number, 1],
          f(x).map((value) => (value === 5 ? bad : value)),
        ),
      });
      const strict = await score(run, blockOf([4, 5, 6]), [{ name: 'y', width: 1 }], MANY, false);
      expect(f(strict.outputs.y)).toEqual([4, 6]);
      expect(strict.block.faults).toMatchObject([{ row: 12, code: 'NON_FINITE_OUTPUT' }]);
      const free = await score(run, blockOf([4, 5, 6]), [{ name: 'y', width: 1 }], MANY, true);
      expect(f(free.outputs.y)).toEqual([4, bad, 6]);
      expect(free.block.faults).toEqual([]);
    },
  );

  it('takes texts and whole numbers of 64 bits as they are', async () => {
    const run = ({ x }: Tensors): Tensors => {
      if (f(x).includes(-1)) throw new Error();
      const n = x?.shape[0] as number;
      return {
        label: { datatype: 'INT64', shape: [n], data: new BigInt64Array(n).fill(2n ** 60n) },
        name: { datatype: 'BYTES', shape: [n], data: Array<string>(n).fill('ä') },
      };
    };
    const { outputs } = await score(
      run,
      blockOf([1, -1, 2, 3]),
      [
        { name: 'name', width: 1 },
        { name: 'label', width: 1 },
      ],
      MANY,
      false,
    );
    expect([...((outputs.label?.data ?? []) as BigInt64Array)]).toEqual([2n ** 60n, 2n ** 60n, 2n ** 60n]);
    expect(outputs.name?.data).toEqual(['ä', 'ä', 'ä']);
  });

  it('is faulty in every row where an output has no row for each', async () => {
    const run = (): Tensors => ({ y: fp32([7], [1, 2, 3, 4, 5, 6, 7]) });
    const { block } = await score(run, blockOf([1, 2]), [{ name: 'y', width: 1 }], MANY, false);
    expect(block.faults).toMatchObject([{ code: 'MODEL_FAILED' }, { code: 'MODEL_FAILED' }]);
  });
});
