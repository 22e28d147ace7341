import { MINUTE_MS } from '../units/time.ts';
import type { Side } from './contract.ts';

/**
 * Both versions in one minute of a release. `at`: its start, ISO; `weight`: the candidate's share, 0 to 1.
 */
export type Minute = {
  readonly at: string;
  /** Index of the step that was under way. */
  readonly step: number;
  readonly weight: number;
  readonly candidate: Side;
  readonly stable: Side;
};

/** Milliseconds in which a data point comes. */
const COMES_MS = MINUTE_MS;

/**
 * Milliseconds since its end after which a minute is judged. Lambda counts a request of the minute in which
 * it began, when it has ended:
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#invocation-metrics
 */
const settled = (timeout: number): number => Math.max(2 * MINUTE_MS, timeout * 1000 + COMES_MS);

/**
 * Seconds from a change of weight until a minute of it may be judged, at most: what is left of the minute of
 * the change, which does not count, the minute itself, and its time to settle.
 *
 * @param timeout seconds that a request may take
 */
export const firstJudged = (timeout = 0): number => (2 * MINUTE_MS + settled(timeout)) / 1000;

/**
 * The minutes that may be judged, oldest first: complete, over for two minutes (where requests may take
 * longer than one, for so long and a minute), without a change of weight inside, and with both versions in
 * traffic, since the test is about the coin that chooses between them. Read all of them again at every look;
 * then points that come later still do no harm.
 *
 * @param now milliseconds since 1970
 * @param weightChanges when the alias was written, ISO
 * @param timeout seconds that a request may take
 */
export function usable(
  minutes: readonly Minute[],
  now: number,
  weightChanges: readonly string[],
  timeout = 0,
): readonly Minute[] {
  const changes = weightChanges.map(Date.parse);
  return minutes
    .map((minute) => ({ minute, start: Date.parse(minute.at) }))
    .filter(
      ({ minute: { weight }, start }) =>
        weight > 0 &&
        weight < 1 &&
        start + MINUTE_MS + settled(timeout) <= now &&
        !changes.some((change) => change >= start && change < start + MINUTE_MS),
    )
    .sort((a, b) => a.start - b.start)
    .map(({ minute }) => minute);
}
