import type { Datatype } from '../../tensor/contract.ts';
import { KINDS, sizeOf, type Tensor, type TensorData } from '../../tensor/datatypes.ts';
import { sizeOfShape } from '../../tensor/shape.ts';
import type { FileNumbers, Numeric, Reason } from './convert.ts';
import type { Block, RowFault } from './format.ts';
import { BLOCK_ROWS, type Slot } from './row-buffer.ts';

/**
 * Blocks of rows that come from arrays, of which most are good: tensors are filled whole, and bad rows taken
 * out afterwards.
 */

/** Bytes of a block's tensors, at most, unless one row has more. */
const BLOCK_BYTES = 8 * 1024 ** 2;

/** Elements of a row. */
export const slotWidth = ({ shape }: Slot): number => sizeOfShape(shape);

/** Rows that a block of these inputs may have. */
export function blockRows(inputs: readonly Slot[]): number {
  const bytes = inputs.reduce((sum, one) => sum + slotWidth(one) * sizeOf(one.spec.datatype), 0);
  return Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_BYTES / Math.max(1, bytes))));
}

/**
 * Rows on their way into a block: room for each input's elements, and what is wrong with rows, by their
 * place.
 */
export type Stacked = {
  /** Rows of the object before the first. */
  readonly first: number;
  readonly count: number;
  readonly data: readonly TensorData[];
  readonly faults: Map<number, Reason>;
};

export function stacked(inputs: readonly Slot[], first: number, count: number): Stacked {
  const data = inputs.map((input): TensorData => {
    const { datatype } = input.spec;
    const size = count * slotWidth(input);
    return datatype === 'BYTES' ? new Array<string>(size).fill('') : KINDS[datatype].allocate(size);
  });
  return { first, count, data, faults: new Map() };
}

export const numbersIn = ({ datatype }: { readonly datatype: Datatype }, data: TensorData): FileNumbers => ({
  datatype: datatype as Numeric,
  data: data as FileNumbers['data'],
});

/** A row is told about once, with what was found first. */
export function mark({ faults }: Stacked, row: number, column: string, [code, reason]: Reason): void {
  if (!faults.has(row)) faults.set(row, [code, `Column ${column} ${reason}`]);
}

/** @param carried by column, a value for each row, faulty ones included */
export function blockOf(
  part: number,
  inputs: readonly Slot[],
  { first, count, data, faults }: Stacked,
  carried: readonly ArrayLike<unknown>[],
): Block {
  const isWhole = faults.size === 0;
  const good = isWhole
    ? EVERY.subarray(0, count)
    : EVERY.subarray(0, count).filter((row) => !faults.has(row));
  const tensors: Record<string, Tensor> = Object.create(null);
  if (good.length > 0) {
    inputs.forEach((input, i) => {
      const { name, datatype } = input.spec;
      const all = data[i] as TensorData;
      const kept = isWhole ? all : taken(all, slotWidth(input), good);
      tensors[name] = { datatype, shape: [good.length, ...input.shape], data: kept as never };
    });
  }
  const bad = [...faults].sort(([one], [other]) => one - other);
  const rows = new Float64Array(good.length);
  for (let i = 0; i < rows.length; i++) rows[i] = first + (good[i] as number) + 1;
  return {
    part,
    read: count,
    rows,
    tensors,
    carried: isWhole ? carried : carried.map((values) => Array.from(good, (row) => values[row])),
    faults: bad.map(([row, [code, reason]]): RowFault => ({ row: first + row + 1, code, reason })),
  };
}

const EVERY = Int32Array.from({ length: BLOCK_ROWS }, (_, row) => row);

/** Moves the rows that stay to the front, in the same memory. */
function taken(data: TensorData, width: number, rows: Int32Array): TensorData {
  if (Array.isArray(data))
    return Array.from(rows, (row) => data.slice(row * width, (row + 1) * width)).flat();
  rows.forEach((row, i) => {
    if (row !== i) data.copyWithin(i * width, row * width, (row + 1) * width);
  });
  return data.subarray(0, rows.length * width);
}
