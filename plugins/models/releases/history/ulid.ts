import { randomBytes } from 'node:crypto';

/** Crockford's base 32: https://github.com/ulid/spec */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * An id that sorts by time: 48 bits of milliseconds, then 80 random ones.
 *
 * @param random ten bytes
 */
export function ulid(now: number, random: Uint8Array = randomBytes(10)): string {
  let [time, id] = [now, ''];
  for (let digit = 0; digit < 10; digit += 1) {
    id = DIGITS.charAt(time % 32) + id;
    time = Math.floor(time / 32);
  }
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  for (let shift = 75n; shift >= 0n; shift -= 5n) id += DIGITS.charAt(Number((bits >> shift) & 31n));
  return id;
}

/** @returns the milliseconds that an id holds */
export const ulidTime = (id: string): number =>
  [...id.slice(0, 10)].reduce((time, digit) => time * 32 + DIGITS.indexOf(digit), 0);
