import type { TensorSpec } from '../../tensor/contract.ts';
import { KINDS, type TensorData } from '../../tensor/datatypes.ts';
import { fromHalf } from '../../tensor/half.ts';
import { isFloat, storeNaN, textFault } from '../../tensor/values.ts';
import { mark, numbersIn, type Stacked, slotWidth } from '../cells/array-rows.ts';
import {
  cast,
  gatherElements,
  NAN,
  NO_VALUE,
  type Numeric,
  type OnFault,
  type Reason,
} from '../cells/convert.ts';
import type { Slot } from '../cells/row-buffer.ts';
import type { ParquetColumns, ReadColumn } from './columns.ts';
import { isBroken, type Kind } from './kinds.ts';
import { isTexts, type Page, type PageValues } from './pages.ts';

/** A column, and how far it is read. */
export type ColumnCursor = {
  readonly column: ReadColumn;
  readonly pages: AsyncIterator<Page>;
  page: Page | undefined;
  /** Rows of the page that are taken. */
  taken: number;
  /** Entries of the last dictionary. */
  entries?: Entries;
};

/** A column's values for the rows of a block. */
export async function fillColumn(
  cursor: ColumnCursor,
  { inputs, missing, reference }: ParquetColumns,
  block: Stacked,
  beside: readonly unknown[][],
): Promise<void> {
  for (let done = 0; done < block.count; ) {
    if (cursor.page === undefined || cursor.taken === cursor.page.count) {
      const { value } = await cursor.pages.next();
      if (value === undefined) throw new Error('a column ends before its row group');
      cursor.page = value as Page;
      cursor.taken = 0;
      continue;
    }
    const { column, page, taken } = cursor;
    const count = Math.min(block.count - done, page.count - taken);
    const onFault: OnFault = (row, reason) => mark(block, done + row, column.name, reason);
    if (column.target !== undefined) {
      const { input, at } = column.target;
      const row = inputs[input] as Slot;
      const to = {
        spec: row.spec,
        data: block.data[input] as TensorData,
        at: done,
        width: slotWidth(row),
        element: at,
      };
      if (reference || (missing && isFloat(to.spec.datatype)))
        putMissing(page, taken, count, cursor, to, reference ? isNoNumber : isNaNOnly, onFault);
      else put(page, taken, count, cursor, to, onFault);
    }
    const values = beside[column.carried];
    if (values !== undefined) carry(page, taken, count, column, values, done, onFault);
    cursor.taken += count;
    done += count;
  }
}

/** Where a column's values go: an element of each row of a tensor, from row `at` on. */
type Target = {
  readonly spec: TensorSpec;
  readonly data: TensorData;
  readonly at: number;
  readonly width: number;
  readonly element: number;
};

function put(
  { values, places, nulls }: Page,
  from: number,
  count: number,
  cursor: ColumnCursor,
  { spec, data, at, width, element }: Target,
  onFault: OnFault,
): void {
  if (nulls !== undefined) for (let i = 0; i < count; i++) if (nulls[from + i] === 1) onFault(i, NO_VALUE);
  const { kind } = cursor.column;
  const run = { at: at * width + element, step: width };
  if (places !== undefined) {
    if (cursor.entries?.of !== values) cursor.entries = entriesOf(values, kind, spec);
    const { data: entries, faults } = cursor.entries;
    if (isTexts(entries)) {
      const texts = data as string[];
      for (let i = 0; i < count; i++)
        texts[run.at + i * width] = entries[places[from + i] as number] as string;
    } else gatherElements(numbersIn(spec, entries), places, from, numbersIn(spec, data), run, count);
    if (faults.size === 0) return;
    for (let i = 0; i < count; i++) {
      const fault = faults.get(places[from + i] as number);
      if (fault !== undefined) onFault(i, fault);
    }
    return;
  }
  if (!isTexts(values)) {
    const numbers = { datatype: kind.datatype as Numeric, data: values };
    cast(numbers, { at: from, step: 1 }, numbersIn(spec, data), run, count, onFault);
    return;
  }
  const texts = data as string[];
  for (let i = 0; i < count; i++) {
    const text = values[from + i] as string;
    const fault = faultOf(text);
    if (fault !== undefined) onFault(i, ['WRONG_VALUE', fault]);
    texts[run.at + i * width] = text;
  }
}

const isNaNOnly = (reason: Reason): boolean => reason === NAN;
const isNoNumber = ([code]: Reason): boolean => code === 'NOT_FINITE';

/** The same of what may be missing: floats without a value are NaN, texts are empty. */
function putMissing(
  page: Page,
  from: number,
  count: number,
  cursor: ColumnCursor,
  to: Target,
  passes: (reason: Reason) => boolean,
  onFault: OnFault,
): void {
  const { nulls } = page;
  const isNull = (row: number): boolean => nulls?.[from + row] === 1;
  // A place without a value has that of another row, or none.
  put({ ...page, nulls: undefined }, from, count, cursor, to, (row, reason) => {
    if (!passes(reason) && !isNull(row)) onFault(row, reason);
  });
  if (nulls === undefined) return;
  const isText = to.spec.datatype === 'BYTES';
  for (let row = 0; row < count; row++) {
    if (!isNull(row)) continue;
    const place = (to.at + row) * to.width + to.element;
    if (isText) (to.data as string[])[place] = '';
    else storeNaN(to.data, place, to.spec.datatype);
  }
}

/** A dictionary as the tensor takes it: each of its entries is cast and checked once. */
type Entries = {
  readonly of: PageValues;
  readonly data: TensorData | readonly string[];
  /** What is wrong with entries, by place. */
  readonly faults: ReadonlyMap<number, Reason>;
};

function entriesOf(of: PageValues, { datatype }: Kind, spec: TensorSpec): Entries {
  const faults = new Map<number, Reason>();
  if (isTexts(of)) {
    for (const [place, text] of of.entries()) {
      const fault = faultOf(text);
      if (fault !== undefined) faults.set(place, ['WRONG_VALUE', fault]);
    }
    return { of, data: of, faults };
  }
  // Onto itself, where that is what the tensor takes: a cast writes what it has read, and tells the faults.
  const data = datatype === spec.datatype ? of : KINDS[spec.datatype as Numeric].allocate(of.length);
  const from = { datatype: datatype as Numeric, data: of };
  cast(from, ALL, numbersIn(spec, data), ALL, of.length, (place, reason) => faults.set(place, reason));
  return { of, data, faults };
}
const ALL = { at: 0, step: 1 };

const NOT_UTF8 = 'is not UTF-8.';
const faultOf = (text: string): string | undefined => (isBroken(text) ? NOT_UTF8 : textFault(text));

function carry(
  { values, places, nulls }: Page,
  from: number,
  count: number,
  { kind: { datatype } }: ReadColumn,
  out: unknown[],
  at: number,
  onFault: OnFault,
): void {
  for (let i = 0; i < count; i++) {
    if (nulls?.[from + i] === 1) continue;
    const value = values[places?.[from + i] ?? from + i];
    if (typeof value === 'string' && isBroken(value)) onFault(i, ['WRONG_VALUE', NOT_UTF8]);
    out[at + i] = datatype === 'BOOL' ? value === 1 : datatype === 'FP16' ? fromHalf(value as number) : value;
  }
}
