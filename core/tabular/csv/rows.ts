import { KINDS, type TensorData } from '../../tensor/datatypes.ts';
import { AT, decimal, FRACTION, longDecimal, stopped } from '../../tensor/decimal.ts';
import { mustBe } from '../../tensor/values.ts';
import { textAt } from '../../text/utf8.ts';
import { COMMA, cellEnd, NEWLINE, newlines, numberIn, QUOTE, RETURN, textEnd } from '../cells/cells.ts';
import { type Cursor, checkRowBytes } from '../cells/cursor.ts';
import type { Field } from '../cells/layout.ts';
import { endRow, put, type RowStack, type Wrong } from '../cells/row-buffer.ts';
import { storeCell } from '../cells/store-cell.ts';
import { rowEnd } from './lines.ts';

/**
 * A column of the file: what it is to the model, and where it is carried to; neither where it is passed over.
 */
export type CsvColumn = {
  readonly name: string;
  readonly field?: Field;
  /** The model's input, in its signature's order. */
  readonly slot?: number;
  /** Which of the carried columns it is; −1 for none. */
  readonly carried: number;
};

/** What to do with a column: pass over, read a number, the same and carry its text, or take the text. */
const SKIP = 0;
const NUMBER = 1;
const CARRIED = 2;
const TEXT = 3;

const MISPLACED: Wrong = {
  code: 'INVALID_REQUEST',
  reason:
    'The row is not CSV: a quote is out of place; where a quoted cell has quotes, each is doubled (RFC 4180).',
};

const noNumber = (name: string): Wrong => ({
  code: 'WRONG_VALUE',
  reason: `Column ${name} ${mustBe('FP64')}`,
});

/**
 * Straight from bytes to numbers, since most cells are a few digits.
 * @param missing a float without a value is NaN
 * @param reference whatever `numberIn` takes is a number
 * @returns the `parse` of a dialect
 */
export function csvParser(
  columns: readonly CsvColumn[],
  stack: RowStack,
  missing: boolean,
  reference = false,
): (cursor: Cursor, stop: number) => boolean {
  const width = columns.length;
  const { values, capacity } = stack;
  // Filled in one loop: this is most of the work of a request with one row.
  const kinds = new Uint8Array(width);
  const starts = new Int32Array(width);
  const strides = new Int32Array(width);
  const least = new Float64Array(width);
  const greatest = new Float64Array(width);
  const fractions = new Int32Array(width);
  const lengths = new Int32Array(width);
  for (let i = 0; i < width; i++) {
    const { field, slot = 0, carried } = columns[i] as CsvColumn;
    if (field === undefined) {
      kinds[i] = carried < 0 ? SKIP : TEXT;
      continue;
    }
    starts[i] = (stack.starts[slot] as number) + field.column;
    strides[i] = stack.widths[slot] as number;
    if (field.datatype === 'BYTES') {
      kinds[i] = TEXT;
      continue;
    }
    kinds[i] = carried < 0 ? NUMBER : CARRIED;
    // Numbers that need no second look: what is outside, or written at greater length, is left to the
    // endpoint's own rules.
    const { least: low, greatest: high } = KINDS[field.datatype];
    const isFloat = field.datatype.startsWith('FP');
    least[i] = low;
    greatest[i] = high;
    fractions[i] = isFloat ? 1e9 : 0;
    lengths[i] = field.datatype === 'BOOL' ? 1 : isFloat ? 1e9 : 20;
  }
  /** An element of each column, once one is needed. */
  const cells: (TensorData | undefined)[] = [];

  /** Is a number that `decimal` has read one of the column's, written as it may be? */
  const isPlain = (value: number, column: number, length: number): boolean =>
    value >= (least[column] as number) &&
    value <= (greatest[column] as number) &&
    (stopped[FRACTION] as number) <= (fractions[column] as number) &&
    length <= (lengths[column] as number);

  /** The cell from `p` to `stop`, whatever it is. @returns what is wrong with it */
  const general = (bytes: Uint8Array, p: number, stop: number, column: number): Wrong | undefined => {
    const { name, field, slot, carried } = columns[column] as CsvColumn;
    if (kinds[column] === NUMBER && bytes[p] === QUOTE) {
      const value = decimal(bytes, p + 1);
      if (stopped[AT] === stop - 1 && isPlain(value, column, stop - p - 2)) {
        values[(starts[column] as number) + stack.good * (strides[column] as number)] = value;
        return undefined;
      }
    }
    const text = cellText(bytes, p, stop);
    if (text === undefined) return { code: 'INVALID_ENCODING', reason: `Column ${name} is not UTF-8.` };
    if (carried >= 0) (stack.carried[carried] as unknown[])[stack.good] = text;
    if (field === undefined || slot === undefined) return undefined;
    const place = (starts[column] as number) + stack.good * (strides[column] as number);
    if (reference && field.datatype !== 'BYTES') {
      const value = numberIn(text);
      values[place] = value ?? Number.NaN;
      return value === undefined ? noNumber(name) : undefined;
    }
    cells[column] ??= field.datatype === 'BYTES' ? [] : KINDS[field.datatype].allocate(1);
    const cell = cells[column];
    const reason = storeCell(cell, 0, text, field.datatype, missing);
    if (reason !== undefined) return { code: 'WRONG_VALUE', reason: `Column ${name} ${reason}` };
    put(stack, slot, place, cell, 0);
    return undefined;
  };

  return (cursor, stop) => {
    const { bytes, end, most } = cursor;
    let p = cursor.at;
    while (p < end && stack.read < capacity) {
      const start = p;
      const first = bytes[p];
      if (first === NEWLINE || (first === RETURN && bytes[p + 1] === NEWLINE)) {
        p += first === NEWLINE ? 1 : 2;
        cursor.at = p;
        cursor.line++;
        continue;
      }
      const row = stack.good;
      let column = 0;
      let lines = 1;
      let wrong: Wrong | undefined;
      for (;;) {
        const kind = column < width ? (kinds[column] as number) : SKIP;
        const cell = p;
        let byte: number;
        if (kind === NUMBER) {
          // Most cells are a few digits: codes, counts, years.
          let digits = ((bytes[p] as number) - 48) | 0;
          if (digits >>> 0 < 10) {
            let q = p + 1;
            byte = bytes[q] as number;
            let digit = (byte - 48) | 0;
            while (digit >>> 0 < 10 && digits < 1e8) {
              digits = (digits * 10 + digit) | 0;
              byte = bytes[++q] as number;
              digit = (byte - 48) | 0;
            }
            if (
              (byte === COMMA || byte === NEWLINE) &&
              digits >= (least[column] as number) &&
              digits <= (greatest[column] as number) &&
              q - p <= (lengths[column] as number)
            ) {
              values[(starts[column] as number) + row * (strides[column] as number)] = digits;
              p = q + 1;
              column++;
              if (byte === COMMA) continue;
              break;
            }
          }
        }
        let isRead = false;
        if (kind === NUMBER || kind === CARRIED) {
          let value = decimal(bytes, p);
          if (Number.isNaN(value) && (fractions[column] as number) > 0) value = longDecimal(bytes, p);
          const q = stopped[AT] as number;
          byte = bytes[q] as number;
          if (
            isPlain(value, column, q - p) &&
            (byte === COMMA || byte === NEWLINE || (byte === RETURN && bytes[q + 1] === NEWLINE))
          ) {
            values[(starts[column] as number) + row * (strides[column] as number)] = value;
            if (kind === CARRIED) {
              const { carried } = columns[column] as CsvColumn;
              (stack.carried[carried] as unknown[])[row] = textAt(bytes, p, q);
            }
            p = q;
            isRead = true;
          }
        }
        if (!isRead) {
          p = cellEnd(bytes, cell, end);
          if (p < 0) {
            wrong = MISPLACED;
            break;
          }
          if (p >= end) return false;
          if (kind !== SKIP) wrong = general(bytes, cell, p, column);
          if (wrong !== undefined) break;
          if (bytes[cell] === QUOTE) lines += newlines(bytes, cell, p);
        }
        byte = bytes[p] as number;
        if (byte === RETURN) {
          p++;
          if (p >= end) return false;
          byte = bytes[p] as number;
        }
        p++;
        column++;
        if (byte !== COMMA) break;
      }
      if (wrong === undefined && column !== width) {
        const columns = `${column} column${column === 1 ? '' : 's'}`;
        wrong = { code: 'WRONG_LENGTH', reason: `The row has ${columns}; ${width} are expected.` };
      }
      if (wrong !== undefined) {
        p = rowEnd(bytes, start, end);
        if (p < 0) return false;
        lines = newlines(bytes, start, p);
      }
      checkRowBytes(p - start, cursor.line, most);
      cursor.row++;
      endRow(stack, cursor.row, cursor.line, wrong);
      cursor.at = p;
      cursor.line += lines;
      if (p >= stop) return true;
    }
    return false;
  };
}

/** @returns undefined for what is not UTF-8 */
function cellText(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (bytes[from] !== QUOTE) return textAt(bytes, from, textEnd(bytes, from, to));
  return textAt(bytes, from + 1, to - 1)?.replaceAll('""', '"');
}
