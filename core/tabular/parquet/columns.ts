import type { Datatype, Signature } from '../../tensor/contract.ts';
import type { Taken } from '../cells/columns.ts';
import type { Extras } from '../cells/format.ts';
import { checkNames, type Field, type Header, type Layout } from '../cells/layout.ts';
import type { Slot } from '../cells/row-buffer.ts';
import { columnsOf, wrongHeader } from '../csv/columns.ts';
import type { CsvColumn } from '../csv/rows.ts';
import { type Kind, kindOf, timeKindOf } from './kinds.ts';
import { columnTrees, type FileMetaData } from './library.ts';

/** A column of the file that is read. */
export type ReadColumn = {
  readonly name: string;
  /** Which of the file's flat columns it is: its place in each row group. */
  readonly leaf: number;
  readonly kind: Kind;
  /** The model's input that it belongs to, and the place in its row; absent for one that is only carried. */
  readonly target?: { readonly input: number; readonly at: number };
  /** Its place among the carried columns, or −1. */
  readonly carried: number;
};

export type ParquetColumns = {
  readonly inputs: readonly Slot[];
  readonly columns: readonly ReadColumn[];
  /** Names of the carried columns. */
  readonly carried: readonly string[];
  /** Null and NaN are missing values, of floats. */
  readonly missing: boolean;
  /** Reference data is read: infinities are missing values, too, and a text that is null is empty. */
  readonly reference: boolean;
  readonly taken?: Taken;
  readonly table?: { readonly header: Header; readonly layout: Layout };
};

/**
 * What each column of the file is to the model, by the rules of CSV.
 * @throws an object fault `WRONG_HEADER` that names the column
 */
export function parquetColumns(metadata: FileMetaData, signature: Signature, extras: Extras): ParquetColumns {
  const children = columnTrees(metadata);
  const names = children.map(({ element }) => element.name);
  checkNames(names, wrongHeader);
  // Before its one column is told to be too few.
  const vector = children.find(
    (child) => isNested(child) && isOfInput(child.element.name, names, signature, extras),
  );
  if (vector !== undefined) throw nestedInput(vector.element.name);
  const { slots, columns: found, carried, taken, table } = columnsOf(names, names.length, signature, extras);
  let leaf = 0;
  const columns = children.flatMap((child, i): ReadColumn[] => {
    const { element } = child;
    const place = leaf;
    leaf += leavesOf(child);
    const { name, field, slot = 0, carried: at } = found[i] as CsvColumn;
    if (field === undefined && at < 0) return [];
    if (isNested(child)) {
      if (field !== undefined) throw nestedInput(name);
      throw wrongHeader(`Its column ${name} is nested.`, 'Drop it, or name the columns to carry in ids.');
    }
    const stored = kindOf(element) ?? (isNumberOf(field) ? timeKindOf(element) : undefined);
    const kind = isNumberOf(field) && stored?.datatype === 'BYTES' ? (stored.asNumbers ?? stored) : stored;
    if (kind === undefined)
      throw wrongHeader(`Its column ${name} ${KINDS_READ}`, 'Write it as one of these, or drop it.');
    if (field === undefined) return [{ name, leaf: place, kind, carried: at }];
    const isText = kind.datatype === 'BYTES';
    if (isText && !(kind.isText && field.datatype === 'BYTES'))
      throw wrongHeader(
        `Its column ${name} has ${kind.isText ? 'texts' : 'dates, times or decimals'}; the model takes ${extras.reference && isNumberOf(field) ? 'numbers' : field.datatype} there.`,
        'Write the column as the model takes it.',
      );
    if (!isText && field.datatype === 'BYTES')
      throw wrongHeader(
        `Its column ${name} has ${kind.datatype === 'BOOL' ? 'booleans' : 'numbers'}; the model takes texts there.`,
        'Write the column as texts.',
      );
    return [{ name, leaf: place, kind, target: { input: slot, at: field.column }, carried: at }];
  });
  const reference = extras.reference === true;
  return {
    inputs: slots,
    columns,
    carried,
    missing: reference || extras.missing === 'nan',
    reference,
    ...(taken && { taken }),
    ...(reference && table && { table }),
  };
}

type Tree = ReturnType<typeof columnTrees>[number];

const isNested = ({ children, element }: Tree): boolean =>
  children.length > 0 || element.repetition_type === 'REPEATED';

/** Named after an input; or the only column for the only input. */
function isOfInput(
  name: string,
  names: readonly string[],
  { inputs }: Signature,
  { columns, ids }: Extras,
): boolean {
  if (ids.includes(name)) return false;
  if (columns?.names.every((one) => names.includes(one))) return columns.names.includes(name);
  if (inputs.some((input) => input.name === name)) return true;
  return inputs.length === 1 && names.every((other) => other === name || ids.includes(other));
}

const nestedInput = (name: string): Error =>
  wrongHeader(
    `Its column ${name} is nested.`,
    'Give each element a column of its own, or upload JSON lines, whose values may be arrays.',
  );

/** Datatypes of the carried columns, in their order. */
export function carriedTypes({
  columns,
  carried,
}: Pick<ParquetColumns, 'columns' | 'carried'>): readonly Datatype[] {
  const types = new Array<Datatype>(carried.length).fill('BYTES');
  for (const { carried: at, kind } of columns) if (at >= 0) types[at] = kind.datatype;
  return types;
}

const isNumberOf = (field: Field | undefined): boolean => field !== undefined && field.datatype !== 'BYTES';

const KINDS_READ =
  'is of a type that cannot be read; numbers, booleans, texts, dates, timestamps, decimals and UUIDs can.';

const leavesOf = ({ children }: Tree): number =>
  children.length === 0 ? 1 : children.reduce((sum, child) => sum + leavesOf(child), 0);
