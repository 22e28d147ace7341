import type { Columns, Datatype } from '../../tensor/contract.ts';
import type { Tensors } from '../../tensor/tensors.ts';
import type { Taken } from './columns.ts';
import type { Part } from './contract.ts';
import type { Header, Layout } from './layout.ts';

/** Shapes that pass between readers of formats, the model, and writers. */

/** A row that cannot be scored. Never its values. */
export type RowFault = {
  /** Its number in the object, from 1, headers and blank lines not counted. */
  readonly row: number;
  /** csv and jsonl: the line that the row begins in, from 1. */
  readonly line?: number;
  readonly code: string;
  /** A sentence: which column, what is expected. */
  readonly reason: string;
};

/** Rows as they go through the model, in the object's order. */
export type Block = {
  /** The number of the part that they belong to; a block is never of two. */
  readonly part: number;
  /** Rows read, faulty ones included. */
  readonly read: number;
  /** Numbers of the good rows in the object, from 1, ascending; and their lines, where these are known. */
  readonly rows: ArrayLike<number>;
  readonly lines?: ArrayLike<number>;
  /** The good rows stacked along the first dimension; no tensors where there is no good row. */
  readonly tensors: Tensors;
  /**
   * Values by carried column, one for each good row: text (csv), any JSON value (jsonl), what Parquet has.
   */
  readonly carried: readonly ArrayLike<unknown>[];
  readonly faults: readonly RowFault[];
};

/**
 * One content of one object. A read that finds another content throws an object fault `CHANGED`, one that
 * finds nothing `GONE`.
 */
export type Source = {
  readonly bytes: number;
  /** Bytes from `start` to `end` (exclusive; default: the end). */
  stream(start: number, end?: number): AsyncIterable<Uint8Array>;
  /** The same at once, in memory that is the caller's alone. */
  range(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
};

/** What an object's columns are beside what the signature says. */
export type Extras = {
  /** Columns that are not the model's, by name; with `join` any others, too. */
  readonly ids: readonly string[];
  readonly join: boolean;
  /** Names of the columns of the model's only input. */
  readonly columns?: Columns;
  /** Floats that have no value, or are NaN, are NaN for the model; absent: such a row is faulty. */
  readonly missing?: 'nan';
  /**
   * Rows that are looked at and not scored: reference data. Its signature’s numbers are FP64. What says no
   * number, or an infinite one, is NaN, and a text that there is not is empty; true and false are 1 and 0;
   * rows of JSON have the columns of the first, by whatever names.
   */
  readonly reference?: true;
  /** Bytes that a row may have; default: `ROW_BYTES`. */
  readonly rowBytes?: number;
};

/** The rows of one object. */
export type Rows = {
  /** Names of the carried columns. */
  readonly carried: readonly string[];
  /**
   * Their datatypes (BYTES: text), where the object says: a written Parquet part keeps them. Their values are
   * numbers, bigints, booleans, texts or null.
   */
  readonly types?: readonly Datatype[];
  /** Dimensions of a row by input, where all rows have the same; absent where each has its own. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>;
  /** How many there are, where that is known before they are read. */
  readonly count?: number;
  /** Absent for an object without any row. */
  readonly taken?: Taken;
  /** Columns of reference data that has any row, and what they are to the model. */
  readonly table?: { readonly header: Header; readonly layout: Layout };
  /** Cuts the object into parts; absent, with `part`, where it can be read from its start only (gzip). */
  readonly plan?: (partBytes: number) => AsyncIterable<Part>;
  readonly part?: (part: Part) => AsyncIterable<Block>;
  /** All rows from the first on, in the same parts as `plan` cuts. */
  readonly all: (partBytes: number) => AsyncIterable<Block>;
};

/** What one column of a written file is made from. */
export type Column =
  | { readonly name: string; readonly of: 'row' }
  | { readonly name: string; readonly of: 'carried'; readonly index: number }
  /**
   * The element at `index` of a row of the output named `output`; in jsonl all of them where `index` is
   * absent: an array if there are several.
   */
  | { readonly name: string; readonly of: 'output'; readonly output: string; readonly index?: number };

/** Files a part's rows into one object of the output format. */
export type PartWriter = {
  /** @param outputs of the block's good rows, stacked along the first dimension */
  add(block: Block, outputs: Tensors): void;
  /** Bytes that the object would have now, about. */
  size(): number;
  /** The whole object; the same bytes for the same rows, always. */
  end(): Uint8Array;
};
