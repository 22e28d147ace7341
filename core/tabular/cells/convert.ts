import type { Datatype } from '../../tensor/contract.ts';
import { KINDS, type NumericData } from '../../tensor/datatypes.ts';
import { fromHalf, isFiniteHalf, toHalf } from '../../tensor/half.ts';
import { mustBe, outOfRange } from '../../tensor/values.ts';

/**
 * Numbers go from the arrays of files into those of tensors, each of them checked, in loops that know both
 * sides' types.
 */

export type Numeric = Exclude<Datatype, 'BYTES'>;

/** Elements of a file: its datatype says how the array is read (FP16: bits). */
export type FileNumbers = { readonly datatype: Numeric; readonly data: NumericData };

/** `step` from one element to the next. */
export type ElementRun = { readonly at: number; readonly step: number };

/** What is wrong with an element: a code, and the rest of a sentence that starts with its column. */
export type Reason = readonly [code: string, reason: string];
/** @param index counted from the first element of the run */
export type OnFault = (index: number, reason: Reason) => void;

const INFINITE: Reason = ['NOT_FINITE', 'is infinite.'];
/** For floats, where NaN may be allowed: the tensor holds it then. */
export const NAN: Reason = ['NOT_FINITE', 'is NaN.'];
/** For integers, which have neither. */
const NOT_FINITE: Reason = ['NOT_FINITE', 'is NaN or infinite.'];
export const NO_VALUE: Reason = ['WRONG_VALUE', 'has no value.'];

/**
 * Copies `count` elements. One that the tensor's datatype cannot hold is told to `onFault`, and what is
 * written in its place is of no meaning. Floats are rounded to the tensor's, as those of JSON are; whole
 * numbers are never.
 */
export function cast(
  from: FileNumbers,
  source: ElementRun,
  to: FileNumbers,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  const wide = isWide(from.datatype);
  if (wide && isWide(to.datatype)) {
    if (from.datatype === to.datatype) copyWide(from.data, source, to.data, target, count);
    else changeSign(from, source, to, target, count, onFault);
    return;
  }
  if (from.datatype === 'FP16' && to.datatype === 'FP16') {
    copyHalves(from.data as Uint16Array, source, to.data as Uint16Array, target, count, onFault);
    return;
  }
  const isPlain = !wide && from.datatype !== 'FP16';
  const values = isPlain ? (from.data as Float64Array) : asDoubles(from, source, count);
  const run = isPlain ? source : { at: 0, step: 1 };
  switch (to.datatype) {
    case 'FP32':
      toFloats(values, run, to.data as Float32Array, target, count, onFault);
      return;
    case 'FP64':
      toDoubles(values, run, to.data as Float64Array, target, count, onFault);
      return;
    case 'FP16':
      toHalves(values, run, to.data as Uint16Array, target, count, onFault);
      return;
    case 'INT64':
    case 'UINT64':
      toWide(values, run, to, target, count, onFault);
      return;
    default:
      toIntegers(values, run, to, target, count, onFault);
  }
}

const isWide = (datatype: Numeric): boolean => datatype === 'INT64' || datatype === 'UINT64';

/** Halves of 64-bit integers, the low one first: bigints would take ten times as long. */
const wordsOf = ({ buffer, byteOffset, length }: NumericData): Int32Array =>
  new Int32Array(buffer, byteOffset, length * 2);

/** Doubles for what arrays hold otherwise; beyond 2^53 rounded, as the same digits in JSON would be. */
function asDoubles({ datatype, data }: FileNumbers, { at, step }: ElementRun, count: number): Float64Array {
  const out = new Float64Array(count);
  if (datatype === 'FP16') {
    const bits = data as Uint16Array;
    for (let i = 0, from = at; i < count; i++, from += step) out[i] = fromHalf(bits[from] as number);
    return out;
  }
  const words = wordsOf(data);
  const isSigned = datatype === 'INT64';
  for (let i = 0, from = at * 2; i < count; i++, from += step * 2) {
    const high = words[from + 1] as number;
    out[i] = (isSigned ? high : high >>> 0) * 2 ** 32 + ((words[from] as number) >>> 0);
  }
  return out;
}

function copyWide(
  from: NumericData,
  source: ElementRun,
  to: NumericData,
  target: ElementRun,
  count: number,
): void {
  const read = wordsOf(from);
  const write = wordsOf(to);
  const steps = source.step * 2;
  const strides = target.step * 2;
  for (let i = 0, s = source.at * 2, t = target.at * 2; i < count; i++, s += steps, t += strides) {
    write[t] = read[s] as number;
    write[t + 1] = read[s + 1] as number;
  }
}

/** Copies the elements of these places, of one datatype; 64-bit integers by halves. */
export function gatherElements(
  from: FileNumbers,
  places: Uint8Array | Uint16Array | Int32Array,
  at: number,
  to: FileNumbers,
  target: ElementRun,
  count: number,
): void {
  if (!isWide(to.datatype)) {
    const read = from.data as Float64Array;
    const write = to.data as Float64Array;
    const stride = target.step;
    for (let i = 0, t = target.at; i < count; i++, t += stride)
      write[t] = read[places[at + i] as number] as number;
    return;
  }
  const read = wordsOf(from.data);
  const write = wordsOf(to.data);
  const stride = target.step * 2;
  for (let i = 0, t = target.at * 2; i < count; i++, t += stride) {
    const place = (places[at + i] as number) * 2;
    write[t] = read[place] as number;
    write[t + 1] = read[place + 1] as number;
  }
}

/** Between signed and unsigned, whose bits are the same below 2^63. */
function changeSign(
  from: FileNumbers,
  source: ElementRun,
  to: FileNumbers,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  copyWide(from.data, source, to.data, target, count);
  const words = wordsOf(to.data);
  for (let i = 0, t = target.at * 2; i < count; i++, t += target.step * 2)
    if ((words[t + 1] as number) < 0) onFault(i, ['WRONG_VALUE', outOfRange(to.datatype)]);
}

function copyHalves(
  from: Uint16Array,
  source: ElementRun,
  to: Uint16Array,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  for (let i = 0, s = source.at, t = target.at; i < count; i++, s += source.step, t += target.step) {
    const bits = from[s] as number;
    to[t] = bits;
    if (!isFiniteHalf(bits)) onFault(i, Number.isNaN(fromHalf(bits)) ? NAN : INFINITE);
  }
}

/** Why a value is no finite number of the tensor's: it is none itself, or none once it is rounded. */
const beyond = (value: number, datatype: Numeric): Reason =>
  Number.isFinite(value) ? ['WRONG_VALUE', outOfRange(datatype)] : Number.isNaN(value) ? NAN : INFINITE;

function toFloats(
  values: Float64Array,
  { at, step }: ElementRun,
  out: Float32Array,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  const stride = target.step;
  for (let i = 0, s = at, t = target.at; i < count; i++, s += step, t += stride) {
    const value = Math.fround(values[s] as number);
    out[t] = value;
    if (value - value !== 0) onFault(i, beyond(values[s] as number, 'FP32'));
  }
}

function toDoubles(
  values: Float64Array,
  { at, step }: ElementRun,
  out: Float64Array,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  const stride = target.step;
  for (let i = 0, s = at, t = target.at; i < count; i++, s += step, t += stride) {
    const value = values[s] as number;
    out[t] = value;
    if (value - value !== 0) onFault(i, beyond(value, 'FP64'));
  }
}

function toHalves(
  values: Float64Array,
  { at, step }: ElementRun,
  out: Uint16Array,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  for (let i = 0, s = at, t = target.at; i < count; i++, s += step, t += target.step) {
    const bits = toHalf(values[s] as number);
    out[t] = bits;
    if (!isFiniteHalf(bits)) onFault(i, beyond(values[s] as number, 'FP16'));
  }
}

function toIntegers(
  values: Float64Array,
  { at, step }: ElementRun,
  { datatype, data }: FileNumbers,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  const { least, greatest } = KINDS[datatype];
  const out = data as Int32Array;
  const stride = target.step;
  for (let i = 0, s = at, t = target.at; i < count; i++, s += step, t += stride) {
    const value = values[s] as number;
    out[t] = value;
    if (!(value >= least && value <= greatest && Math.floor(value) === value))
      onFault(i, noInteger(value, datatype));
  }
}

function noInteger(value: number, datatype: Numeric): Reason {
  if (!Number.isFinite(value)) return NOT_FINITE;
  // What is no whole number is no true or false either.
  if (datatype === 'BOOL' || !Number.isInteger(value)) return ['WRONG_VALUE', mustBe(datatype)];
  return ['WRONG_VALUE', outOfRange(datatype)];
}

function toWide(
  values: Float64Array,
  { at, step }: ElementRun,
  { datatype, data }: FileNumbers,
  target: ElementRun,
  count: number,
  onFault: OnFault,
): void {
  const out = wordsOf(data);
  const isSigned = datatype === 'INT64';
  const least = isSigned ? Number.MIN_SAFE_INTEGER : 0;
  const stride = target.step * 2;
  for (let i = 0, s = at, t = target.at * 2; i < count; i++, s += step, t += stride) {
    const value = values[s] as number;
    const low = value | 0;
    if (low === value && (low >= 0 || isSigned)) {
      out[t] = low;
      out[t + 1] = low >> 31;
      continue;
    }
    // Beyond 2^53 a double does not tell which integer was meant.
    if (!(value >= least && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value)) {
      onFault(i, noInteger(value, datatype));
      continue;
    }
    const high = Math.floor(value / 2 ** 32);
    out[t] = value - high * 2 ** 32;
    out[t + 1] = high;
  }
}
