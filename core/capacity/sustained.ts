import { CHANCE } from './chance.ts';

/** Answers in the last third of a run against its first third. */
export type Sustained = {
  /** Last ÷ first; undefined where the first third has none. */
  readonly ratio?: number;
  /** Answers a second of the last third. */
  readonly rate: number;
  /** What was asked for in the same way: last ÷ first of the requests' own times. */
  readonly offered?: number;
  /** Fewer answers in the last third than chance would make it. */
  readonly isFalling: boolean;
};

/** A difference that is smaller does not matter to anybody. */
const SMALL = 0.05;

/**
 * @param done when each request was answered; @param scheduled when each was to be sent
 * @param length of the run; all milliseconds from its start
 */
export function sustained(done: readonly number[], scheduled: readonly number[], length: number): Sustained {
  const third = length / 3;
  const within = (times: readonly number[], from: number, to: number): number =>
    times.reduce((count, at) => count + (at >= from && at < to ? 1 : 0), 0);
  const [first, last] = [within(done, 0, third), within(done, 2 * third, length)];
  const [offeredFirst, offeredLast] = [within(scheduled, 0, third), within(scheduled, 2 * third, length)];
  const ratio = first > 0 ? last / first : undefined;
  const offered = offeredFirst > 0 ? offeredLast / offeredFirst : undefined;
  // Both thirds are counts, and what was asked for explains its part of the difference.
  const expected = offered === undefined ? first : first * Math.min(1, offered);
  const noise = CHANCE * Math.sqrt(Math.max(1, first + last));
  return {
    ...(ratio !== undefined && { ratio }),
    rate: third > 0 ? (last * 1000) / third : 0,
    ...(offered !== undefined && { offered }),
    isFalling: expected - last > Math.max(noise, SMALL * expected),
  };
}
