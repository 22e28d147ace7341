import type { Tensor } from './datatypes.ts';
import { fromHalf } from './half.ts';

/** Elements of tensors as JavaScript's numbers. */

export type Numbers = ArrayLike<number>;

/** Can the data be read as they are? 64 bits come as bigints, 16-bit floats as their bits. */
export function isPlain({ datatype }: Tensor): boolean {
  return datatype !== 'BYTES' && datatype !== 'FP16' && datatype !== 'INT64' && datatype !== 'UINT64';
}

/** @returns the element at a place of the data; NaN for a text, and for what is not there */
export function numberAt({ datatype, data }: Tensor, place: number): number {
  switch (datatype) {
    case 'BYTES':
      return Number.NaN;
    case 'FP16':
      return place < data.length ? fromHalf(data[place] as number) : Number.NaN;
    case 'INT64':
    case 'UINT64':
      return Number(data[place]);
    default:
      return (data[place] as number | undefined) ?? Number.NaN;
  }
}

const NOTHING: Numbers = [];

/** @returns all elements; none of texts */
export function numbersOf(tensor: Tensor | undefined): Numbers {
  if (tensor === undefined || tensor.datatype === 'BYTES') return NOTHING;
  if (isPlain(tensor)) return tensor.data as Float64Array;
  return tensor.datatype === 'FP16'
    ? Float64Array.from(tensor.data as Uint16Array, fromHalf)
    : Float64Array.from(tensor.data as BigInt64Array, Number);
}

/** Where `momentsOf` puts what it finds. */
export const [NORM, MEAN, SD] = [0, 1, 2] as const;

/**
 * Euclidean norm, mean and standard deviation (of all, so divided by their number) of a stretch of a tensor's elements. The
 * mean is known before deviations are squared: of pixels around 10⁶ nothing is lost.
 */
export function momentsOf(tensor: Tensor, start: number, size: number, found: Float64Array): void {
  const plain = isPlain(tensor);
  const values = tensor.data as unknown as Numbers;
  let sum = 0;
  let squares = 0;
  for (let i = start; i < start + size; i++) {
    const value = plain ? (values[i] as number) : numberAt(tensor, i);
    sum += value;
    squares += value * value;
  }
  const mean = sum / size;
  let deviations = 0;
  for (let i = start; i < start + size; i++) {
    const deviation = (plain ? (values[i] as number) : numberAt(tensor, i)) - mean;
    deviations += deviation * deviation;
  }
  found[NORM] = Math.sqrt(squares);
  found[MEAN] = mean;
  found[SD] = Math.sqrt(deviations / size);
}
