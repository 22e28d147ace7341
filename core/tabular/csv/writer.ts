import type { Tensors } from '../../tensor/tensors.ts';
import {
  contentOf,
  newOutput,
  type Output,
  putByte,
  putInteger,
  putText,
  putterOf,
} from '../cells/byte-output.ts';
import { COMMA, NEWLINE, quoted } from '../cells/cells.ts';
import type { Block, Column, PartWriter } from '../cells/format.ts';
import { textOf } from '../cells/value-text.ts';

/** For each file of a part; all have the same memory. */
export function csvWriters(columns: readonly Column[]): () => PartWriter {
  const output = newOutput();
  return () => csvWriter(columns, output);
}

/**
 * RFC 4180, lines ended by a newline alone, with a line of names at the start: each file is whole by itself.
 * @param output memory of a file before, of which nothing is needed any more
 */
export function csvWriter(columns: readonly Column[], output = newOutput()): PartWriter {
  output.at = 0;
  columns.forEach(({ name }, i) => {
    if (i > 0) putByte(output, COMMA);
    putCell(output, name, columns.length);
  });
  putByte(output, NEWLINE);
  return {
    add(block, outputs) {
      // Then there is no output either.
      if (block.rows.length === 0) return;
      const cells = columns.map((column) => cellOf(column, block, outputs, output, columns.length));
      for (let row = 0; row < block.rows.length; row++) {
        for (let i = 0; i < cells.length; i++) {
          if (i > 0) putByte(output, COMMA);
          (cells[i] as (row: number) => void)(row);
        }
        putByte(output, NEWLINE);
      }
    },
    size: () => output.at,
    end: () => contentOf(output),
  };
}

/** @returns a function that writes the column's cell of a row of the block */
function cellOf(
  column: Column,
  { rows, carried }: Block,
  outputs: Tensors,
  output: Output,
  width: number,
): (row: number) => void {
  if (column.of === 'row') return (row) => putInteger(output, rows[row] as number);
  if (column.of === 'carried') {
    const values = carried[column.index] ?? [];
    return (row) => putCell(output, textOf(values[row]), width);
  }
  const tensor = outputs[column.output];
  if (tensor === undefined) throw new Error(`There is no output ${column.output}.`);
  const size = tensor.data.length / rows.length;
  const index = column.index ?? 0;
  if (tensor.datatype === 'BYTES')
    return (row) => putCell(output, tensor.data[row * size + index] as string, width);
  const put = putterOf(tensor, output);
  return (row) => put(row * size + index);
}

/** @param width of the row */
function putCell(output: Output, text: string, width: number): void {
  putText(output, quoted(text, width === 1));
}
