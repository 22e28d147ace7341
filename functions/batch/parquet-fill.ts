import type { TensorSpec } from '../infer/contract.ts';
import type { TensorData } from '../infer/datatypes.ts';
import { fromHalf } from '../infer/half.ts';
import { textFault } from '../infer/values.ts';
import { cast, NO_VALUE, type Numeric, type OnFault } from './cast.ts';
import type { ParquetColumns, ReadColumn } from './parquet-columns.ts';
import { isBroken } from './parquet-kinds.ts';
import { isTexts, type Page } from './parquet-pages.ts';
import { mark, numbersIn, type RowSpec, type Stacked, widthOfRow } from './stacked.ts';

/** A column, and how far it is read. */
export type Cursor = {
  readonly column: ReadColumn;
  readonly pages: AsyncIterator<Page>;
  page: Page | undefined;
  /** Rows of the page that are taken. */
  taken: number;
};

/** A column's values for the rows of a block. */
export async function fill(
  cursor: Cursor,
  { inputs }: ParquetColumns,
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
      const row = inputs[input] as RowSpec;
      const to = {
        spec: row.spec,
        data: block.data[input] as TensorData,
        at: done,
        width: widthOfRow(row),
        element: at,
      };
      put(page, taken, count, column, to, onFault);
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
  { values, nulls }: Page,
  from: number,
  count: number,
  { kind }: ReadColumn,
  { spec, data, at, width, element }: Target,
  onFault: OnFault,
): void {
  if (nulls !== undefined) for (let i = 0; i < count; i++) if (nulls[from + i] === 1) onFault(i, NO_VALUE);
  const target = { at: at * width + element, step: width };
  if (!isTexts(values)) {
    const numbers = { datatype: kind.datatype as Numeric, data: values };
    cast(numbers, { at: from, step: 1 }, numbersIn(spec, data), target, count, onFault);
    return;
  }
  const texts = data as string[];
  for (let i = 0; i < count; i++) {
    const text = values[from + i] as string;
    const fault = isBroken(text) ? NOT_UTF8 : textFault(text);
    if (fault !== undefined) onFault(i, ['WRONG_VALUE', fault]);
    texts[target.at + i * width] = text;
  }
}

const NOT_UTF8 = 'is not UTF-8.';

function carry(
  { values, nulls }: Page,
  from: number,
  count: number,
  { kind }: ReadColumn,
  out: unknown[],
  at: number,
  onFault: OnFault,
): void {
  for (let i = 0; i < count; i++) {
    const value = values[from + i];
    if (nulls?.[from + i] === 1) continue;
    if (typeof value === 'string' && isBroken(value)) onFault(i, ['WRONG_VALUE', NOT_UTF8]);
    out[at + i] =
      kind.datatype === 'BOOL' ? value === 1 : kind.datatype === 'FP16' ? fromHalf(value as number) : value;
  }
}
