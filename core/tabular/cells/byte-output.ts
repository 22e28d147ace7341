import type { Tensor } from '../../tensor/datatypes.ts';
import { fromHalf } from '../../tensor/half.ts';

/** Text that is written as bytes: a string a cell would take three times as long. */
export type Output = { bytes: Buffer; at: number };

export const newOutput = (): Output => ({ bytes: Buffer.allocUnsafe(64 * 1024), at: 0 });

/** The text so far. */
export const contentOf = ({ bytes, at }: Output): Uint8Array => bytes.subarray(0, at);

/** Makes room for more bytes. */
function reserve(output: Output, count: number): void {
  if (output.at + count <= output.bytes.length) return;
  const longer = Buffer.allocUnsafe(Math.max(output.bytes.length * 2, output.at + count));
  output.bytes.copy(longer, 0, 0, output.at);
  output.bytes = longer;
}

/** Short ones. */
export function putBytes(output: Output, bytes: Uint8Array): void {
  reserve(output, bytes.length);
  for (let i = 0; i < bytes.length; i++) output.bytes[output.at++] = bytes[i] as number;
}

export function putByte(output: Output, byte: number): void {
  reserve(output, 1);
  output.bytes[output.at++] = byte;
}

/** @param text any, in UTF-8 */
export function putText(output: Output, text: string): void {
  reserve(output, text.length * 3);
  output.at += output.bytes.write(text, output.at, 'utf8');
}

const ZERO = 48;
const MINUS = 45;
const POINT = 46;

/** @param value a whole number, 0 to 2^53 */
function putDigits(output: Output, value: number, least = 1): void {
  if (value >= 1e9) {
    const high = Math.floor(value / 1e9);
    putDigits(output, high, least - 9);
    putDigits(output, value - high * 1e9, 9);
    return;
  }
  reserve(output, 24);
  const { bytes, at } = output;
  let rest = value | 0;
  let count = 1;
  for (let ten = 10; ten <= rest; ten *= 10) count++;
  if (count < least) count = least;
  for (let p = at + count - 1; p >= at; p--) {
    const next = (rest / 10) | 0;
    bytes[p] = ZERO + rest - next * 10;
    rest = next;
  }
  output.at = at + count;
}

/** @param value a safe integer */
export function putInteger(output: Output, value: number): void {
  if (value < 0) putByte(output, MINUS);
  putDigits(output, Math.abs(value));
}

/**
 * A double in the fewest digits that are read as it; NaN and infinities by their names, which JSON has not.
 */
function putDouble(output: Output, value: number): void {
  if (Number.isSafeInteger(value) && value !== 0) putInteger(output, value);
  else putText(output, Object.is(value, -0) ? '-0' : String(value));
}

const TENS = Float64Array.from({ length: 16 }, (_, i) => Number(`1e${i}`));

/** A 32-bit float in the fewest digits that are read as it, by readers of 32 and of 64 bits. */
function putFloat(output: Output, value: number): void {
  const size = Math.abs(value);
  if (!(size >= 1e-5 && size < 2 ** 24)) {
    putDouble(output, size === 0 || !Number.isFinite(value) ? value : shortest(value));
    return;
  }
  // So many decimals that there are six digits in all: no two of those are read as one float, while nine tell
  // all floats apart.
  let six = 10;
  while (six > 0 && size * (TENS[six] as number) >= 1e6) six--;
  // Most floats of a model need eight or nine; where fewer do not tell it, none that are fewer still do.
  let decimals = six + 2;
  if (isRead(rounded(size, decimals), size)) {
    if (isRead(rounded(size, six + 1), size)) decimals = isRead(rounded(size, six), size) ? six : six + 1;
  } else
    do decimals++;
    while (!isRead(rounded(size, decimals), size));
  putFixed(output, value < 0, Math.round(size * (TENS[decimals] as number)), decimals);
}

function rounded(size: number, decimals: number): number {
  const scale = TENS[decimals] as number;
  return Math.round(size * scale) / scale;
}

/** Is a decimal read as the float, also by a reader that rounds it twice? */
const isRead = (decimal: number, value: number): boolean =>
  Math.fround(decimal * (1 - 1e-15)) === value && Math.fround(decimal * (1 + 1e-15)) === value;

function putFixed(output: Output, isNegative: boolean, digits: number, decimals: number): void {
  if (isNegative) putByte(output, MINUS);
  let rest = digits;
  let places = decimals;
  while (places > 0 && rest % 10 === 0) {
    rest /= 10;
    places--;
  }
  const scale = TENS[places] as number;
  const whole = Math.floor(rest / scale);
  putDigits(output, whole);
  if (places === 0) return;
  putByte(output, POINT);
  putDigits(output, rest - whole * scale, places);
}

function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (isRead(decimal, value)) return decimal;
  }
  return Number(value.toPrecision(9));
}

/** @returns a function that writes the element at a place; of texts there is none */
export function putterOf({ datatype, data }: Tensor, output: Output): (place: number) => void {
  switch (datatype) {
    case 'BOOL':
      return (place) => putText(output, data[place] === 0 ? 'false' : 'true');
    case 'FP16':
      return (place) => putFloat(output, fromHalf(data[place] as number));
    case 'FP32':
      return (place) => putFloat(output, data[place] as number);
    case 'FP64':
      return (place) => putDouble(output, data[place] as number);
    case 'INT64':
    case 'UINT64':
      return (place) => putBigint(output, data[place] as bigint);
    default:
      return (place) => putInteger(output, data[place] as number);
  }
}

function putBigint(output: Output, value: bigint): void {
  const number = Number(value);
  if (Number.isSafeInteger(number)) putInteger(output, number);
  else putText(output, String(value));
}
