import { refusal } from '../../errors/refusals.ts';
import type { Tensor } from '../../tensor/datatypes.ts';
import { fromHalf } from '../../tensor/half.ts';
import type { Tensors } from '../../tensor/tensors.ts';
import {
  contentOf,
  newOutput,
  type Output,
  putByte,
  putBytes,
  putInteger,
  putText,
  putterOf,
} from '../cells/byte-output.ts';
import { COMMA, NEWLINE } from '../cells/cells.ts';
import type { Block, Column, PartWriter } from '../cells/format.ts';
import { jsonOf } from '../cells/value-text.ts';
import { CLOSE, CLOSE_BRACE, OPEN } from './text.ts';

/** For each file of a part; all have the same memory. */
export function jsonlWriters(columns: readonly Column[]): () => PartWriter {
  const output = newOutput();
  return () => jsonlWriter(columns, output);
}

/**
 * A JSON object a line, by the columns' names.
 * @param output memory of a file before, of which nothing is needed any more
 */
export function jsonlWriter(columns: readonly Column[], output = newOutput()): PartWriter {
  output.at = 0;
  const heads = columns.map(({ name }, i) => Buffer.from(`${i > 0 ? ',' : '{'}${JSON.stringify(name)}:`));
  return {
    /** @throws Refusal `NON_FINITE_OUTPUT`, before anything of the block is written */
    add(block, outputs) {
      // Then there is no output either.
      if (block.rows.length === 0) return;
      for (const column of columns) if (column.of === 'output') checkFinite(column.output, outputs);
      const values = columns.map((column) => writerOf(column, block, outputs, output));
      for (let row = 0; row < block.rows.length; row++) {
        for (let i = 0; i < values.length; i++) {
          putBytes(output, heads[i] as Buffer);
          (values[i] as (row: number) => void)(row);
        }
        putByte(output, CLOSE_BRACE);
        putByte(output, NEWLINE);
      }
    },
    size: () => output.at,
    end: () => contentOf(output),
  };
}

/** @returns a function that writes the column's value of a row of the block */
function writerOf(
  column: Column,
  { rows, carried }: Block,
  outputs: Tensors,
  output: Output,
): (row: number) => void {
  if (column.of === 'row') return (row) => putInteger(output, rows[row] as number);
  if (column.of === 'carried') {
    const values = carried[column.index] ?? [];
    return (row) => putText(output, jsonOf(values[row]));
  }
  const tensor = tensorOf(column.output, outputs);
  const size = tensor.data.length / rows.length;
  const { index } = column;
  const put =
    tensor.datatype === 'BYTES'
      ? (place: number) => putText(output, JSON.stringify(tensor.data[place]))
      : putterOf(tensor, output);
  if (index !== undefined || size === 1) return (row) => put(row * size + (index ?? 0));
  return (row) => {
    putByte(output, OPEN);
    for (let i = 0; i < size; i++) {
      if (i > 0) putByte(output, COMMA);
      put(row * size + i);
    }
    putByte(output, CLOSE);
  };
}

function tensorOf(name: string, outputs: Tensors): Tensor {
  const tensor = outputs[name];
  if (tensor === undefined) throw new Error(`There is no output ${name}.`);
  return tensor;
}

function checkFinite(name: string, outputs: Tensors): void {
  const { datatype, data } = tensorOf(name, outputs);
  if (!datatype.startsWith('FP')) return;
  for (let i = 0; i < data.length; i++) {
    const value = datatype === 'FP16' ? fromHalf(data[i] as number) : (data[i] as number);
    // NaN and infinities are the only numbers whose difference with themselves is not 0.
    if (value - value !== 0)
      throw refusal('NON_FINITE_OUTPUT', `Output ${name} is NaN or infinite, which JSON cannot say.`);
  }
}
