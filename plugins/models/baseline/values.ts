import type { Datatype } from '../../../core/tensor/contract.ts';
import { KINDS } from '../../../core/tensor/datatypes.ts';
import { fromHalf, toHalf } from '../../../core/tensor/half.ts';

/** Values of one signal: as the tensor has them, which floats of 32 bits say in half the memory. */
export type SignalValues = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** Datatypes whose every value a 32-bit float has, too. */
const SMALL: readonly Datatype[] = ['FP32', 'FP16', 'BOOL', 'UINT8', 'INT8', 'UINT16', 'INT16'];

/** Bytes of a stored value. Texts are stored as their numbers in a list. */
export const storedBytes = (datatype: Datatype): 4 | 8 => (SMALL.includes(datatype) ? 4 : 8);

export const valuesIn = (
  datatype: Datatype,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): SignalValues =>
  storedBytes(datatype) === 4
    ? new Float32Array(buffer, offset, length)
    : new Float64Array(buffer, offset, length);

/** Is every double one of the datatype's, once its array has rounded it? */
export const isPlainValue = (datatype: Datatype): boolean => datatype === 'FP32' || datatype === 'FP64';

/**
 * The value that the tensor will have, as ranks see it: integers of 64 bits beyond 2^53 are rounded for both
 * sides alike.
 * @returns a text where it has none: what is wrong, as the rest of a sentence; NaN for what is no value
 */
export function castValue(datatype: Exclude<Datatype, 'BYTES'>, value: number): number | string {
  // What is beyond a float's greatest is infinite there, and so no value either.
  if (!Number.isFinite(value)) return Number.NaN;
  if (datatype === 'FP32') return Math.fround(value);
  if (datatype === 'FP64') return value;
  if (datatype === 'FP16') return fromHalf(toHalf(value));
  const { least, greatest } = KINDS[datatype];
  if (!Number.isInteger(value)) return `must be a whole number (${datatype}).`;
  // 2^63 and 2^64 are no longer in range, but the greatest that is has no double.
  const fits = value >= least && value <= greatest && value < 2 ** (datatype === 'INT64' ? 63 : 64);
  if (fits) return value;
  return datatype === 'BOOL' ? 'must be true, false, 1 or 0 (BOOL).' : `is out of the range of ${datatype}.`;
}
