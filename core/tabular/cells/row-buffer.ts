import type { TensorSpec } from '../../tensor/contract.ts';
import { KINDS, sizeOf, type Tensor, type TensorData } from '../../tensor/datatypes.ts';
import { fromHalf, toHalf } from '../../tensor/half.ts';
import { sizeOfShape } from '../../tensor/shape.ts';
import type { Block, RowFault } from './format.ts';

/** An input of the model, and the shape of a row of it. */
export type Slot = { readonly spec: TensorSpec; readonly shape: readonly number[] };

/**
 * Rows on their way into a block. Numbers of all datatypes are doubles first, in one array, since a parser
 * that wrote into arrays of different types would run at a third of its speed; `takeBlock` makes tensors of
 * them.
 */
export type RowStack = {
  slots: readonly Slot[];
  /** Rows that a block may have. */
  capacity: number;
  /** A block must go first: no row has room, or the next has another shape. */
  full: boolean;
  /**
   * By slot: elements a row, and its first place in `values`; element i of row r is at `starts + r × widths +
   * i`.
   */
  widths: Int32Array;
  starts: Int32Array;
  values: Float64Array;
  /** 64-bit integers that no double is, by place; `values` has NaN there. */
  readonly exact: Map<number, bigint>;
  /** Elements by slot of BYTES. */
  readonly texts: readonly string[][];
  /** Values by carried column. */
  readonly carried: readonly unknown[][];
  /** Numbers of the good rows, and their lines. */
  readonly rows: Float64Array;
  readonly lines: Float64Array;
  faults: RowFault[];
  good: number;
  /** Faulty ones included. */
  read: number;
};

/** What is wrong with a row: never a value. */
export type Wrong = Pick<RowFault, 'code' | 'reason'>;

/** Rows of a block at most; more makes the model no faster. */
export const BLOCK_ROWS = 4096;
/** Elements in memory for a block, as doubles 8 MB; one row may have more. */
const ELEMENTS = 2 ** 20;
/** Carried values of a block: a row of JSON may lack all of its columns, which are null then. */
const CARRIED = 2 ** 21;

/** @param most rows that there are at most */
export function stackOf(slots: readonly Slot[], carried: number, most = BLOCK_ROWS): RowStack {
  const rows = Math.max(1, Math.min(most, Math.floor(CARRIED / Math.max(1, carried))));
  const room = roomFor(slots, rows);
  return {
    ...room,
    full: false,
    exact: new Map(),
    texts: slots.map(() => []),
    carried: Array.from({ length: carried }, () => []),
    rows: new Float64Array(rows),
    lines: new Float64Array(rows),
    faults: [],
    good: 0,
    read: 0,
  };
}

function roomFor(slots: readonly Slot[], most: number, values: Float64Array = new Float64Array(0)) {
  const widths = Int32Array.from(slots, ({ shape }) => sizeOfShape(shape));
  const width = widths.reduce((sum, one) => sum + one, 0);
  const capacity = Math.max(1, Math.min(most, Math.floor(ELEMENTS / Math.max(1, width))));
  let next = 0;
  const starts = widths.map((one) => {
    const start = next;
    next += one * capacity;
    return start;
  });
  const room = values.length < next ? new Float64Array(next) : values;
  return { slots, capacity, widths, starts, values: room };
}

/**
 * Makes room for rows of another shape, where there is no good row yet.
 * @returns false where there are some: a block of them must go first
 */
export function reshape(stack: RowStack, slot: number, shape: readonly number[]): boolean {
  stack.full = stack.good > 0;
  if (stack.full) return false;
  const slots = stack.slots.map((one, i) => (i === slot ? { ...one, shape } : one));
  Object.assign(stack, roomFor(slots, stack.rows.length, stack.values));
  return true;
}

/** Puts a row of the slot's datatype where the next good one goes. */
export function putRow(stack: RowStack, slot: number, data: TensorData): void {
  const width = stack.widths[slot] as number;
  const start = (stack.starts[slot] as number) + stack.good * width;
  for (let i = 0; i < width; i++) put(stack, slot, start + i, data, i);
}

/** Puts an element of a tensor of the slot's datatype at a place of the stack. */
export function put(stack: RowStack, slot: number, place: number, data: TensorData, index: number): void {
  const { datatype } = (stack.slots[slot] as Slot).spec;
  const element = data[index] as string | number | bigint;
  if (typeof element === 'string') {
    (stack.texts[slot] as string[])[place - (stack.starts[slot] as number)] = element;
    return;
  }
  if (typeof element === 'bigint') {
    const value = Number(element);
    const fits = Number.isSafeInteger(value);
    stack.values[place] = fits ? value : Number.NaN;
    if (!fits) stack.exact.set(place, element);
  } else stack.values[place] = datatype === 'FP16' ? fromHalf(element) : element;
}

/** Ends a row: a good one, or one that is left out for a reason. */
export function endRow(stack: RowStack, row: number, line: number, wrong: Wrong | undefined): void {
  if (wrong === undefined) {
    stack.rows[stack.good] = row;
    stack.lines[stack.good] = line;
    stack.good++;
  } else stack.faults.push({ row, line, ...wrong });
  stack.read++;
  stack.full = stack.read >= stack.capacity;
}

/** The rows so far, as a block; the stack is empty then. */
export function takeBlock(stack: RowStack, part: number): Block {
  const { good, read, faults } = stack;
  const tensors: Record<string, Tensor> = Object.create(null);
  if (good > 0) {
    stack.slots.forEach(({ spec: { name, datatype }, shape }, slot) => {
      const data = dataOf(stack, slot, good * (stack.widths[slot] as number));
      tensors[name] = { datatype, shape: [good, ...shape], data: data as never };
    });
  }
  const block = {
    part,
    read,
    rows: stack.rows.slice(0, good),
    lines: stack.lines.slice(0, good),
    tensors,
    carried: stack.carried.map((values) => values.slice(0, good)),
    faults,
  };
  stack.exact.clear();
  stack.full = false;
  stack.faults = [];
  stack.good = 0;
  stack.read = 0;
  return block;
}

function dataOf(stack: RowStack, slot: number, count: number): TensorData {
  const { datatype } = (stack.slots[slot] as Slot).spec;
  if (datatype === 'BYTES') return (stack.texts[slot] as string[]).slice(0, count);
  const start = stack.starts[slot] as number;
  const values = stack.values.subarray(start, start + count);
  const data = KINDS[datatype].allocate(count);
  if (sizeOf(datatype) === 8 && datatype !== 'FP64') putWords(data, values, stack.exact, start);
  else if (datatype === 'FP16') for (let i = 0; i < count; i++) data[i] = toHalf(values[i] as number);
  else (data as Float64Array).set(values);
  return data;
}

/** 64-bit integers by their halves: bigints would take ten times as long. */
function putWords(
  data: TensorData,
  values: Float64Array,
  exact: ReadonlyMap<number, bigint>,
  start: number,
): void {
  const words = new Int32Array((data as BigInt64Array<ArrayBuffer>).buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      (data as BigInt64Array)[i] = exact.get(start + i) as bigint;
      continue;
    }
    const high = Math.floor(value / 2 ** 32);
    words[2 * i] = value - high * 2 ** 32;
    words[2 * i + 1] = high;
  }
}
