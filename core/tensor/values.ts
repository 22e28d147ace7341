import { type Refusal, refusal } from '../errors/refusals.ts';
import type { Datatype } from './contract.ts';
import { KINDS, type TensorData } from './datatypes.ts';
import { isFiniteHalf, toHalf } from './half.ts';

/**
 * Reads data that are JavaScript arrays already: texts, and whatever a direct invocation brings (Lambda's
 * runtime has parsed the event). Same rules as scan.ts.
 *
 * @param missing null is NaN, of floats
 */
export function readValues(
  values: readonly unknown[],
  datatype: Datatype,
  shape: readonly number[],
  elements: number,
  out: TensorData,
  path: string,
  missing = false,
): void {
  // Flat or nested is told by the first element, as the empty array is both.
  const nested = Array.isArray(values[0]);
  let index = 0;
  const walk = (list: readonly unknown[], depth: number, place: string): void => {
    if (nested && list.length !== shape[depth]) throw wrongLength(place, shape[depth], list.length);
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      if (nested && depth < shape.length - 1) {
        if (!Array.isArray(value)) throw wrongNesting(`${place}[${i}]`);
        walk(value, depth + 1, `${place}[${i}]`);
      } else {
        if (index === elements) throw wrongLength(path, elements);
        const reason = store(out, index++, value, datatype, missing);
        if (reason !== undefined) throw refusal('WRONG_VALUE', `${place}[${i}] ${reason}`);
      }
    }
  };
  walk(values, 0, path);
  if (index !== elements) throw wrongLength(path, elements, index);
}

const wrongLength = (path: string, expected: number | undefined, found?: number): Refusal =>
  refusal('WRONG_LENGTH', `${path} has ${found ?? 'more'} elements; the shape says ${expected ?? 0}.`);
const wrongNesting = (path: string): Refusal =>
  refusal('WRONG_LENGTH', `${path} is not nested as the shape is; flat data are fine, too.`);

export const isFloat = (datatype: Datatype): boolean => datatype.startsWith('FP');

/** @param datatype one of floats, which `out` is of */
export function storeNaN(out: TensorData, index: number, datatype: Datatype): void {
  out[index] = datatype === 'FP16' ? toHalf(Number.NaN) : Number.NaN;
}

/** @returns what is wrong with the element, as the rest of a sentence */
function store(
  out: TensorData,
  index: number,
  value: unknown,
  datatype: Datatype,
  missing: boolean,
): string | undefined {
  if (value === null && missing && isFloat(datatype)) {
    storeNaN(out, index, datatype);
    return undefined;
  }
  if (datatype === 'BYTES') {
    if (typeof value !== 'string') return MUST_BE.BYTES;
    const reason = textFault(value);
    if (reason === undefined) (out as string[])[index] = value;
    return reason;
  }
  if (datatype === 'BOOL') {
    if (typeof value !== 'boolean') return MUST_BE.BOOL;
    (out as Uint8Array)[index] = value ? 1 : 0;
    return undefined;
  }
  if (typeof value !== 'number') return mustBe(datatype);
  if (datatype === 'INT64' || datatype === 'UINT64') {
    if (!Number.isInteger(value)) return mustBe(datatype);
    if (!Number.isSafeInteger(value) || (value < 0 && datatype === 'UINT64')) return outOfRange(datatype);
    (out as BigInt64Array)[index] = BigInt(value);
    return undefined;
  }
  if (datatype === 'FP16') {
    const bits = toHalf(value);
    if (!isFiniteHalf(bits)) return outOfRange(datatype);
    (out as Uint16Array)[index] = bits;
    return undefined;
  }
  const { least, greatest } = KINDS[datatype];
  if (datatype === 'FP32') {
    const rounded = Math.fround(value);
    if (!Number.isFinite(rounded)) return outOfRange(datatype);
    (out as Float32Array)[index] = rounded;
    return undefined;
  }
  if (datatype !== 'FP64' && !Number.isInteger(value)) return mustBe(datatype);
  if (!(value >= least && value <= greatest)) return outOfRange(datatype);
  (out as Float64Array)[index] = value;
  return undefined;
}

const MUST_BE = { BYTES: 'must be a string.', BOOL: 'must be true or false.' };

/** The rest of a sentence that starts with the element's path. */
export function mustBe(datatype: Datatype): string {
  if (datatype === 'BYTES' || datatype === 'BOOL') return MUST_BE[datatype];
  return isFloat(datatype) ? 'must be a number.' : 'must be a whole number.';
}

export function outOfRange(datatype: Datatype): string {
  const exact = datatype === 'INT64' || datatype === 'UINT64';
  return exact
    ? `is outside the range of ${datatype}, or not written so that every digit is certain.`
    : `is outside the range of ${datatype}.`;
}

/**
 * Texts go to ONNX Runtime as UTF-8 ended by a zero byte: it would cut one at U+0000 and put U+FFFD for half
 * a surrogate pair.
 */
export function textFault(value: string): string | undefined {
  if (value.includes('\0')) return 'has the character U+0000, at which ONNX Runtime would cut it.';
  if (/\p{Surrogate}/u.test(value)) return 'has half of a surrogate pair.';
  return undefined;
}
