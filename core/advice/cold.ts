import { coldShare, IDLE_SECONDS } from '../capacity/environments/cold-share.ts';
import type { DayPart } from './load.ts';

/**
 * Share of a day's requests that meet a cold start on Lambda. What a part of the day leaves warm for the next
 * one is not looked at: that is a few starts a day.
 *
 * @param kept environments that are always warm
 */
export function coldShareOfDay(parts: readonly DayPart[], service: number, kept = 0): number {
  let [cold, all] = [0, 0];
  for (const { rate, share } of parts) {
    cold += share * rate * coldShare({ rate, service, idle: IDLE_SECONDS, kept });
    all += share * rate;
  }
  return all > 0 ? cold / all : 0;
}
