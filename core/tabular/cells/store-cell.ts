import type { Datatype } from '../../tensor/contract.ts';
import { KINDS, type TensorData } from '../../tensor/datatypes.ts';
import { isFiniteHalf, toHalf } from '../../tensor/half.ts';
import { isFloat, mustBe, outOfRange, storeNaN, textFault } from '../../tensor/values.ts';
import { isMissing } from './cells.ts';

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d{1,20}$/;

/**
 * @param missing a cell of a float without a value is NaN
 * @returns what is wrong with the cell, as the rest of a sentence
 */
export function storeCell(
  out: TensorData,
  index: number,
  cell: string,
  datatype: Datatype,
  missing: boolean,
): string | undefined {
  if (datatype === 'BYTES') {
    (out as string[])[index] = cell;
    return textFault(cell);
  }
  const word = cell.trim();
  if (datatype === 'BOOL') {
    if (!/^(true|false|0|1)$/i.test(word)) return 'must be true, false, 1 or 0.';
    (out as Uint8Array)[index] = /^(true|1)$/i.test(word) ? 1 : 0;
    return undefined;
  }
  if (!NUMBER.test(word)) {
    if (!missing || !isMissing(word) || !isFloat(datatype)) return mustBe(datatype);
    storeNaN(out, index, datatype);
    return undefined;
  }
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const integer = wholeIn(word);
    if (integer === undefined)
      return Number.isInteger(Number(word)) ? outOfRange(datatype) : mustBe(datatype);
    const wrapped = datatype === 'INT64' ? BigInt.asIntN(64, integer) : BigInt.asUintN(64, integer);
    if (wrapped !== integer) return outOfRange(datatype);
    (out as BigInt64Array)[index] = integer;
    return undefined;
  }
  const value = Number(word);
  if (datatype === 'FP16') {
    const bits = toHalf(value);
    if (!isFiniteHalf(bits)) return outOfRange(datatype);
    (out as Uint16Array)[index] = bits;
    return undefined;
  }
  const { least, greatest } = KINDS[datatype];
  if (!datatype.startsWith('FP') && !Number.isInteger(value)) return mustBe(datatype);
  const stored = datatype === 'FP32' ? Math.fround(value) : value;
  if (!(stored >= least && stored <= greatest)) return outOfRange(datatype);
  (out as Float64Array)[index] = stored;
  return undefined;
}

/**
 * Digits alone are exact; what has a point or an exponent is, as in JSON, where a double holds it exactly.
 */
function wholeIn(word: string): bigint | undefined {
  if (INTEGER.test(word)) return BigInt(word.replace(/^\+/, ''));
  const value = Number(word);
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
