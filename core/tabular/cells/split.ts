import type { Tensor } from '../../tensor/datatypes.ts';
import { sizeOfShape } from '../../tensor/shape.ts';
import type { Tensors } from '../../tensor/tensors.ts';
import type { Block } from './format.ts';

/** Number of a block's first row in the object: its rows follow one another, each either good or faulty. */
export const firstRow = ({ rows, faults }: Block): number =>
  Math.min(rows[0] ?? Number.POSITIVE_INFINITY, faults[0]?.row ?? Number.POSITIVE_INFINITY);

/**
 * The first rows of a block, and the others; what is in memory stays where it is.
 * @param count of rows, faulty ones included: from 1 to one less than the block has
 */
export function splitBlock(block: Block, count: number): readonly [Block, Block] {
  const border = firstRow(block) + count;
  const good = placeOf(block.rows, border);
  const bad = block.faults.findIndex(({ row }) => row >= border);
  const faults = bad < 0 ? block.faults.length : bad;
  const piece = (read: number, from: number, to: number, fromFault: number, toFault: number): Block => ({
    part: block.part,
    read,
    rows: sliced(block.rows, from, to),
    ...(block.lines && { lines: sliced(block.lines, from, to) }),
    tensors: from === to ? {} : rowsOf(block.tensors, from, to),
    carried: block.carried.map((values) => sliced(values, from, to)),
    faults: block.faults.slice(fromFault, toFault),
  });
  return [
    piece(count, 0, good, 0, faults),
    piece(block.read - count, good, block.rows.length, faults, block.faults.length),
  ];
}

/** Some rows of stacked tensors, in the same memory. */
export const rowsOf = (tensors: Tensors, from: number, to: number): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { datatype, shape, data }]) => {
      const width = sizeOfShape(shape.slice(1));
      const some = sliced(data as ArrayLike<number>, from * width, to * width);
      return [name, { datatype, shape: [to - from, ...shape.slice(1)], data: some } as unknown as Tensor];
    }),
  );

/** Place of the first number that is not below the border, in ascending ones. */
function placeOf(rows: ArrayLike<number>, border: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as number) < border) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sliced<T>(values: ArrayLike<T>, from: number, to: number): ArrayLike<T> {
  if (from === 0 && to === values.length) return values;
  if (ArrayBuffer.isView(values)) return (values as unknown as Float64Array).subarray(from, to) as never;
  return Array.isArray(values) ? values.slice(from, to) : Array.prototype.slice.call(values, from, to);
}
