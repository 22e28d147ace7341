import type { Datatype, Signature } from '../../tensor/contract.ts';
import type { Column, Extras, PartWriter, Rows, Source } from './format.ts';

/**
 * A format of tables: one reader and one writer for all that read and write tables. Its code is loaded when
 * it is first asked for, since whoever only knows the names, the declaration for one, needs none of it.
 */
export type TabularFormat = {
  /** How names of its files end. */
  readonly suffix: string;
  /** Is it read from its start on? Then a file that is packed with gzip is read, too. */
  readonly streams: boolean;
  /**
   * Numbers alone: columns have no names, cells no texts, and a row that was not answered is a row of NaN.
   */
  readonly isArray: boolean;
  /** A value may be an array: an output is one column, however many elements a row of it has. */
  readonly nests: boolean;
  /**
   * The rows of one object.
   * @param signature as clients see it
   * @throws an object fault
   */
  readonly open: (source: Source, signature: Signature, extras: Extras) => Promise<Rows>;
  /**
   * @param outputs datatypes of the outputs, by name
   * @param carried datatypes of the carried columns, where the object names them
   * @returns what makes a writer for each file, one after the other: the next may have the memory of the last
   */
  readonly writer: (
    columns: readonly Column[],
    outputs: Readonly<Record<string, Datatype>>,
    carried?: readonly Datatype[],
  ) => Promise<() => PartWriter>;
};
