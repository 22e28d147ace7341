import { textAt } from '../text/utf8.ts';

/** Numbers in the bytes of a text, without making a string of each. */

/**
 * Powers of ten that are exact as doubles: with a whole number below 2^53 one division gives the nearest
 * double.
 */
const TENS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const EXACT = 2 ** 53;

/**
 * Where the last call of `decimal` stopped, and how many bytes from the point on are the fraction: 0 without
 * a point.
 */
export const stopped = new Int32Array(2);
export const AT = 0;
export const FRACTION = 1;

/**
 * The number that begins at `from`, if it is written in digits with a sign and a point at most: exactly what
 * Number() gives. The bytes must not end in a digit: there is something behind a text, for example a 0.
 * @returns NaN where it is none, or may lose digits in the way it is read here
 */
export function decimal(bytes: Uint8Array, from: number): number {
  let p = from;
  let byte = bytes[p] as number;
  const negative = byte === 45;
  if (negative || byte === 43) byte = bytes[++p] as number;
  const first = p;
  let digits = 0;
  while (byte >= 48 && byte <= 57) {
    digits = digits * 10 + (byte - 48);
    byte = bytes[++p] as number;
  }
  let count = p - first;
  let fraction = 0;
  if (byte === 46) {
    const point = p;
    byte = bytes[++p] as number;
    while (byte >= 48 && byte <= 57) {
      digits = digits * 10 + (byte - 48);
      byte = bytes[++p] as number;
    }
    fraction = p - point;
    count += fraction - 1;
  }
  stopped[AT] = p;
  stopped[FRACTION] = fraction;
  if (count === 0 || digits >= EXACT || fraction > 23) return Number.NaN;
  const size = fraction < 2 ? digits : digits / (TENS[fraction - 1] as number);
  return negative ? -size : size;
}

/**
 * What `decimal` has left since a double does not hold its digits exactly: the nearest double.
 * @returns NaN where it has found no digits, or an exponent follows
 */
export function longDecimal(bytes: Uint8Array, from: number): number {
  const to = stopped[AT] as number;
  const last = bytes[to - 1] as number;
  const hasExponent = ((bytes[to] as number) | 32) === 101;
  if (to === from || last < 48 || last > 57 || hasExponent) return Number.NaN;
  return Number(textAt(bytes, from, to));
}
