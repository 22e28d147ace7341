/**
 * Which windows are to be judged. They lie on the wall clock, which in UTC has no daylight saving: a window
 * that slides would test the same rows again and again, and alarm many times as often.
 */

import { DAY_MS } from '../units/time.ts';

/** Milliseconds. */
export type Span = { readonly from: number; readonly to: number };

/** Seconds that a line may take to be found in the log. */
const LATE = 120;

/** Windows that are judged later at most, after an outage. */
export const CATCH_UP = 24;

/**
 * @param seconds a window's length
 * @returns the last windows that are complete at `now`, at most `count`, oldest first
 */
export function completeWindows(now: number, seconds: number, count = CATCH_UP): readonly Span[] {
  const length = seconds * 1000;
  const end = Math.floor((now - LATE * 1000) / length) * length;
  return Array.from({ length: count }, (_, index) => {
    const to = end - (count - 1 - index) * length;
    return { from: to - length, to };
  }).filter(({ from }) => from >= 0);
}

export const windowBefore = ({ from, to }: Span): Span => ({ from: 2 * from - to, to: from });

/**
 * A time as names have it: without characters that some file systems refuse, and in order when names are
 * sorted.
 */
const stampOf = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '');

/**
 * Name of a window's document: its start, and its length in seconds, since windows of another length may
 * start with it.
 */
export const windowName = ({ from, to }: Span): string => `${stampOf(from)}-${(to - from) / 1000}`;

/** Name of a window's document before names had a length. */
export const oldNameOf = ({ from }: Span): string => stampOf(from);

/** What a name tells of a window: of an old one its start alone. */
export type Named = Pick<Span, 'from'> & { readonly to?: number };

/** @returns undefined where it is no such name */
export function windowNamed(name: string): Named | undefined {
  const [, date, hours, minutes, seconds, length] =
    /^(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)Z(?:-([1-9]\d{0,5}))?$/.exec(name) ?? [];
  const from = Date.parse(`${date}${hours}:${minutes}:${seconds}Z`);
  if (!Number.isFinite(from)) return undefined;
  return { from, ...(length !== undefined && { to: from + Number(length) * 1000 }) };
}

/** Windows of the earliest and of the latest document. */
export type History = { readonly first: Span; readonly last: Span };

/**
 * What is known of a model's windows: those of documents that begin within the windows that are looked at, or
 * two days before.
 */
type Kept = readonly Span[];

const lengthOf = ({ from, to }: Span): number => to - from;

/** @returns until when windows of another length were judged; undefined where there are none */
function changeOf(kept: Kept, length: number): number | undefined {
  const ends = kept.filter((window) => lengthOf(window) !== length).map(({ to }) => to);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/**
 * How many windows to look at. Where the length has changed, those since the last one of the other length,
 * too: a day that was not over has up to 288 of five minutes, and nobody has looked at any of it.
 */
export function reachOf(complete: readonly Span[], kept: Kept): number {
  const [oldest] = complete;
  const change = oldest && changeOf(kept, lengthOf(oldest));
  if (oldest === undefined || change === undefined) return CATCH_UP;
  // No window is longer than a day.
  const since = Math.max(0, Math.min(DAY_MS, oldest.from - change));
  return CATCH_UP + Math.ceil(since / lengthOf(oldest));
}

/**
 * Is a window to be judged? It has no document, and is not as a whole of a time that windows of another
 * length have judged. One of which they have judged a part is: nobody else looks at the rest.
 */
function dueIn(complete: readonly Span[], kept: Kept): (window: Span) => boolean {
  const [oldest] = complete;
  const names = new Set(kept.map(windowName));
  const change = (oldest && changeOf(kept, lengthOf(oldest))) ?? Number.NEGATIVE_INFINITY;
  return (window) => !names.has(windowName(window)) && window.to > change;
}

/** Is the oldest one due? Then `dueWindows` needs the history. */
export const isGap = (complete: readonly Span[], kept: Kept): boolean =>
  complete.slice(0, 1).some(dueIn(complete, kept));

export type Due = {
  readonly windows: readonly Span[];
  /** What lies between the last document and these windows, which is too long ago. */
  readonly missed?: Span;
};

/**
 * @param complete oldest first
 * @param history of all documents, asked for where there is a gap; undefined where there is none at all
 */
export function dueWindows(complete: readonly Span[], kept: Kept, history: History | undefined): Due {
  const [oldest] = complete;
  const due = complete.filter(dueIn(complete, kept));
  if (oldest === undefined || due[0] !== oldest) return { windows: due };
  // A model that is watched for the first time has nothing to make good.
  if (history === undefined) return { windows: complete.slice(-1) };
  const { first, last } = history;
  // By ends: what was watched from ten o'clock on has a part of its first day.
  const windows = due.filter(({ to }) => to > first.to);
  const until = Math.max(last.to, changeOf(kept, lengthOf(oldest)) ?? 0);
  return { windows, ...(until < oldest.from && { missed: { from: until, to: oldest.from } }) };
}
