import { type Datatype, NESTING } from './contract.ts';
import { KINDS, type NumericData } from './datatypes.ts';
import { toHalf } from './half.ts';

/**
 * Reads the text of a JSON array of numbers (or booleans), nested or flat, straight into a typed array: for a 600 KB tensor
 * in 2.9 MB of text that takes 60 % of what JSON.parse needs, and 64-bit integers keep every digit. The elements are to the
 * bit those of JSON.parse (the tests compare), and whatever it refuses is refused here.
 */

/** Where reading stopped, as an offset into the span. `kind` and `range`: an element; `length`: too many, too few, or nested otherwise than the shape. */
export type Fault = {
  readonly reason: 'syntax' | 'kind' | 'range' | 'length' | 'nesting' | 'depth';
  readonly at: number;
};

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
/** Texts up to this size are scanned in memory that is kept between requests: fresh pages would cost as much as the scan. */
const KEPT = 8 * 1024 * 1024;

let bytes = Buffer.alloc(64 * 1024 + AHEAD);
let view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Results of a run beside its return value. Plain variables, because an object for each run would cost more than the run. */
let count = 0;
let fault: Fault['reason'] = 'syntax';

/** In UTF-8, so that no character above 127 can pass for a digit; such a span is cut short, which is a fault all the same. */
function load(span: string): number {
  const room = span.length + AHEAD;
  if (bytes.length < room) {
    bytes = Buffer.alloc(room);
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const length = bytes.write(span, 0, span.length, 'utf8');
  // What an earlier request left behind must not go on where this span breaks off.
  bytes[length] = 0;
  return length;
}

/**
 * @param span text from `[` to its `]`, both included
 * @param shape with as many elements as `out`; nesting is checked against it, a flat array is taken for any shape
 * @returns undefined when all is read, else the first fault
 */
export function scanArray(
  span: string,
  datatype: Exclude<Datatype, 'BYTES'>,
  shape: readonly number[],
  out: NumericData,
): Fault | undefined {
  const length = load(span);
  const result = scan(length, datatype, shape, out);
  if (bytes.length > KEPT) {
    bytes = Buffer.alloc(AHEAD);
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return result;
}

function scan(
  length: number,
  datatype: Exclude<Datatype, 'BYTES'>,
  shape: readonly number[],
  out: NumericData,
): Fault | undefined {
  const rank = shape.length;
  const children = new Int32Array(NESTING + 1);
  let p = 0;
  let index = 0;
  let depth = 0;
  let leaf = 0;
  let deepest = 0;
  for (;;) {
    p = skipSpace(p);
    if (bytes[p] === OPEN) {
      // Data sit in an object in an array in an object.
      if (depth + 4 > NESTING) return { reason: 'depth', at: p };
      depth++;
      if (depth > deepest) deepest = depth;
      if (leaf !== 0 && depth > leaf) return { reason: 'nesting', at: p };
      children[depth] = 0;
      p = skipSpace(p + 1);
      if (bytes[p] !== CLOSE) continue;
    } else {
      if (depth === 0) return { reason: 'syntax', at: p };
      if (leaf === 0) leaf = depth;
      if (leaf !== depth || depth !== deepest || (leaf !== 1 && leaf !== rank)) {
        return { reason: isElement(p) ? 'nesting' : 'kind', at: p };
      }
      count = 0;
      p = run(datatype, p, index, out);
      if (p < 0) return { reason: fault, at: -p - 1 };
      children[depth] = (children[depth] ?? 0) + count;
      index += count;
    }
    // One array ends here, and perhaps the arrays around it.
    for (;;) {
      if (bytes[p] !== CLOSE) return { reason: bytes[p] === OPEN ? 'nesting' : 'syntax', at: p };
      if (deepest > 1 && (depth > rank || children[depth] !== shape[depth - 1])) {
        return { reason: 'length', at: p };
      }
      p++;
      depth--;
      if (depth === 0) {
        if (p !== length) return { reason: 'syntax', at: p };
        return index === out.length ? undefined : { reason: 'length', at: p };
      }
      children[depth] = (children[depth] ?? 0) + 1;
      p = skipSpace(p);
      if (bytes[p] === COMMA) {
        p++;
        break;
      }
    }
  }
}

function skipSpace(from: number): number {
  let p = from;
  let c = bytes[p];
  while (c === SPACE || c === 10 || c === 13 || c === 9) c = bytes[++p];
  return p;
}

const isElement = (p: number): boolean => {
  const c = bytes[p] ?? 0;
  return c === MINUS || (c >= ZERO && c < ZERO + 10) || c === 116 || c === 102;
};

/** Elements from `p` on, up to what follows the last one. @returns where it stopped, or −1 − offset of a fault */
function run(datatype: Exclude<Datatype, 'BYTES'>, p: number, index: number, out: NumericData): number {
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

const fail = (reason: Fault['reason'], at: number): number => {
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
const DIGITS = 0x30303030;

/** The roundings of up to six double operations, in both directions. */
const BELOW = 1 - 2e-15;
const ABOVE = 1 + 2e-15;

/**
 * FP32 as Math.fround(Number(text)), mostly without Number: the digits give two doubles that enclose the text's value, and
 * as rounding never reverses an order, where both round to one float that is the result. In the rare other case, and for
 * exponents, Number decides.
 */
function runFloat32(start: number, first: number, out: Float32Array): number {
  let p = start;
  let i = first;
  for (;;) {
    let c = bytes[p] ?? 0;
    if (c <= SPACE) {
      p = skipSpace(p);
      c = bytes[p] ?? 0;
    }
    const token = p;
    const negative = c === MINUS;
    if (negative) p++;
    const digits = p;
    let whole = 0;
    c = (bytes[p] ?? 0) - ZERO;
    while (c >>> 0 < 10) {
      whole = whole * 10 + c;
      c = (bytes[++p] ?? 0) - ZERO;
    }
    if (p === digits || (bytes[digits] === ZERO && p !== digits + 1)) return fail('kind', token);
    let low = whole;
    let high = whole;
    if (bytes[p] === POINT) {
      const point = p++;
      const a = view.getInt32(p, true) ^ DIGITS;
      const b = view.getInt32(p + 4, true) ^ DIGITS;
      let mantissa = whole;
      let scale = 0;
      if ((notDigits(a) | notDigits(b)) === 0) {
        p += 8;
        scale = 8;
        mantissa = mantissa * 1e8 + (fourDigits(a) * 10000 + fourDigits(b));
        const d = view.getInt32(p, true) ^ DIGITS;
        if (notDigits(d) === 0) {
          p += 4;
          scale = 12;
          mantissa = mantissa * 1e4 + fourDigits(d);
          const e = view.getInt32(p, true) ^ DIGITS;
          if (notDigits(e) === 0) {
            p += 4;
            scale = 16;
            mantissa = mantissa * 1e4 + fourDigits(e);
          }
        }
      }
      c = (bytes[p] ?? 0) - ZERO;
      while (c >>> 0 < 10 && scale < 16) {
        mantissa = mantissa * 10 + c;
        scale++;
        c = (bytes[++p] ?? 0) - ZERO;
      }
      const power = POWERS[scale] ?? 1;
      low = mantissa / power;
      high = low;
      if (c >>> 0 < 10) {
        // More digits than count: less than one of the last place that does; two, for `mantissa` itself is rounded.
        high = (mantissa + 2) / power;
        do c = (bytes[++p] ?? 0) - ZERO;
        while (c >>> 0 < 10);
      }
      if (p === point + 1) return fail('kind', token);
    }
    let value = Math.fround(low * BELOW);
    const next = bytes[p] ?? 0;
    if (value !== Math.fround(high * ABOVE) || (next | 32) === 101 || value >= 1e30) {
      p = tokenEnd(p);
      if (p < 0) return fail('kind', token);
      value = Math.fround(Number(bytes.toString('latin1', digits, p)));
      if (value === Number.POSITIVE_INFINITY) return fail('range', token);
    }
    out[i++] = negative ? -value : value;
    c = bytes[p] ?? 0;
    if (c <= SPACE) {
      p = skipSpace(p);
      c = bytes[p] ?? 0;
    }
    if (c !== COMMA) {
      count = i - first;
      return isTokenEnd(p, c);
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
  return numberEnd < 0 ? Number.NaN : Number(bytes.toString('latin1', from, numberEnd));
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
    p = skipSpace(p);
    const value = numberAt(p);
    if (Number.isNaN(value)) return fail('kind', p);
    if (isInteger && !Number.isInteger(value)) return fail(Number.isFinite(value) ? 'kind' : 'range', p);
    const element = isHalf ? toHalf(value) : value;
    if (isHalf ? (element & 0x7c00) === 0x7c00 : !(value >= least && value <= greatest)) {
      return fail('range', p);
    }
    out[i++] = element;
    p = skipSpace(numberEnd);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      count = i - first;
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
    p = skipSpace(p);
    const value = numberAt(p);
    if (Number.isNaN(value)) return fail('kind', p);
    if (Number.isSafeInteger(value)) {
      if (value < 0 && !signed) return fail('range', p);
      out[i++] = BigInt(value);
    } else {
      // Beyond 2^53 a double has lost digits, so only the text tells the integer; `1e18` is one that we cannot tell.
      if (!plain) return fail(Number.isInteger(value) || !Number.isFinite(value) ? 'range' : 'kind', p);
      // 20 digits and a sign hold every 64-bit integer; reading a million digits would only cost time.
      if (numberEnd - p > 20) return fail('range', p);
      const integer = BigInt(bytes.toString('latin1', p, numberEnd));
      if (integer < least || integer > greatest) return fail('range', p);
      out[i++] = integer;
    }
    p = skipSpace(numberEnd);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      count = i - first;
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
    p = skipSpace(p);
    const word = view.getInt32(p, true);
    if (word === TRUE) {
      out[i++] = 1;
      p += 4;
    } else if (word === FALS && bytes[p + 4] === 101) {
      out[i++] = 0;
      p += 5;
    } else return fail('kind', p);
    p = skipSpace(p);
    const c = bytes[p] ?? 0;
    if (c !== COMMA) {
      count = i - first;
      return isTokenEnd(p, c);
    }
    p++;
  }
}

/**
 * The place of an offset in an array's text, for messages: counts brackets and commas up to there.
 * @returns such as `[0][12]`
 */
export function placeInArray(span: string, at: number): string {
  const indexes: number[] = [];
  for (let p = 0; p < at && p < span.length; p++) {
    const c = span.charCodeAt(p);
    if (c === OPEN) indexes.push(0);
    else if (c === CLOSE) indexes.pop();
    else if (c === COMMA) indexes.push((indexes.pop() ?? 0) + 1);
  }
  return indexes.map((index) => `[${index}]`).join('');
}
