/**
 * Benjamini and Hochberg (1995): of those called drifted, at most a share `q` is not, on average; and where
 * nothing drifted, anything is called so with probability `q` at most.
 * @param ps p-values, one a signal
 * @returns for each of them whether it is called drifted
 */
export function hochberg(ps: readonly number[], q: number): readonly boolean[] {
  const sorted = [...ps].sort((a, b) => a - b);
  const last = sorted.findLastIndex((p, i) => p <= (q * (i + 1)) / sorted.length);
  const limit = sorted[last] ?? Number.NEGATIVE_INFINITY;
  return ps.map((p) => p <= limit);
}
