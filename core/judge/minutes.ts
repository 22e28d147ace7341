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

/** Milliseconds since its end after which a minute is judged: data points come late. */
const SETTLED = 2 * MINUTE_MS;

/**
 * The minutes that may be judged, oldest first: complete, over for two minutes, without a change of weight
 * inside, and with both versions in traffic, since the test is about the coin that chooses between them. Read
 * all of them again at every look; then points that come later still do no harm.
 *
 * @param now milliseconds since 1970
 * @param weightChanges when the alias was written, ISO
 */
export function usable(
  minutes: readonly Minute[],
  now: number,
  weightChanges: readonly string[],
): readonly Minute[] {
  const changes = weightChanges.map(Date.parse);
  return minutes
    .map((minute) => ({ minute, start: Date.parse(minute.at) }))
    .filter(
      ({ minute: { weight }, start }) =>
        weight > 0 &&
        weight < 1 &&
        start + MINUTE_MS + SETTLED <= now &&
        !changes.some((change) => change >= start && change < start + MINUTE_MS),
    )
    .sort((a, b) => a.start - b.start)
    .map(({ minute }) => minute);
}
