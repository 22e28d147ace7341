import { NESTING } from '../../tensor/contract.ts';
import { textAt } from '../../text/utf8.ts';
import { COMMA, QUOTE } from '../cells/cells.ts';

/**
 * JSON in the bytes of a line, up to its end. What is passed over is not checked: only its ends are found.
 */

export const COLON = 58;
export const OPEN = 91;
export const CLOSE = 93;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;
const BACKSLASH = 92;

/** A line's own end is not skipped. */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let p = from;
  let byte = bytes[p];
  while (byte === 32 || byte === 9 || byte === 13) byte = bytes[++p];
  return p;
}

/** @returns the byte after the string's closing quote, −1 where there is none */
export function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  let p = start + 1;
  while (p < end) {
    const byte = bytes[p];
    if (byte === QUOTE) return p + 1;
    p += byte === BACKSLASH ? 2 : 1;
  }
  return -1;
}

/**
 * @param depth of arrays and objects around it
 * @returns the byte after the value, −1 where it does not end, −2 where it is nested too deep
 */
export function valueEnd(bytes: Uint8Array, start: number, end: number, depth: number): number {
  let inside = depth;
  let p = start;
  while (p < end) {
    const byte = bytes[p] as number;
    if (byte === QUOTE) {
      p = stringEnd(bytes, p, end);
      if (p < 0 || inside === depth) return p;
      continue;
    }
    if (byte === OPEN || byte === OPEN_BRACE) {
      if (++inside > NESTING) return -2;
    } else if (byte === CLOSE || byte === CLOSE_BRACE) {
      if (inside === depth) return p;
      if (--inside === depth) return p + 1;
    } else if (inside === depth && (byte === COMMA || byte <= 32)) return p;
    p++;
  }
  return inside === depth ? p : -1;
}

/**
 * Keys of an object as they are written, each once: JavaScript's objects have those first that are numbers,
 * by their size.
 *
 * @param text valid JSON
 */
export function keysIn(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const keys = new Set<string>();
  let p = skipSpace(bytes, skipSpace(bytes, 0) + 1);
  while (bytes[p] === QUOTE) {
    const colon = stringEnd(bytes, p, bytes.length);
    keys.add(JSON.parse(textAt(bytes, p, colon) ?? '""'));
    const value = skipSpace(bytes, skipSpace(bytes, colon) + 1);
    p = skipSpace(bytes, valueEnd(bytes, value, bytes.length, 1));
    if (bytes[p] === COMMA) p = skipSpace(bytes, p + 1);
  }
  return [...keys];
}

/** Digits of an integer that is read exactly. */
const DIGITS = 400;
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/**
 * A JSON value whose integers keep every digit, as bigints where doubles do not.
 * @returns undefined for a number that is beyond a double's range
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  if (!/\d{16}|\d[eE]/.test(text)) return JSON.parse(text);
  let isBeyond = false;
  const exact: Reviver = (_, value, { source = '' }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    if (source.length <= DIGITS && /^-?\d+$/.test(source)) return BigInt(source);
    isBeyond ||= !Number.isFinite(value);
    return value;
  };
  const value: unknown = JSON.parse(text, exact as Parameters<typeof JSON.parse>[1]);
  return isBeyond ? undefined : value;
}

export const FORBIDDEN = '__proto__';

/** Is a key of it, at any depth, `__proto__`? */
export function hasForbiddenKey(text: string, value: unknown): boolean {
  // As it is, or with an escape in it.
  return (text.includes(FORBIDDEN) || text.includes('\\u')) && isForbidden(value);
}

function isForbidden(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, FORBIDDEN) || Object.values(value).some(isForbidden);
}
