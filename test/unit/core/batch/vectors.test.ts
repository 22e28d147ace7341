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
