import { CHANCE } from './chance.ts';

/** Whether a target kept up with what it was sent. */
export type Backlog = {
  /** Requests that waited when the last one was sent. */
  readonly waiting: number;
  /** Share of the requests that were answered by then. */
  readonly answered: number;
  /** It falls behind without end. */
  readonly isGrowing: boolean;
};

/** Fewer answers than this share of the requests are looked at. */
const BEHIND = 0.95;
/** What waits at the end, against half-way: it doubles where the queue grows evenly. */
const GROWTH = 1.4;

/**
 * @param times when each request was to be sent, and when it was answered (Infinity: never)
 * @param length of the run; all milliseconds from its start
 */
export function backlog(
  times: readonly { readonly scheduled: number; readonly done: number }[],
  length: number,
): Backlog {
  const waitingAt = (at: number): number =>
    times.reduce((count, { scheduled, done }) => count + (scheduled <= at && done > at ? 1 : 0), 0);
  const [half, waiting] = [waitingAt(length / 2), waitingAt(length)];
  const answered = times.length === 0 ? 1 : 1 - waiting / times.length;
  return {
    waiting,
    answered,
    isGrowing:
      answered < BEHIND && waiting > GROWTH * half && waiting - half > CHANCE * Math.sqrt(waiting + half),
  };
}

/** Most requests that were out at once. */
export function mostOutstanding(
  times: readonly { readonly issued: number; readonly done: number }[],
): number {
  const begun = Float64Array.from(times, ({ issued }) => issued).sort();
  const ended = Float64Array.from(times, ({ done }) => done).sort();
  let [most, gone] = [0, 0];
  for (let i = 0; i < begun.length; i += 1) {
    while (gone < ended.length && (ended[gone] ?? 0) <= (begun[i] ?? 0)) gone += 1;
    most = Math.max(most, i + 1 - gone);
  }
  return most;
}
