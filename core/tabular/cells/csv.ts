import { refusal } from '../../errors/refusals.ts';

/**
 * The cells of CSV (RFC 4180), a record a line; blank lines are passed over, and one of an empty cell in quotes is none.
 * @throws Refusal for a quote that never closes, or one inside a bare cell
 */
export function parseRecords(text: string): string[][] {
  const records: string[][] = [];
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let record: string[] = [];
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (found === null) {
      throw refusal('INVALID_REQUEST', `Row ${records.length + 1} is not CSV: a quote is out of place.`);
    }
    const [, quoted, bare, end] = found;
    record.push(quoted?.replaceAll('""', '"') ?? bare ?? '');
    // A comma at the very end has one more, empty cell after it.
    if (end === ',' && cell.lastIndex === text.length) record.push('');
    if (end === ',' && cell.lastIndex < text.length) continue;
    if (record.length > 1 || quoted !== undefined || bare !== '') records.push(record);
    record = [];
  }
  return records;
}

/** @param values JSON texts of one row's elements */
export function writeCsv(values: readonly string[]): string {
  return values
    .map((value) => {
      if (!value.startsWith('"')) return value;
      const text: string = JSON.parse(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join();
}
