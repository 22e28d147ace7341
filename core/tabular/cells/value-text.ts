import { exactInteger, negativeZero } from '../../tensor/raw-json.ts';

/** Carried values as texts: integers with every digit, zeros with their sign, times as ISO 8601. */

/** @returns JSON; null for what is none, for example NaN */
export const jsonOf = (value: unknown): string => JSON.stringify(value, (_, part) => exact(part)) ?? 'null';

function exact(value: unknown): unknown {
  if (typeof value === 'bigint') return exactInteger(value);
  return Object.is(value, -0) ? negativeZero() : value;
}

/** @returns a cell of CSV, not quoted yet: a text as it is, nothing for null, all else as JSON */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Date) return value.toISOString();
  return jsonOf(value);
}
