import type { Components } from '../../../core/drift/contract.ts';
import { breathe } from './breathe.ts';

/** Components that are kept at most: with 1,024 elements 64 KB, and some 10 µs a row in the endpoint. */
const MOST = 16;
/** Share of the variance beyond which no more are needed: what they leave is to tell rows apart. */
const ENOUGH = 0.65;
/**
 * Rounds of the iteration: the error of the span is (the next eigenvalue over the last one kept) to this
 * power.
 */
const ROUNDS = 60;
/** Rows between two breaths: a tenth of a second. */
const BREATH = 200;

/**
 * Principal components of standardised elements: eigenvectors of their correlation matrix, by orthogonal
 * iteration (Golub and Van Loan, Matrix Computations, 8.2.4). Only their span matters, and that is found to
 * the last digit where eigenvalues differ; where they do not, one span is as good as the other.
 *
 * @param rows one after the other, `size` elements each; those with an element that is not finite are passed
 * over
 * @returns undefined of fewer than `least` rows
 */
export async function componentsOf(
  rows: Float64Array,
  size: number,
  least: number,
): Promise<Omit<Components, 'width'> | undefined> {
  const starts: number[] = [];
  for (let start = 0; start < rows.length; start += size)
    if (rows.subarray(start, start + size).every(Number.isFinite)) starts.push(start);
  if (starts.length < least) return undefined;
  const { mean, scale } = scalesOf(rows, size, starts);
  const matrix = await productsOf(rows, size, starts, mean, scale);
  const axes = await spanOf(matrix, size);
  return { mean: textOf(mean), scale: textOf(scale), axes: textOf(axes) };
}

/** As the endpoint has them, in 32 bits. The scale of a constant is 0: it takes no part. */
function scalesOf(rows: Float64Array, size: number, starts: readonly number[]) {
  const mean = new Float32Array(size);
  const scale = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const average = starts.reduce((sum, start) => sum + (rows[start + i] as number), 0) / starts.length;
    const squares = starts.reduce((sum, start) => {
      const d = (rows[start + i] as number) - average;
      return sum + d * d;
    }, 0);
    const sd = Math.sqrt(squares / starts.length);
    mean[i] = average;
    // Below it, it is rounding that varies.
    scale[i] = sd <= 1e-6 * Math.abs(average) ? 0 : Math.min(1 / sd, 3e38);
  }
  return { mean, scale };
}

/** Σddᵀ of the standardised rows d. */
async function productsOf(
  rows: Float64Array,
  size: number,
  starts: readonly number[],
  mean: Float32Array,
  scale: Float32Array,
): Promise<Float64Array> {
  const matrix = new Float64Array(size * size);
  const row = new Float64Array(size);
  for (const [done, start] of starts.entries()) {
    for (let i = 0; i < size; i++)
      row[i] = ((rows[start + i] as number) - (mean[i] as number)) * (scale[i] as number);
    addProduct(matrix, row);
    if (done % BREATH === 0) await breathe();
  }
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) matrix[i * size + j] = matrix[j * size + i] as number;
  return matrix;
}

/** The upper half only: the lower is the same. */
function addProduct(matrix: Float64Array, row: Float64Array): void {
  const size = row.length;
  for (let i = 0; i < size; i++) {
    const factor = row[i] as number;
    const at = i * size;
    if (factor === 0) continue;
    for (let j = i; j < size; j++) matrix[at + j] = (matrix[at + j] as number) + factor * (row[j] as number);
  }
}

/** @returns the components one after the other, the greatest first */
async function spanOf(matrix: Float64Array, size: number): Promise<Float32Array> {
  // At least half of the directions are left, as what is to be seen lies there.
  const most = Math.max(1, Math.min(MOST, Math.floor(size / 2)));
  // Where it starts does not matter, as long as it is nowhere special; and it is the same each time.
  let axes = Array.from({ length: most }, (_, k) =>
    Float64Array.from(
      { length: size },
      (_, i) => Math.sin((i + 1) * (k + 1) * Math.SQRT2) + (i === k ? 1 : 0),
    ),
  );
  orthonormal(axes);
  let lengths: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    axes = axes.map((axis) => times(matrix, axis));
    lengths = orthonormal(axes);
    await breathe();
  }
  let trace = 0;
  for (let i = 0; i < size; i++) trace += matrix[i * size + i] as number;
  let [count, explained] = [0, 0];
  while (count < most && explained < ENOUGH * trace) explained += lengths[count++] as number;
  const kept = new Float32Array(Math.max(1, count) * size);
  for (const [k, axis] of axes.slice(0, Math.max(1, count)).entries()) kept.set(axis, k * size);
  return kept;
}

function times(matrix: Float64Array, axis: Float64Array): Float64Array<ArrayBuffer> {
  const size = axis.length;
  const product = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    const at = i * size;
    for (let j = 0; j < size; j++) sum += (matrix[at + j] as number) * (axis[j] as number);
    product[i] = sum;
  }
  return product;
}

/**
 * Gram and Schmidt's, each twice, which loses no digit (Giraud and others, 2005).
 * @returns how long each was without the ones before: towards the end of the iteration its eigenvalue
 */
function orthonormal(axes: readonly Float64Array[]): number[] {
  return axes.map((axis, k) => {
    for (let again = 0; again < 2; again++)
      for (const before of axes.slice(0, k)) {
        const shared = axis.reduce((sum, value, i) => sum + value * (before[i] as number), 0);
        for (let i = 0; i < axis.length; i++) axis[i] = (axis[i] as number) - shared * (before[i] as number);
      }
    const length = Math.sqrt(axis.reduce((sum, value) => sum + value * value, 0));
    for (let i = 0; i < axis.length; i++) axis[i] = length === 0 ? 0 : (axis[i] as number) / length;
    return length;
  });
}

const textOf = (floats: Float32Array): string =>
  Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');
