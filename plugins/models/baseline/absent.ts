import { phiOf } from './category.ts';
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
  // `Uint8Array.from` would list the values first: another 100 MB for a million rows.
  const cells = new Uint8Array(all.length);
  let nulls = 0;
  for (let row = 0; row < all.length; row += 1)
    if (!Number.isFinite(all[row])) {
      cells[row] = 1;
      nulls += 1;
    }
  const windows = windowsOf(all.length).length;
  if (nulls < LEAST || windows === 0) return undefined;
  const phi = phiOf(cells, [all.length - nulls, nulls]);
  return phi > 1 + CLEARLY * Math.sqrt(2 / windows) ? phi : undefined;
}
