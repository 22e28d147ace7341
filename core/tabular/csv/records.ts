import { NEWLINE, quoted, RETURN, recordAt } from '../cells/cells.ts';

/** A text of CSV in memory, with a line end after its last line; the 0 at `end` is no part of it. */
export type CsvText = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly start: number;
  readonly end: number;
};

const MARK = '\uFEFF';

export function csvText(text: string): CsvText {
  const bytes = encoder.encode(`${text}\n\0`);
  return { bytes, start: text.startsWith(MARK) ? 3 : 0, end: bytes.length - 1 };
}
const encoder = new TextEncoder();

/**
 * The first record from `from` on: blank lines are passed over.
 *
 * @returns undefined where there is none, −1 for a quote out of place
 */
export function nextRecord({ bytes, end }: CsvText, from: number) {
  let at = from;
  while (bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE))
    at += bytes[at] === NEWLINE ? 1 : 2;
  if (at >= end) return undefined;
  const record = recordAt(bytes, at, end);
  // Its last cell opens with a quote that no other closes.
  return record === undefined || record === -1 ? -1 : { ...record, at };
}

/**
 * The cells of a text, a record a line that is not blank.
 *
 * @returns undefined where a quote is out of place
 */
export function recordsOf(text: string): string[][] | undefined {
  const all = csvText(text);
  const records: string[][] = [];
  for (let at = all.start; ; ) {
    const record = nextRecord(all, at);
    if (record === -1) return undefined;
    if (record === undefined) return records;
    records.push(record.cells);
    at = record.next;
  }
}

/**
 * A line of CSV, without its end.
 * @param row JSON texts of its elements
 * @param isAlone is it all of the line?
 */
export const rowOf = (row: readonly string[], isAlone = true): string =>
  row
    .map((value) => (value.startsWith('"') ? quoted(JSON.parse(value), isAlone && row.length === 1) : value))
    .join();
