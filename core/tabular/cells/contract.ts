/**
 * Consecutive rows of an object. As an item of `_PLAN.json` it is what one run of the map is given.
 * `from`, `to`: bytes of the object for csv and jsonl (of the unpacked text where it is gzip), rows for npy
 * and parquet; `to` is exclusive.
 */
export type Part = {
  /** From 0. */
  readonly part: number;
  readonly from: number;
  readonly to: number;
  /** Rows of the object before it, headers not counted. */
  readonly row: number;
  /** csv and jsonl: the line, from 1, that `from` is the start of. */
  readonly line?: number;
};
