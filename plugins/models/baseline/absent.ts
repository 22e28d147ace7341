import { windowsOf } from './numeric.ts';

/** Standard deviations of a mean of chi² that chance does not reach: each has a variance of 2. */
const CLEARLY = 3.5;
/** Rows without a value, of which fewer may lie together by chance. */
const LEAST = 10;

/**
 * How much more the number of rows without a value differs from window to window than chance makes it: mean
 * of chi² over windows, each against all other rows. A sensor that is out is so for some time.
 *
 * @param all a value a row, in the order of the file; what is not finite is none
 * @returns undefined where chance explains it
 */
export function nullsPhiOf(all: ArrayLike<number>): number | undefined {
  const count = all.length;
  const isNull = (row: number): number => (Number.isFinite(all[row] as number) ? 0 : 1);
  let nulls = 0;
  for (let row = 0; row < count; row++) nulls += isNull(row);
  const windows = windowsOf(count);
  if (nulls < LEAST || nulls === count || windows.length === 0) return undefined;
  let sum = 0;
  for (const { start, end } of windows) {
    let here = 0;
    for (let row = start; row < end; row++) here += isNull(row);
    const [n, m] = [end - start, count - (end - start)];
    const difference = here * Math.sqrt(m / n) - (nulls - here) * Math.sqrt(n / m);
    sum += difference * difference * (1 / nulls + 1 / (count - nulls));
  }
  const phi = sum / windows.length;
  return phi > 1 + CLEARLY * Math.sqrt(2 / windows.length) ? phi : undefined;
}
