import { isUtf8 } from 'node:buffer';
import {
  COMMA,
  cellEnd,
  cellText,
  NEWLINE,
  newlines,
  numberIn,
  QUOTE,
  RETURN,
  recordAt,
} from '../../../../core/tabular/cells/cells.ts';
import { firstOf, isOfFractions, mayBeNames } from '../../../../core/tabular/cells/columns.ts';
import type { Fault } from '../../../../core/tabular/cells/layout.ts';
import type { Text } from '../../../../core/tabular/cells/text-window.ts';
import type { Datatype } from '../../../../core/tensor/contract.ts';
import { AT, decimal, stopped } from '../../../../core/tensor/decimal.ts';
import { textNumber } from '../store.ts';
import { cast, isPlain } from '../values.ts';
import { mustBeNumber, type Reading, type Sink, wrongValue } from './reading.ts';
import { withText } from './text.ts';

/**
 * RFC 4180 straight from bytes to columns, as most cells are a few digits. A million rows of 50 (425 MB) take 3 s, with papaparse 6
 * and with csv-parse 15; and papaparse, which would do, neither counts lines where cells have line ends in them nor refuses a quote
 * out of place, while a person who is told of a fault needs its line.
 */

export function readCsv(reading: Reading): Promise<void> {
  const { path, fault, progress } = reading;
  return withText(path, fault, progress, async (text, more) => {
    const sink = await header(text, reading, more);
    const parse = parserOf(sink, fault);
    const { store } = sink;
    let row = 0;
    for (;;) {
      row = parse(text, row);
      if (row === store.capacity) {
        await store.flush(row);
        row = 0;
      } else if (!(await more())) break;
    }
    if (text.at < text.end) throw misplaced(fault, text.line);
    if (row > 0) await store.flush(row);
  });
}

/** Reads the first line: names, or a row already where it has numbers only, as many as the model takes. */
async function header(
  text: Text,
  { fault, open: opened, width, columns, notice }: Reading,
  more: () => Promise<boolean>,
): Promise<Sink> {
  for (;;) {
    const { bytes, end } = text;
    const record = recordAt(bytes, text.at, end);
    if (record === -1) throw misplaced(fault, text.line);
    if (record !== undefined) {
      const { cells, next } = record;
      if (!isUtf8(bytes.subarray(text.at, next)) || cells.some((cell) => cell.includes('\0')))
        throw fault(`Its first line, ${text.line}, is not UTF-8.`, 'Save the file in UTF-8.');
      const first = firstOf(cells, width, columns);
      const isBlank = cells.length === 1 && cells[0] === '';
      if (first === 'wrong' && !isBlank) {
        throw fault(
          `Its first line has no names, and ${cells.length} number${cells.length === 1 ? '' : 's'}; the model takes ${width < 0 ? 'any number' : width}.`,
          'Write the names of the columns in the first line.',
        );
      }
      if (first === 'row' && !isBlank && mayBeNames(cells)) {
        const second = recordAt(bytes, next, end);
        if (second === undefined && (await more())) continue;
        if (second !== undefined && second !== -1 && isOfFractions(second.cells)) notice('INTEGERS_FIRST');
      }
      if (first !== 'row' || isBlank) {
        text.line += newlines(bytes, text.at, next);
        text.at = next;
      }
      if (isBlank) continue;
      const widths = cells.map(() => 1);
      return opened(first === 'names' ? { names: cells, widths } : { widths });
    }
    if (!(await more()))
      throw fault('It is empty.', 'Write a line of column names, and a line for each row.');
  }
}

const misplaced = (fault: Fault, line: number): Error =>
  fault(
    `Line ${line} is not CSV: a quote is out of place.`,
    'Double each quote in a quoted cell (RFC 4180).',
  );

/** What to do with a column: pass over, store as it is, check and cast, keep the text. */
const SKIP = 0;
const PLAIN = 1;
const CHECKED = 2;
const TEXT = 3;

/** @returns a function that parses rows until the block is full or the text in memory ends, and returns the block's rows */
function parserOf({ store, targets }: Sink, fault: Fault): (text: Text, row: number) => number {
  const { fields, block, texts, capacity } = store;
  const width = targets.length;
  const kinds = Uint8Array.from(targets, (target) => {
    const datatype = fields[target]?.datatype;
    if (datatype === undefined) return SKIP;
    return datatype === 'BYTES' ? TEXT : isPlain(datatype) ? PLAIN : CHECKED;
  });
  const columns = targets.map((target) => block[target]);

  const wrong = (line: number, column: number, reason: string): Error =>
    wrongValue(fault, `Line ${line}`, fields[targets[column] as number]?.label ?? '', reason);

  /** The cell from `p` to `stop`, whatever it is. */
  const general = ({ bytes, line }: Text, p: number, stop: number, column: number, row: number): void => {
    const values = columns[column];
    const target = targets[column] as number;
    if (values === undefined) return;
    const cell = cellText(bytes, p, stop);
    const dictionary = texts[target];
    if (dictionary !== undefined) {
      values[row] = textNumber(dictionary, cell);
      return;
    }
    const value = numberIn(cell);
    if (value === undefined) throw wrong(line, column, mustBeNumber);
    values[row] = checked(value, line, column);
  };
  const checked = (value: number, line: number, column: number): number => {
    const datatype = fields[targets[column] as number]?.datatype as Exclude<Datatype, 'BYTES'>;
    const stored = cast(datatype, value);
    if (typeof stored === 'string') throw wrong(line, column, stored);
    return stored;
  };

  return (text, start) => {
    const { bytes, end } = text;
    let row = start;
    let p = text.at;
    while (row < capacity && p < end) {
      let column = 0;
      let lines = 1;
      for (;;) {
        const kind = column < width ? (kinds[column] as number) : SKIP;
        const cell = p;
        let byte = bytes[p] as number;
        let read = false;
        if (kind === PLAIN || kind === CHECKED) {
          const value = decimal(bytes, p);
          p = stopped[AT] as number;
          byte = bytes[p] as number;
          if (
            !Number.isNaN(value) &&
            (byte === COMMA || byte === NEWLINE || (byte === RETURN && bytes[p + 1] === NEWLINE))
          ) {
            (columns[column] as Float64Array)[row] =
              kind === PLAIN ? value : checked(value, text.line, column);
            read = true;
          }
        }
        if (!read) {
          p = cellEnd(bytes, cell, end);
          if (p < 0) throw misplaced(fault, text.line);
          if (p >= end) return row;
          if (kind !== SKIP) general(text, cell, p, column, row);
          if (bytes[cell] === QUOTE) lines += newlines(bytes, cell, p);
          byte = bytes[p] as number;
        }
        if (byte === RETURN) {
          p++;
          if (p >= end) return row;
          byte = bytes[p] as number;
        }
        p++;
        column++;
        if (byte !== COMMA) break;
      }
      const isBlank = column === 1 && (bytes[text.at] === NEWLINE || bytes[text.at] === RETURN);
      if (column !== width && !isBlank) {
        throw fault(
          `Line ${text.line} has ${column} column${column === 1 ? '' : 's'}; the first has ${width}.`,
          'Give every line the same columns.',
        );
      }
      text.at = p;
      text.line += lines;
      if (!isBlank) row++;
    }
    return row;
  };
}
