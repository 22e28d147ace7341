import type { Datatype } from './contract.ts';
import type { TensorData } from './datatypes.ts';
import { isFiniteHalf } from './half.ts';

/** @returns the place of the first element that is NaN or infinite; −1 where all are numbers, or texts */
export function nonFiniteIn(datatype: Datatype, data: TensorData): number {
  if (allFinite(datatype, data)) return -1;
  if (datatype === 'FP16') return (data as Uint16Array).findIndex((bits) => !isFiniteHalf(bits));
  return (data as Float64Array).findIndex((value) => !Number.isFinite(value));
}

/** A sum stays 0 over numbers, and becomes NaN by what is none; four of them, as one waits for itself. */
export function allFinite(datatype: Datatype, data: TensorData): boolean {
  if (datatype === 'FP16') return (data as Uint16Array).every(isFiniteHalf);
  if (datatype !== 'FP32' && datatype !== 'FP64') return true;
  return datatype === 'FP32' ? sumIsZero32(data as Float32Array) : sumIsZero64(data as Float64Array);
}

// The same lines twice: a loop that has seen two kinds of arrays is slower with both.
function sumIsZero32(data: Float32Array): boolean {
  const { length } = data;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += (data[i] as number) * 0;
    b += (data[i + 1] as number) * 0;
    c += (data[i + 2] as number) * 0;
    d += (data[i + 3] as number) * 0;
  }
  for (; i < length; i++) a += (data[i] as number) * 0;
  return a + b + c + d === 0;
}

function sumIsZero64(data: Float64Array): boolean {
  const { length } = data;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < length; i += 4) {
    a += (data[i] as number) * 0;
    b += (data[i + 1] as number) * 0;
    c += (data[i + 2] as number) * 0;
    d += (data[i + 3] as number) * 0;
  }
  for (; i < length; i++) a += (data[i] as number) * 0;
  return a + b + c + d === 0;
}
