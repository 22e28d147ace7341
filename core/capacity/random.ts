/**
 * Chance that can be had again: the same seed gives the same numbers, from 0 to 1, 1 excluded. Tommy
 * Ettinger's mulberry32, whose period of 2³² is far beyond any run of requests.
 * https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
