/** Models of one row at a time, some of whose tensors are vectors of a fixed length: all of one is a row. */
import { expect, it } from 'vitest';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { TensorSpec } from '../../../../core/tensor/contract.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { scene } from './scene.ts';

const spec = (name: string, ...shape: readonly number[]): TensorSpec => ({ name, datatype: 'FP32', shape });

/** Refuses what ONNX Runtime refuses: an input of another rank than the graph’s, or of other dimensions. */
function strict({ inputs }: Manifest['signature'], rows: Tensors): void {
  for (const { name, shape } of inputs) {
    const given = rows[name]?.shape ?? [];
    const fits = given.length === shape.length && shape.every((due, i) => due < 0 || due === given[i]);
    if (!fits) throw new Error(`Invalid rank or dimension for input: ${name}`);
  }
}

const one = (rows: Tensors, name: string): number => Number(rows[name]?.data[0]);

async function scored(signature: Manifest['signature'], text: string, run: (rows: Tensors) => Tensors) {
  const s = scene({ manifest: { signature } });
  Object.assign(s.world, {
    run: (rows: Tensors) => {
      strict(signature, rows);
      return { outputs: run(rows) };
    },
  });
  await s.send(s.upload('rows/a.csv', text));
  return { failed: s.failed, answers: s.files()['part-00000.csv'] };
}

it('an input of one element without any dimension of rows is given as the graph has it', async () => {
  const signature = { inputs: [spec('x', 1, 2), spec('t', 1)], outputs: [spec('y', 1, 1)], omitted: [] };
  const { failed, answers } = await scored(signature, 'x_0,x_1,t\n1,2,10\n3,4,20\n', (rows) => ({
    y: { datatype: 'FP32', shape: [1, 1], data: Float32Array.of(one(rows, 'x') + one(rows, 't')) },
  }));
  expect([failed, answers]).toEqual([[], 'row,y\n1,11\n2,23\n']);
});

it('an output of a fixed length without any dimension of rows is a row of so many columns', async () => {
  const signature = { inputs: [spec('x', 1, 2)], outputs: [spec('y', 3)], omitted: [] };
  const { failed, answers } = await scored(signature, '1,2\n3,4\n', (rows) => ({
    y: { datatype: 'FP32', shape: [3], data: Float32Array.of(one(rows, 'x'), 0, 1) },
  }));
  expect([failed, answers]).toEqual([[], 'row,y_0,y_1,y_2\n1,1,0,1\n2,3,0,1\n']);
});

it('an output of several things that were found in a row is that row’s, in so many columns', async () => {
  const signature = { inputs: [spec('x', 1, 2)], outputs: [spec('boxes', 2, 2)], omitted: [] };
  const { failed, answers } = await scored(signature, '1,2\n3,4\n', (rows) => ({
    boxes: { datatype: 'FP32', shape: [2, 2], data: Float32Array.of(one(rows, 'x'), 0, 0, 1) },
  }));
  expect([failed, answers]).toEqual([[], 'row,boxes_0,boxes_1,boxes_2,boxes_3\n1,1,0,0,1\n2,3,0,0,1\n']);
});

it('an output that is declared for one row, of a model that takes many, has a row each all the same', async () => {
  const signature = { inputs: [spec('x', -1, 2)], outputs: [spec('y', 1), spec('z', 8)], omitted: [] };
  const { failed, answers } = await scored(signature, '1,2\n3,4\n', ({ x }) => {
    const rows = x?.shape[0] ?? 0;
    const data = Float32Array.from({ length: rows }, (_, row) => Number(x?.data[row * 2]));
    return {
      y: { datatype: 'FP32', shape: [rows], data },
      z: { datatype: 'FP32', shape: [rows], data },
    };
  });
  expect([failed, answers]).toEqual([[], 'row,y,z\n1,1,1\n2,3,3\n']);
});

it.each(['csv', 'jsonl'])(
  'the state of a recurrent network, whose first dimension is fixed, is told by row in %s',
  async (outputFormat) => {
    // As PyTorch exports it: layers, rows, hidden. With as many rows as layers its shape tells nothing.
    const signature = {
      inputs: [spec('x', -1, 2)],
      outputs: [spec('h', 2, -1, 1), spec('y', -1, 1)],
      omitted: [],
    };
    const s = scene({ manifest: { signature }, entry: { outputFormat } });
    Object.assign(s.world, {
      run: ({ x }: Tensors) => {
        const values = [...((x?.data ?? []) as Float32Array)];
        const layer = (i: number): number[] => values.filter((_, at) => at % 2 === i);
        const count = values.length / 2;
        return {
          outputs: {
            h: {
              datatype: 'FP32',
              shape: [2, count, 1],
              data: Float32Array.from([...layer(0), ...layer(1)]),
            },
            y: { datatype: 'FP32', shape: [count, 1], data: Float32Array.from(layer(0)) },
          },
        };
      },
    });
    await s.send(s.upload('rows/a.csv', '1,2\n3,4\n5,6\n7,8\n9,10\n'));
    expect(s.failed).toEqual([]);
    expect(s.files()[`part-00000.${outputFormat}`]).toBe(
      outputFormat === 'csv'
        ? 'row,h_0,h_1,y\n1,1,2,1\n2,3,4,3\n3,5,6,5\n4,7,8,7\n5,9,10,9\n'
        : [1, 2, 3, 4, 5]
            .map((row) => `{"row":${row},"h":[${2 * row - 1},${2 * row}],"y":${2 * row - 1}}\n`)
            .join(''),
    );
  },
);

it('an output whose first dimension an exporter has fixed counts rows all the same, also where there are as many', async () => {
  const signature = { inputs: [spec('x', -1, 2)], outputs: [spec('y', 2, 1)], omitted: [] };
  const runs: number[] = [];
  const s = scene({ manifest: { signature } });
  Object.assign(s.world, {
    run: ({ x }: Tensors) => {
      const data = ((x?.data ?? new Float32Array()) as Float32Array).filter((_, i) => i % 2 === 0);
      runs.push(data.length);
      return { outputs: { y: { datatype: 'FP32', shape: [data.length, 1], data } } };
    },
  });
  await s.send(s.upload('rows/two.csv', '1,2\n3,4\n'));
  expect([runs, s.files()['part-00000.csv']]).toEqual([[2, 1, 1], 'row,y\n1,1\n2,3\n']);
});

it('an answer that is not of its rows is none of fewer rows by chance: each row is asked alone', async () => {
  // What was found in all rows together: two in the first row, none in the second, which are as many as rows.
  const signature = { inputs: [spec('x', -1, 1)], outputs: [spec('found', -1, 1)], omitted: [] };
  const s = scene({ manifest: { signature }, entry: { tolerate: 1 } });
  Object.assign(s.world, {
    run: ({ x }: Tensors) => {
      const all = [...((x?.data ?? []) as Float32Array)].flatMap((count) => Array<number>(count).fill(count));
      return {
        outputs: { found: { datatype: 'FP32', shape: [all.length, 1], data: Float32Array.from(all) } },
      };
    },
  });
  await s.send(s.upload('rows/a.csv', 'x\n2\n0\n1\n3\n'));
  expect(s.files()['part-00000.csv']).toBe('row,found\n3,1\n');
});
