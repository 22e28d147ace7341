/** Milliseconds: exporters write a model in several steps, and what is read between them is half of it. */
export const SETTLE_MS = 400;

/** Milliseconds after which nobody waits any more for a file that is written all the time, as a log is. */
const WRITTEN_MS = 10_000;

/** Since when a file is being written, and when that was heard last: milliseconds of any clock. */
export type BeingWritten = { readonly first: number; readonly last: number };

export const writtenAt = (before: BeingWritten | undefined, now: number): BeingWritten => ({
  first: before !== undefined && now - before.last < SETTLE_MS ? before.first : now,
  last: now,
});

/** @returns names of the files to be told of: all that have settled, once none is waited for; else none */
export function settledFiles(files: ReadonlyMap<string, BeingWritten>, now: number): readonly string[] {
  const settled: string[] = [];
  for (const [name, { first, last }] of files) {
    if (now - last >= SETTLE_MS) settled.push(name);
    else if (now - first < WRITTEN_MS) return [];
  }
  return settled;
}
