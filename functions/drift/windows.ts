/**
 * Which windows are to be judged. They lie on the wall clock, which in UTC has no daylight saving: a window that slides would
 * test the same rows again and again, and alarm many times as often.
 */

/** Milliseconds. */
export type Window = { readonly from: number; readonly to: number };

/** Seconds that a line may take to be found in the log. */
export const LATE = 120;

/** After an outage so many windows are made good. */
export const CATCH_UP = 24;

/** @returns the last windows that are complete at `now`, at most CATCH_UP, oldest first; @param seconds a window's length */
export function completeWindows(now: number, seconds: number): readonly Window[] {
  const length = seconds * 1000;
  const end = Math.floor((now - LATE * 1000) / length) * length;
  return Array.from({ length: CATCH_UP }, (_, index) => {
    const to = end - (CATCH_UP - 1 - index) * length;
    return { from: to - length, to };
  }).filter(({ from }) => from >= 0);
}

export const windowBefore = ({ from, to }: Window): Window => ({ from: 2 * from - to, to: from });

/** Name of a window's document: its start, without what some file systems do not take. */
export const nameOf = ({ from }: Window): string =>
  new Date(from)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '');

/** @returns milliseconds; undefined where it is no such name */
export function startOf(name: string): number | undefined {
  const [, date, hours, minutes, seconds] = /^(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)Z$/.exec(name) ?? [];
  const at = Date.parse(`${date}${hours}:${minutes}:${seconds}Z`);
  return Number.isFinite(at) ? at : undefined;
}

export type Due = {
  readonly windows: readonly Window[];
  /** What lies between the last document and these windows, which is too long ago. */
  readonly missed?: Window;
};

/** Starts of the oldest and of the newest window that have a document. */
export type History = { readonly first: number; readonly last: number };

/**
 * @param complete oldest first
 * @param written names of those that have a document
 * @param history of all documents, asked for where the oldest of `complete` has none; undefined where there is none at all
 */
export function dueWindows(
  complete: readonly Window[],
  written: ReadonlySet<string>,
  history: History | undefined,
): Due {
  const [oldest] = complete;
  if (oldest === undefined) return { windows: [] };
  const isDue = (window: Window): boolean => !written.has(nameOf(window));
  if (!isDue(oldest)) return { windows: complete.filter(isDue) };
  // A model that is watched for the first time has nothing to make good.
  if (history === undefined) return { windows: complete.slice(-1) };
  const { first, last } = history;
  const windows = complete.filter((window) => isDue(window) && window.from > first);
  const missed = { from: last + (oldest.to - oldest.from), to: oldest.from };
  return { windows, ...(missed.from < missed.to && { missed }) };
}
