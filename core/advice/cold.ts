import { coldShare, IDLE_SECONDS } from '../capacity/environments/cold-share.ts';
import type { DayPart } from './load.ts';

/**
 * Share of a day's requests that meet a cold start.
 *
 * @param service seconds of a request
 * @param kept environments that are always warm
 */
export function coldShareOfDay(parts: readonly DayPart[], service: number, kept = 0): number {
  let [cold, all] = [0, 0];
  for (const { rate, share } of parts) {
    const requests = share * rate;
    cold += requests * coldShare({ rate, service, idle: IDLE_SECONDS, kept });
    all += requests;
  }
  return all > 0 ? cold / all : 0;
}
