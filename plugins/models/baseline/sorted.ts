import type { SignalValues } from './values.ts';

/** Bits of a digit: the places that a pass writes to stay in the processor's cache. */
const BITS = 11;
const DIGITS = 2 ** BITS;

/**
 * Finite values in ascending order, −0 before 0, as `values.slice().sort()` has them: digit by digit, from
 * the last one on (Knuth, The Art of Computer Programming 3, 5.2.5). Bits sort as the numbers do (IEEE
 * 754-2019, 5.10) once the sign is turned, and all others of a negative number, too.
 */
export function sortedValues(values: SignalValues): SignalValues {
  const rooms = [values.slice(), values.slice()] as const;
  let from: SignalValues = values;
  const size = values.BYTES_PER_ELEMENT / Int32Array.BYTES_PER_ELEMENT;
  for (let word = 0; word < size; word++) {
    for (let shift = 0; shift < 32; shift += BITS) {
      const to = from === rooms[0] ? rooms[1] : rooms[0];
      if (distribute(from, to, { size, word, shift })) from = to;
    }
  }
  return from === values ? rooms[0] : from;
}

/** A digit: of `size` words, the last of which has the sign, the bits of `word` from `shift` on. */
type Digit = { readonly size: number; readonly word: number; readonly shift: number };

/** @returns false where all have the same digit, and nothing is done */
function distribute(from: SignalValues, to: SignalValues, { size, word, shift }: Digit): boolean {
  const words = new Int32Array(from.buffer, from.byteOffset, from.length * size);
  const top = size - 1;
  const turned = word === top ? -(2 ** 31) : 0;
  const places = new Uint32Array(DIGITS);
  let digit = 0;
  for (let at = 0; at < words.length; at += size) {
    const sign = (words[at + top] as number) >> 31;
    digit = (((words[at + word] as number) ^ (sign | turned)) >>> shift) & (DIGITS - 1);
    places[digit] = (places[digit] as number) + 1;
  }
  if (places[digit] === from.length) return false;
  let place = 0;
  for (let i = 0; i < DIGITS; i++) {
    const count = places[i] as number;
    places[i] = place;
    place += count;
  }
  for (let i = 0, at = 0; i < from.length; i++, at += size) {
    const sign = (words[at + top] as number) >> 31;
    digit = (((words[at + word] as number) ^ (sign | turned)) >>> shift) & (DIGITS - 1);
    place = places[digit] as number;
    places[digit] = place + 1;
    to[place] = from[i] as number;
  }
  return true;
}
