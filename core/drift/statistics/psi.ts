/** Rows that every cell is given on top, so that an empty one has a logarithm. */
const SMOOTHING = 0.5;

/**
 * Population stability index Σ(p−q)·ln(p/q) over the cells. Reported because people ask for it; nothing is
 * decided by it: its mean where nothing changed is about (cells − 1)(1/n + 1/m), so no fixed limit fits.
 * @param reference rows by cell @param live rows of the window by cell
 * @returns nothing where there are no rows on either side
 */
export function psi(reference: readonly number[], live: readonly number[]): number | undefined {
  const cells = reference.length;
  const total = (counts: readonly number[]): number =>
    reference.reduce((sum, _, i) => sum + (counts[i] ?? 0), 0);
  const [n, m] = [total(live), total(reference)];
  if (!(n > 0 && m > 0)) return undefined;
  const share = (count: number, of: number): number => (count + SMOOTHING) / (of + SMOOTHING * cells);
  return reference.reduce((sum, count, i) => {
    const [p, q] = [share(live[i] ?? 0, n), share(count, m)];
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}
