import { isUtf8 } from 'node:buffer';
import type { NumericData } from '../../tensor/datatypes.ts';
import { DAY_MS } from '../../units/time.ts';
import type { Numeric } from '../cells/convert.ts';
import type { PlainValues, SchemaElement } from './library.ts';

/** What a column has: numbers in the datatype's own array, or values that are told as texts. */
export type Kind =
  | { readonly datatype: Numeric; readonly from: (raw: PlainValues) => NumericData }
  | {
      readonly datatype: 'BYTES';
      readonly from: (raw: PlainValues) => string[];
      readonly isText: boolean;
      /** The same where the model takes numbers; absent where it says none. */
      readonly asNumbers?: Kind;
    };

/** Times of day, as they are stored: only where the model takes numbers. */
export const timeKindOf = ({ type, converted_type: converted, logical_type: logical }: SchemaElement) => {
  if (!(converted?.startsWith('TIME_') || logical?.type === 'TIME')) return undefined;
  return type === 'INT32' ? integers(false) : type === 'INT64' ? wideIntegers(false) : undefined;
};

/**
 * @returns undefined for what is neither a number nor told as a text (binary data, times of day, intervals,
 * shapes, …)
 */
export function kindOf(element: SchemaElement): Kind | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const decimal = decimalOf(element);
    const from = (raw: PlainValues) => Float64Array.from(mapped(raw, (value) => Number(decimal(value))));
    return { ...texts(decimal), asNumbers: { datatype: 'FP64', from } };
  }
  if (converted === 'DATE' || logical?.type === 'DATE') return texts((days) => isoDate(days as number));
  const digits = digitsOf(element);
  if (digits !== undefined) {
    const zone = isOfUtc(element) ? 'Z' : '';
    return texts((value) => isoTime(value as bigint, digits, zone));
  }
  switch (type) {
    case 'BOOLEAN':
      return { datatype: 'BOOL', from: (raw) => asArray(raw, Uint8Array) };
    case 'INT32':
    case 'INT64': {
      if (converted?.startsWith('TIME') || logical?.type === 'TIME') return undefined;
      const isUnsigned =
        converted?.startsWith('UINT_') === true || (logical?.type === 'INTEGER' && !logical.isSigned);
      return type === 'INT32' ? integers(isUnsigned) : wideIntegers(isUnsigned);
    }
    case 'INT96':
      return texts((value) => isoTime(nanosOf(value as bigint), 9, ''));
    case 'FLOAT':
      return { datatype: 'FP32', from: (raw) => asArray(raw, Float32Array) };
    case 'DOUBLE':
      return { datatype: 'FP64', from: (raw) => asArray(raw, Float64Array) };
    case 'BYTE_ARRAY': {
      const isText =
        converted === undefined || converted === 'UTF8' || converted === 'ENUM' || converted === 'JSON';
      const declared = logical?.type;
      if (
        !isText ||
        !(declared === undefined || declared === 'STRING' || declared === 'ENUM' || declared === 'JSON')
      )
        return undefined;
      return {
        datatype: 'BYTES',
        from: (raw) => mapped(raw, (bytes) => textOf(bytes as Uint8Array)),
        isText: true,
      };
    }
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'UUID') return { ...texts((value) => uuidOf(value as Uint8Array)), isText: true };
      if (logical?.type === 'FLOAT16')
        return {
          datatype: 'FP16',
          from: (raw) => Uint16Array.from(mapped(raw, (half) => bitsOf(half as Uint8Array))),
        };
      return undefined;
    default:
      return undefined;
  }
}

/** Exact as texts, where numbers or dates of JavaScript would lose digits. */
const texts = (of: (raw: unknown) => string): Kind & { readonly datatype: 'BYTES' } => ({
  datatype: 'BYTES',
  from: (raw) => mapped(raw, of),
  isText: false,
});

const mapped = <T>(raw: PlainValues, of: (value: unknown) => T): T[] =>
  Array.from(raw as Iterable<unknown>, of);

const bitsOf = ([low = 0, high = 0]: Uint8Array): number => low | (high << 8);

const integers = (isUnsigned: boolean): Kind =>
  isUnsigned
    ? {
        datatype: 'UINT32',
        from(raw) {
          const { buffer, byteOffset, length } = asArray(raw, Int32Array);
          return new Uint32Array(buffer, byteOffset, length);
        },
      }
    : { datatype: 'INT32', from: (raw) => asArray(raw, Int32Array) };

const wideIntegers = (isUnsigned: boolean): Kind =>
  isUnsigned
    ? {
        datatype: 'UINT64',
        from(raw) {
          const { buffer, byteOffset, length } = asArray(raw, BigInt64Array);
          return new BigUint64Array(buffer, byteOffset, length);
        },
      }
    : { datatype: 'INT64', from: (raw) => asArray(raw, BigInt64Array) };

/** hyparquet gives no values as `[]`, whatever their type. */
function asArray<A extends NumericData>(raw: PlainValues, of: { new (length: number): A }): A {
  if (raw instanceof of) return raw;
  if (Array.isArray(raw) && raw.length === 0) return new of(0);
  throw new Error('a page has values of another type than its column');
}

/** Half of a surrogate pair at its end, which no text of UTF-8 has, marks one that was none. */
const BROKEN = '\uD800';
export const isBroken = (text: string): boolean => text.endsWith(BROKEN);

function textOf(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes('\uFFFD') && !isUtf8(bytes) ? `${text}${BROKEN}` : text;
}
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Digits after the second of a point in time; undefined for what is none. */
function digitsOf({ converted_type: converted, logical_type: logical }: SchemaElement): number | undefined {
  if (logical?.type === 'TIMESTAMP') return { MILLIS: 3, MICROS: 6, NANOS: 9 }[logical.unit];
  if (converted === 'TIMESTAMP_MILLIS') return 3;
  return converted === 'TIMESTAMP_MICROS' ? 6 : undefined;
}

/**
 * Without a logical type it is of UTC, too:
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#timestamp
 */
const isOfUtc = ({ logical_type: logical }: SchemaElement): boolean =>
  logical?.type !== 'TIMESTAMP' || logical.isAdjustedToUTC;

/** Days from 1970 to 1 January 4713 BC, where INT96 counts from. */
const JULIAN_DAYS = 2_440_588n;
const NANOS_A_DAY = 86_400_000_000_000n;

/** Nanoseconds within the day, and above them 32 bits of the day's number. */
const nanosOf = (value: bigint): bigint =>
  ((value >> 64n) - JULIAN_DAYS) * NANOS_A_DAY + BigInt.asIntN(64, value);

/** ISO 8601 with `digits` after the second. A year beyond JavaScript's dates is told as its number. */
function isoTime(value: bigint, digits: number, zone: 'Z' | ''): string {
  const perSecond = 10n ** BigInt(digits);
  const part = ((value % perSecond) + perSecond) % perSecond;
  const seconds = (value - part) / perSecond;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return String(value);
  return `${date.toISOString().replace('.000Z', '')}.${String(part).padStart(digits, '0')}${zone}`;
}

function isoDate(days: number): string {
  const date = new Date(days * DAY_MS);
  return Number.isNaN(date.getTime()) ? String(days) : date.toISOString().replace(/T.*$/, '');
}

/** Bytes of a decimal, and digits behind its point: doubles go no further, and nobody's decimals as far. */
const DECIMAL_BYTES = 128;
const DECIMAL_SCALE = 308;

/** @throws Error for a scale that is none, or that would make a text of any length of a digit */
function decimalOf({ name, scale = 0 }: SchemaElement): (raw: unknown) => string {
  if (!(scale >= 0 && scale <= DECIMAL_SCALE))
    throw new Error(`its column ${name} has decimals of the scale ${scale}, which is 0 to ${DECIMAL_SCALE}`);
  return (raw) => {
    const unscaled = raw instanceof Uint8Array ? bigEndian(raw) : BigInt(raw as number | bigint);
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    const sign = unscaled < 0n ? '-' : '';
    return scale > 0 ? `${sign}${whole}.${digits.slice(-scale)}` : `${sign}${whole}`;
  };
}

/** Two's complement. The work grows with the square of its bytes. */
function bigEndian(bytes: Uint8Array): bigint {
  if (bytes.length > DECIMAL_BYTES)
    throw new Error(`a decimal has ${bytes.length} bytes, where ${DECIMAL_BYTES} are the most`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

const uuidOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
