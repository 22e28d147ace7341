import { mustBe, textFault } from '../../tensor/values.ts';
import type { Header, Layout } from '../cells/layout.ts';
import type { RowStack, Slot, Wrong } from '../cells/row-buffer.ts';
import { invalidJson } from './input.ts';
import { keysIn } from './text.ts';

/**
 * Rows of reference data. The first one says the columns, by whatever names: a member of an object is a
 * column, and one that is an array has an element for each value in it, however it is nested; the values of
 * an array are columns in the model's order.
 */

/** @param row an object or an array, and its text */
export function headerOf(row: object, text: string): Header {
  if (Array.isArray(row)) return { widths: flat(row).map(() => 1) };
  const names = keysIn(text);
  const values = row as Readonly<Record<string, unknown>>;
  return { names, widths: names.map((name) => flat(values[name]).length) };
}

const flat = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value.some(Array.isArray) ? value.flat(Number.POSITIVE_INFINITY) : value) : [value];

/** Where the columns of the file are in the model's inputs. */
export type Places = {
  /** Are rows arrays? */
  readonly isArray: boolean;
  /** Its input, and the place in that one's row, by field. */
  readonly slots: Int32Array;
  readonly columns: Int32Array;
};

export function fieldPlaces({ names }: Header, { fields }: Layout, slots: readonly Slot[]): Places {
  return {
    isArray: names === undefined,
    slots: Int32Array.from(fields, ({ tensor }) => slots.findIndex(({ spec }) => spec.name === tensor)),
    columns: Int32Array.from(fields, ({ column }) => column),
  };
}

/** A column that is not in the row, or is null there, has no value. @param first as of `readElements` */
export function clearElements(first: number, count: number, places: Places, stack: RowStack): void {
  const { starts, widths, values, texts, good } = stack;
  for (let field = first; field < first + count; field++) {
    const slot = places.slots[field] as number;
    const place = good * (widths[slot] as number) + (places.columns[field] as number);
    if (isText(stack, slot)) (texts[slot] as string[])[place] = '';
    else values[(starts[slot] as number) + place] = Number.NaN;
  }
}

/**
 * Puts the values of a column, or of a row that is an array, where they belong.
 * @param first number of the first field; `count` of them are expected
 * @param name of the column; undefined for a row
 */
export function readElements(
  text: string,
  name: string | undefined,
  first: number,
  count: number,
  places: Places,
  stack: RowStack,
): Wrong | undefined {
  const { slots, columns } = places;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalidJson;
  }
  if (name !== undefined && value === null) {
    clearElements(first, count, places, stack);
    return undefined;
  }
  const all = flat(value);
  if (all.length !== count) {
    const what = name === undefined ? 'The row' : `Column ${name}`;
    return { code: 'WRONG_LENGTH', reason: `${what} has ${all.length} values; in the first row ${count}.` };
  }
  const { starts, widths, values, good } = stack;
  for (let i = 0; i < count; i++) {
    const slot = slots[first + i] as number;
    const place = good * (widths[slot] as number) + (columns[first + i] as number);
    const element = all[i];
    if (typeof element === 'number' && !isText(stack, slot)) {
      values[(starts[slot] as number) + place] = element;
      continue;
    }
    const reason = store(stack, slot, place, element);
    if (reason === undefined) continue;
    const column = name !== undefined && count === 1 ? name : `${name ?? ''}[${i}]`;
    return { code: 'WRONG_VALUE', reason: `Column ${column} ${reason}` };
  }
  return undefined;
}

/** @returns what is wrong with the value, as the rest of a sentence */
function store(stack: RowStack, slot: number, at: number, value: unknown): string | undefined {
  if (isText(stack, slot)) {
    const text = value ?? '';
    if (typeof text !== 'string') return mustBe('BYTES');
    (stack.texts[slot] as string[])[at] = text;
    return textFault(text);
  }
  if (value !== null && typeof value !== 'boolean') return mustBe('FP64');
  stack.values[(stack.starts[slot] as number) + at] = value === null ? Number.NaN : Number(value);
  return undefined;
}

const isText = ({ slots }: RowStack, slot: number): boolean =>
  (slots[slot] as Slot).spec.datatype === 'BYTES';
