import { exactInteger } from '../tensor/raw-json.ts';

/**
 * JSON whose integers keep every digit: those that a double cannot hold become bigints. INT64 outputs have
 * such values (hashes, ids), and two that differ in the last digit would else be equal.
 */

/**
 * A whole number of 16 digits or more: without one there is nothing to keep, and the reviver's cost is not
 * paid.
 */
const LONG = /(?:^|[[,:\s])-?\d{16,}\s*(?:[\],}]|$)/;

/** @throws SyntaxError */
export function parseGateJson(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  // https://github.com/tc39/proposal-json-parse-with-source
  const revive = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value;
  return JSON.parse(text, revive);
}

/** Has this JSON whole numbers that a double does not hold? Those in texts count, too. */
export const hasLostDigits = (text: string): boolean =>
  LONG.test(text) && (text.match(/\d{16,}/g) ?? []).some((digits) => !Number.isSafeInteger(Number(digits)));

/** The inverse of `parseGateJson`. */
export function printExact(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? exactInteger(inner) : inner,
  );
}
