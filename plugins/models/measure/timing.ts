import { performance } from 'node:perf_hooks';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Timing } from '../../../core/capacity/generator.ts';

/**
 * Milliseconds before its time from which a pause looks at the clock at each turn of the event loop. Timers
 * count whole milliseconds and fire up to two of them late; at a rate of some hundred requests a second this
 * takes all of one core.
 */
const CLOSE = 2;

/** Time as a generator needs it: exact, and over at once when it is interrupted. */
export const exactTiming = (ended: AbortSignal): Timing => ({
  clock: () => performance.now(),
  pause: async (milliseconds) => {
    const until = performance.now() + milliseconds;
    if (milliseconds > CLOSE)
      await sleep(Math.floor(milliseconds - CLOSE), undefined, { signal: ended }).catch(() => {});
    while (performance.now() < until && !ended.aborted) await turn();
  },
});
