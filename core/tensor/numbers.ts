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
 * Euclidean norm, mean and standard deviation (of all, so divided by their number) of a stretch of a tensor's
 * elements. The mean is known before deviations are squared: of pixels around 10⁶ nothing is lost.
 */
export function momentsOf(tensor: Tensor, start: number, size: number, found: Float64Array): void {
  found.fill(0);
  byParts(tensor, start, size, (values, from, end) => addPowers(values, from, end, found));
  const mean = (found[MEAN] as number) / size;
  found[NORM] = Math.sqrt(found[NORM] as number);
  found[MEAN] = mean;
  byParts(tensor, start, size, (values, from, end) => {
    found[SD] = (found[SD] as number) + deviations(values, from, end, mean);
  });
  found[SD] = Math.sqrt((found[SD] as number) / size);
}

/**
 * All at once where the data are plain; else a part at a time in a buffer, since a row may be as large as a
 * request.
 */
function byParts(
  tensor: Tensor,
  start: number,
  size: number,
  visit: (values: Numbers, from: number, end: number) => void,
): void {
  if (isPlain(tensor)) {
    visit(tensor.data as Float64Array, start, start + size);
    return;
  }
  const part = new Float64Array(Math.min(Math.max(size, 0), PART));
  for (let done = 0; done < size; done += part.length) {
    const count = Math.min(part.length, size - done);
    for (let i = 0; i < count; i++) part[i] = numberAt(tensor, start + done + i);
    visit(part, 0, count);
  }
}
const PART = 4096;

/* Loops with nothing else in them: a choice at each element would make them eight times slower. */

function addPowers(values: Numbers, from: number, end: number, found: Float64Array): void {
  let sum = 0;
  let squares = 0;
  for (let i = from; i < end; i++) {
    const value = values[i] as number;
    sum += value;
    squares += value * value;
  }
  found[MEAN] = (found[MEAN] as number) + sum;
  found[NORM] = (found[NORM] as number) + squares;
}

function deviations(values: Numbers, from: number, end: number, mean: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) {
    const deviation = (values[i] as number) - mean;
    sum += deviation * deviation;
  }
  return sum;
}
