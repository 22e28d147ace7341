import type { Datatype } from './contract.ts';
import { KINDS, type NumericData } from './datatypes.ts';
import { toHalf } from './half.ts';

/**
 * Reads runs of JSON numbers or booleans, `1, 2, 3`, from text into a typed array. scan.ts knows the brackets
 * around them. The text and a run's results are variables of this module, because an object for each would
 * cost more than the run.
 */

// Characters of JSON.
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const OPEN = 91;
const CLOSE = 93;
const SPACE = 32;

/** 10^0 … 10^22 are exact as doubles; beyond, none is. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Reading ahead by up to 16 bytes must stay inside. */
const AHEAD = 32;
/**
 * Texts up to this size are read in memory that is kept between requests: fresh pages would cost as much as
 * reading.
 */
const KEPT = 8 * 1024 * 1024;

export let bytes = new Uint8Array(64 * 1024 + AHEAD);
let view = new DataView(bytes.buffer);
/** What `bytes` was made of: as far as a number can be read, a byte of one is a character of the other. */
let source = '';
const encoder = new TextEncoder();
/** Elements that the last run read. */
export let elementsRead = 0;
/** Why the last run stopped, where it did: an element of another kind, or outside its datatype's range. */
export let fault: 'kind' | 'range' = 'kind';

/**
 * Takes the text to read: in UTF-8, so that no character above 127 can pass for a digit; a text that has one
 * is cut short, which is a fault all the same.
 * @param after the character that comes after the text, where it is a part of a larger one
 * @returns its length in bytes
 */
export function load(text: string, after = 0): number {
  const room = text.length + AHEAD;
  if (bytes.length < room) allocate(room);
  // What is longer in UTF-8 than in characters is cut short, so that reading ahead stays inside.
  const { written: length } = encoder.encodeInto(text, bytes.subarray(0, text.length));
  source = text;
  // What an earlier text left behind must not go on where this one ends or breaks off.
  bytes[length] = length === text.length ? after : 0;
  return length;
}

/** Gives the text back, and memory for an unusually large one. */
export function unload(): void {
  source = '';
  if (bytes.length > KEPT) allocate(64 * 1024 + AHEAD);
}

function allocate(size: number): void {
  bytes = new Uint8Array(size);
  view = new DataView(bytes.buffer);
}

export function skipJsonSpace(from: number): number {
  let p = from;
  let c = bytes[p];
  while (c === SPACE || c === 10 || c === 13 || c === 9) c = bytes[++p];
  return p;
}

/**
 * Elements from `p` on, up to what follows the last one.
 *
 * @returns where it stopped, or −1 − offset of a fault
 */
export function scanElements(
  datatype: Exclude<Datatype, 'BYTES'>,
  p: number,
  index: number,
  out: NumericData,
): number {
  switch (datatype) {
    case 'FP32':
      return runFloat32(p, index, out as Float32Array);
    case 'BOOL':
      return runBoolean(p, index, out as Uint8Array);
    case 'INT64':
    case 'UINT64':
      return runBigint(p, index, out as BigInt64Array, datatype === 'INT64');
    default:
      return runNumber(datatype, p, index, out as Float64Array);
  }
}

const fail = (reason: typeof fault, at: number): number => {
  fault = reason;
  return -1 - at;
};

/** Four characters, each xor '0', as their number. Only where `notDigits` is 0. */
const fourDigits = (word: number): number => {
  const pairs = (Math.imul(word, 10) + (word >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
};
/** Four characters, each xor '0': 0 if all are digits. */
const notDigits = (word: number): number => (word | (word + 0x76767676)) & 0x80808080;
/** How many of four characters, each xor '0', are digits before the first that is none. */
const digitsIn = (word: number): number => {
  const no = notDigits(word);
  // Below the lowest mark all bits become 1: 7, 15, 23, 31, and 32 where there is no mark.
  return (32 - Math.clz32((no - 1) & ~no)) >> 3;
};

/**
 * FP32 as Math.fround(Number(text)), mostly without Number: the digits give two doubles that enclose the
 * text's value, and as rounding never reverses an order, where both round to one float that is the result. In
 * the rare other case, and for exponents, Number decides.
 */
function runFloat32(start: number, first: number, out: Float32Array): number {
  // The compiler takes a module's variables and constants for variables, but knows a function's own: a tenth
  // of the time.
  const text = bytes;
  const words = view;
  const zero = 48;
  const zeros = 0x30303030;
  /** As far from '0' as '.' is. */
  const point = -2;
  // More than the roundings of six double operations, in both directions.
  const below = 1 - 2e-15;
  const above = 1 + 2e-15;
  let p = start;
  let i = first;
  for (;;) {
    let c = text[p] ?? 0;
    // One space comes after a comma, where Python writes; others are rare.
    if (c === 32) c = text[++p] ?? 0;
    if (c <= 32) {
      p = skipJsonSpace(p);
      c = text[p] ?? 0;
    }
    const token = p;
    // Signs are random to the processor: a branch on them would cost a quarter of the whole.
    const negative = ((c ^ 45) - 1) >>> 31;
    p += negative;
    const digits = p;
    const head = words.getInt32(p, true);
    let mantissa = (head & 0xff) - zero;
    if (mantissa >>> 0 < 10 && (head & 0xff00) === 0x2e00) {
      // One digit and a point: most numbers that models take.
      p++;
      c = point;
    } else {
      mantissa = 0;
      c = (text[p] ?? 0) - zero;
      while (c >>> 0 < 10) {
        mantissa = mantissa * 10 + c;
        c = (text[++p] ?? 0) - zero;
      }
      if (p !== digits + 1 && (p === digits || text[digits] === zero)) return fail('kind', token);
    }
    let low = mantissa;
    let high = mantissa;
    if (c === point) {
      const dot = p++;
      let scale = 0;
      const a = words.getInt32(p, true) ^ zeros;
      const b = words.getInt32(p + 4, true) ^ zeros;
      const d = words.getInt32(p + 8, true) ^ zeros;
      if ((notDigits(a) | notDigits(b)) === 0) {
        p += 8;
        scale = 8;
        mantissa = mantissa * 1e8 + (fourDigits(a) * 10000 + fourDigits(b));
      }
      if (scale === 8 && notDigits(d) === 0) {
        // Twelve decimals decide, nearly always. How many more there are is as random as a sign.
        mantissa = mantissa * 1e4 + fourDigits(d);
        low = mantissa * 1e-12;
        high = (mantissa + 1) * 1e-12;
        p += 4;
        const near = digitsIn(words.getInt32(p, true) ^ zeros);
        // All of the second four count only where the first four are digits: `near >> 2` is 1 for four, else
        // 0.
        const more = near + (digitsIn(words.getInt32(p + 4, true) ^ zeros) & -(near >> 2));
        p += more;
        if (more === 8) while (((text[p] ?? 0) - zero) >>> 0 < 10) p++;
      } else {
        c = (text[p] ?? 0) - zero;
        while (c >>> 0 < 10) {
          mantissa = mantissa * 10 + c;
          scale++;
          c = (text[++p] ?? 0) - zero;
        }
        low = mantissa / (POWERS[scale] ?? 1);
        high = low;
      }
      if (p === dot + 1) return fail('kind', token);
    }
    let value = Math.fround(low * below);
    if (value !== Math.fround(high * above) || ((text[p] ?? 0) | 32) === 101 || value >= 1e15) {
      p = tokenEnd(p);
      if (p < 0) return fail('kind', token);
      value = Math.fround(Number(source.slice(digits, p)));
      if (value === Number.POSITIVE_INFINITY) return fail('range', token);
    }
    out[i++] = value * (1 - (negative << 1));
    if (text[p] !== 44) {
      p = skipJsonSpace(p);
      if (text[p] !== 44) {
        elementsRead = i - first;
        return isTokenEnd(p, text[p] ?? 0);
      }
    }
    p++;
  }
}

/** After an element only `,` and `]` may come; letters there make it another kind of thing. */
function isTokenEnd(p: number, c: number): number {
  return c === CLOSE || c === OPEN ? p : fail('kind', p);
}

/** Skips `e±digits`, if there. @returns the end, or −1 where the digits are missing */
function tokenEnd(from: number): number {
  let p = from;
  if (((bytes[p] ?? 0) | 32) !== 101) return p;
  p++;
  if (bytes[p] === MINUS || bytes[p] === 43) p++;
  const digits = p;
  while (((bytes[p] ?? 0) - ZERO) >>> 0 < 10) p++;
  return p === digits ? -1 : p;
}

/** End of the number at the last call of `numberAt`; was it digits only? */
let numberEnd = 0;
let plain = true;

/** @returns exactly Number(text) of the number at `from`, NaN if there is none */
function numberAt(from: number): number {
  let p = from;
  const negative = bytes[p] === MINUS;
  if (negative) p++;
  const digits = p;
  let mantissa = 0;
  let c = (bytes[p] ?? 0) - ZERO;
  while (c >>> 0 < 10) {
    mantissa = mantissa * 10 + c;
    c = (bytes[++p] ?? 0) - ZERO;
  }
  let places = p - digits;
  if (places === 0 || (bytes[digits] === ZERO && places > 1)) return Number.NaN;
  let scale = 0;
  plain = true;
  if (bytes[p] === POINT) {
    const point = ++p;
    c = (bytes[p] ?? 0) - ZERO;
    while (c >>> 0 < 10) {
      mantissa = mantissa * 10 + c;
      c = (bytes[++p] ?? 0) - ZERO;
    }
    scale = p - point;
    if (scale === 0) return Number.NaN;
    places += scale;
    plain = false;
  }
  numberEnd = p;
  // Clinger: up to 15 digits and a power up to 22 are exact, so one division rounds once, correctly.
  if (((bytes[p] ?? 0) | 32) !== 101 && places <= 15) {
    const size = mantissa / (POWERS[scale] ?? 1);
    return negative ? -size : size;
  }
  plain = plain && ((bytes[p] ?? 0) | 32) !== 101;
  numberEnd = tokenEnd(p);
  return numberEnd < 0 ? Number.NaN : Number(source.slice(from, numberEnd));
}

function runNumber(
  datatype: Exclude<Datatype, 'BYTES'>,
  start: number,
  first: number,
  out: Float64Array,
): number {
  const { least, greatest } = KINDS[datatype];
  const isInteger = datatype !== 'FP64' && datatype !== 'FP16';
  const isHalf = datatype === 'FP16';
  let p = start;
  let i = first;
  for (;;) {
    p = skipJsonSpace(p);
    const value = numberAt(p);
    if (Number.isNaN(value)) return fail('kind', p);
    if (isInteger && !Number.isInteger(value)) return fail(Number.isFinite(value) ? 'kind' : 'range', p);
    const element = isHalf ? toHalf(value) : value;
    if (isHalf ? (element & 0x7c00) === 0x7c00 : !(value >= least && value <= greatest)) {
      return fail('range', p);
    }
    out[i++] = element;
    p = skipJsonSpace(numberEnd);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      elementsRead = i - first;
      return isTokenEnd(p, c);
    }
    p++;
  }
}

function runBigint(start: number, first: number, out: BigInt64Array, signed: boolean): number {
  const least = signed ? -(2n ** 63n) : 0n;
  const greatest = signed ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  let p = start;
  let i = first;
  for (;;) {
    p = skipJsonSpace(p);
    const value = numberAt(p);
    if (Number.isNaN(value)) return fail('kind', p);
    if (Number.isSafeInteger(value)) {
      if (value < 0 && !signed) return fail('range', p);
      out[i++] = BigInt(value);
    } else {
      // Beyond 2^53 a double has lost digits, so only the text tells the integer; `1e18` is one that we
      // cannot tell.
      if (!plain) return fail(Number.isInteger(value) || !Number.isFinite(value) ? 'range' : 'kind', p);
      // 20 digits and a sign hold every 64-bit integer; reading a million digits would only cost time.
      if (numberEnd - p > 20) return fail('range', p);
      const integer = BigInt(source.slice(p, numberEnd));
      if (integer < least || integer > greatest) return fail('range', p);
      out[i++] = integer;
    }
    p = skipJsonSpace(numberEnd);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      elementsRead = i - first;
      return isTokenEnd(p, c);
    }
    p++;
  }
}

/** Little-endian `true` and `fals`. */
const TRUE = 0x65757274;
const FALS = 0x736c6166;

function runBoolean(start: number, first: number, out: Uint8Array): number {
  let p = start;
  let i = first;
  for (;;) {
    p = skipJsonSpace(p);
    const word = view.getInt32(p, true);
    if (word === TRUE) {
      out[i++] = 1;
      p += 4;
    } else if (word === FALS && bytes[p + 4] === 101) {
      out[i++] = 0;
      p += 5;
    } else return fail('kind', p);
    p = skipJsonSpace(p);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      elementsRead = i - first;
      return isTokenEnd(p, c);
    }
    p++;
  }
}
