import { expect, it } from 'vitest';
import { runOf } from '../../../../core/batch/model.ts';
import { scoreBlock } from '../../../../core/batch/score.ts';
import type { Tensors } from '../../../../core/tensor/tensors.ts';
import { ECHO, echoBlock, echoSession } from './echo.ts';

const numbers = ({ y }: Tensors): readonly number[] => [...((y?.data ?? []) as Float32Array)];

/** Ten times each value, in the memory that it is given, as code that works on the endpoint may do. */
const scale = (tensors: Tensors): Tensors => {
  for (const { data } of Object.values(tensors))
    for (let i = 0; i < data.length; i++) data[i] = 10 * (data[i] as number);
  return tensors;
};

it('rows that run again beside one that fails are those of the object, also where pre writes to what it is given', async () => {
  const run = runOf(ECHO, echoSession, { pre: scale });
  const [scored] = await scoreBlock(run, echoBlock([1, 2, 3, -4, 5]), [{ name: 'y', width: 1 }], 1e9, false);
  expect(scored.block.faults).toMatchObject([{ row: 4, code: 'MODEL_FAILED' }]);
  expect(numbers(scored.outputs)).toEqual([10, 20, 30, 50]);
});

it('what the graph gave is told to who counts drift, also where post writes to what it is given', async () => {
  const told: number[] = [];
  const run = runOf(ECHO, echoSession, { post: scale }, (_, outputs) => {
    told.push(...numbers(outputs));
  });
  const [scored] = await scoreBlock(run, echoBlock([1, 2]), [{ name: 'y', width: 1 }], 1e9, false);
  expect(numbers(scored.outputs)).toEqual([10, 20]);
  expect(told).toEqual([1, 2]);
});

it('each row has its own answer, also where post gives them in the same memory each time', async () => {
  const memory = new Float32Array(8);
  const post = (outputs: Tensors): Tensors => {
    const given = numbers(outputs);
    memory.set(given);
    return { y: { datatype: 'FP32', shape: [given.length, 1], data: memory.subarray(0, given.length) } };
  };
  const run = runOf(ECHO, echoSession, { post });
  const [one] = await scoreBlock(run, echoBlock([1, 2, 3]), [{ name: 'y', width: 1 }], 1, false);
  expect(numbers(one.outputs)).toEqual([1, 2, 3]);
  const [halved] = await scoreBlock(run, echoBlock([1, 2, -3, 4]), [{ name: 'y', width: 1 }], 1e9, false);
  expect(numbers(halved.outputs)).toEqual([1, 2, 4]);
});
