import { type Components, MOST_TAKEN } from './contract.ts';

/** What principal components leave unexplained of a wide row: endpoint and baseline use the same lines. */

/** Its multiples lie more evenly between whole numbers than any other's. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Places of the elements that are taken of a row: all, or of very many one out of each of `MOST_TAKEN`
 * stretches, each time at another place within; with even steps one might see four columns only of an image
 * 256 wide.
 */
export function elementPlaces(width: number): Int32Array<ArrayBuffer> {
  const count = Math.min(width, MOST_TAKEN);
  const start = (i: number): number => Math.floor((i * width) / count);
  return Int32Array.from(
    { length: count },
    (_, i) => start(i) + Math.floor(((i * GOLDEN) % 1) * (start(i + 1) - start(i))),
  );
}

/** Share of a row's square below which components of 32 bits cannot tell what they leave from nothing. */
const LEAST = 1e-6;

/**
 * @returns of the elements at a row's places: the root of the mean square, in standard deviations of each
 * element, of what the components leave of their distance from the mean (the reconstruction error of
 * principal component analysis); NaN where one of them is not finite
 */
export function createResidual(
  parts: Pick<Components, 'mean' | 'scale' | 'axes'>,
): (taken: ArrayLike<number>) => number {
  const [mean, scale, axes] = [floatsOf(parts.mean), floatsOf(parts.scale), floatsOf(parts.axes)];
  const size = mean.length;
  const row = new Float64Array(size);
  return (taken) => {
    let all = 0;
    for (let i = 0; i < size; i++) {
      const apart = ((taken[i] as number) - (mean[i] as number)) * (scale[i] as number);
      row[i] = apart;
      all += apart * apart;
    }
    let explained = 0;
    for (let start = 0; start < axes.length; start += size) explained += dot(axes, start, row) ** 2;
    const rest = all - explained;
    return rest <= LEAST * all ? 0 : Math.sqrt(rest / size);
  };
}

/** Adds up four sums: one would wait for each addition to end. */
function dot(axes: Float64Array, start: number, row: Float64Array): number {
  const size = row.length;
  const even = size - (size % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += (axes[start + i] as number) * (row[i] as number);
    b += (axes[start + i + 1] as number) * (row[i + 1] as number);
    c += (axes[start + i + 2] as number) * (row[i + 2] as number);
    d += (axes[start + i + 3] as number) * (row[i + 3] as number);
  }
  for (let i = even; i < size; i++) a += (axes[start + i] as number) * (row[i] as number);
  return a + b + (c + d);
}

/**
 * As numbers of 64 bits, which nothing has to be turned into again; Lambda's processors keep the lower byte
 * first.
 */
const floatsOf = (base64: string): Float64Array =>
  Float64Array.from(new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer));
