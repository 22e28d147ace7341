import type { ColumnNotice } from '../../../../core/tabular/cells/columns.ts';
import type { Fault, Field, Header } from '../../../../core/tabular/cells/layout.ts';
import type { Columns } from '../../../../core/tensor/contract.ts';
import { type Store, textNumber } from '../store.ts';
import { cast, storedBytes, valuesIn } from '../values.ts';

/** Where the rows of a file go. */
export type Sink = {
  readonly store: Store;
  /** The first field of each of the file's columns, or −1. */
  readonly targets: readonly number[];
};

/** What every reader is given. */
export type Reading = {
  /** Absolute. */
  readonly path: string;
  readonly fault: Fault;
  /** Told the file's columns, gives where they go. */
  readonly open: (header: Header) => Promise<Sink>;
  /** Elements a row, where the model says: tells a first line of numbers from names. */
  readonly width: number;
  /** Names of the columns, where they are known. */
  readonly columns?: Columns;
  readonly notice: (code: ColumnNotice) => void;
  /** Part of the file that is read, 0 to 1. */
  readonly progress: (share: number) => void;
};

/** Puts rows into blocks, value by value: what formats share that are no faster otherwise. */
export type Filler = {
  /** @param where as a person finds it: a line, or a row */
  put(field: number, value: unknown, where: () => string): void;
  /** Ends a row: what was not put has no value. */
  next(): void;
  /** Is the block full? Then `flush` is due. */
  full(): boolean;
  flush(): Promise<void>;
};

export function fillerOf({ store }: Sink, fault: Fault): Filler {
  const { block, fields, texts, capacity } = store;
  let row = 0;
  const clear = (): void => {
    for (const values of block) values.fill(Number.NaN);
  };
  clear();
  return {
    put(index, value, where) {
      const field = fields[index] as Field;
      const stored = storedOf(field, value, texts[index]);
      if (typeof stored === 'string') throw wrongValue(fault, where(), field.label, stored);
      (block[index] as Float64Array)[row] = stored;
    },
    next() {
      row++;
    },
    full: () => row === capacity,
    async flush() {
      if (row > 0) await store.flush(row);
      row = 0;
      clear();
    },
  };
}

/** Values of a column in consecutive rows, null or undefined for none: a function, as most formats have them packed. */
export type Run = { readonly length: number; readonly at: (i: number) => unknown };

/** Puts a column's values, from row `first` on. */
export async function putColumn(
  { store }: Sink,
  index: number,
  first: number,
  { length, at }: Run,
  fault: Fault,
): Promise<void> {
  const field = store.fields[index] as Field;
  const stored = valuesIn(field.datatype, new ArrayBuffer(storedBytes(field.datatype) * length), 0, length);
  for (let i = 0; i < length; i++) {
    const value = storedOf(field, at(i), store.texts[index]);
    if (typeof value === 'string') throw wrongValue(fault, `Row ${first + i + 1}`, field.label, value);
    stored[i] = value;
  }
  await store.writeColumn(index, first, stored);
}

function storedOf(
  { datatype }: Field,
  value: unknown,
  texts: Parameters<typeof textNumber>[0] | undefined,
): number | string {
  if (value === null || value === undefined) return Number.NaN;
  if (datatype === 'BYTES') {
    return typeof value === 'string' && texts !== undefined
      ? textNumber(texts, value)
      : 'must be a text (BYTES).';
  }
  if (typeof value === 'number') return cast(datatype, value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return cast(datatype, Number(value));
  return mustBeNumber;
}

export const mustBeNumber = 'is no number.';

/** The value itself is nobody's to see: it may be a person's. */
export function wrongValue(fault: Fault, where: string, label: string, reason: string): Error {
  return fault(
    `${where}, column ${label} ${reason}`,
    'Correct it, or leave it empty where there is no value.',
  );
}
