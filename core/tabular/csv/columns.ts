import { objectFault } from '../../errors/object-errors.ts';
import type { Signature } from '../../tensor/contract.ts';
import { type First, placesOf, type Taken } from '../cells/columns.ts';
import type { Extras } from '../cells/format.ts';
import {
  checkCarried,
  checkNames,
  checkSeparator,
  type FileFault,
  type Header,
  type Layout,
  layoutOf,
} from '../cells/layout.ts';
import type { Slot } from '../cells/row-buffer.ts';
import { slotsOf } from '../cells/slots.ts';
import type { CsvColumn } from './rows.ts';

/** What the columns of a CSV object are, by its header. */

export const wrongHeader: FileFault = (message, fix) => objectFault('WRONG_HEADER', `${message} ${fix}`);

/** @returns undefined where the columns have none and need none */
export function namesOf(
  cells: readonly string[],
  first: First,
  due: number,
  { inputs }: Signature,
  { ids, join }: Extras,
): readonly string[] | undefined {
  if (first === 'names') {
    checkSeparator(cells, inputs, wrongHeader);
    checkNames(cells, wrongHeader);
    return cells;
  }
  if (first === 'wrong') {
    throw wrongHeader(
      `Its first line has no names, and ${cells.length} number${cells.length === 1 ? '' : 's'}; the model takes ${due < 0 ? 'any number' : due}.`,
      'Write the names of the columns in the first line.',
    );
  }
  if (ids.length === 0 && !join) return undefined;
  throw wrongHeader(
    `Its first line has no names, and ${join ? 'join' : 'ids'} needs them.`,
    'Write the names of the columns in the first line.',
  );
}

/** What the columns of an object are, by their order there. */
export type Fitting = {
  readonly slots: readonly Slot[];
  readonly columns: readonly CsvColumn[];
  readonly carried: readonly string[];
  readonly taken?: Taken;
  readonly table?: { readonly header: Header; readonly layout: Layout };
};

/** What each column of the file is. */
export function columnsOf(
  names: readonly string[] | undefined,
  count: number,
  signature: Signature,
  { ids, join, columns: known, reference }: Extras,
): Fitting {
  for (const id of ids) {
    if (names?.includes(id)) continue;
    throw wrongHeader(
      `It has no column ${id}, which is one of ids.`,
      'Add the column, or take it out of ids.',
    );
  }
  if (join && ids.length === 0) checkCarried(names ?? [], wrongHeader);
  const others = Array.from({ length: count }, (_, i) => i).filter((i) => !ids.includes(names?.[i] ?? ''));
  const own = join && names !== undefined ? modelsOwn(others, names, signature, known) : others;
  const header: Header = {
    ...(names === undefined ? {} : { names: own.map((i) => names[i] as string) }),
    widths: own.map(() => 1),
    ...(!reference && { orElse: ', or carry it into the answer with ids or join' }),
  };
  const layout = layoutOf(signature, header, wrongHeader, known);
  const carried = ids.length > 0 ? ids : join ? (names ?? []) : [];
  const placeOf = new Int32Array(count).fill(-1);
  for (const [place, i] of own.entries()) placeOf[i] = place;
  // The first of equal names is meant.
  const carriedAt = new Map(carried.map((name, at) => [name, at] as const).toReversed());
  const columns = Array.from({ length: count }, (_, i): CsvColumn => {
    const target = layout.targets[placeOf[i] ?? -1] ?? -1;
    const field = layout.fields[target];
    const name = names?.[i] ?? field?.label ?? String(i + 1);
    const at = carriedAt.get(names?.[i] ?? '') ?? -1;
    if (field === undefined) return { name, carried: at };
    const slot = layout.tensors.findIndex(({ spec }) => spec.name === field.tensor);
    return { name, field, slot, carried: at };
  });
  const slots = slotsOf(layout);
  return { slots, columns, carried, taken: layout.taken, table: { header, layout } };
}

/**
 * With `join`: the columns of the model's names, if they are known and there; those that are named after
 * inputs, if all inputs have some; else all but the model's own answers.
 */
function modelsOwn(
  columns: readonly number[],
  names: readonly string[],
  { inputs, outputs, omitted }: Signature,
  known: Extras['columns'],
): readonly number[] {
  const found = known && placesOf(known.names, names);
  if (found !== undefined && 'places' in found) return found.places;
  const isOf = (column: number, input: string): boolean => {
    const name = names[column] as string;
    return name === input || (name.startsWith(`${input}_`) && /^\d+$/.test(name.slice(input.length + 1)));
  };
  const named = columns.filter((column) => inputs.some(({ name }) => isOf(column, name)));
  if (inputs.every(({ name }) => named.some((column) => isOf(column, name)))) return named;
  const answers = new Set([...outputs.map(({ name }) => name), ...omitted]);
  return columns.filter((column) => !answers.has(names[column] as string));
}
