import { setTimeout as pause } from 'node:timers/promises';

export type Steadily = {
  /** How many could not be sent, or were not answered. */
  readonly lost: () => number;
  /** Ends it, and waits for the last one. */
  readonly stop: () => Promise<void>;
};

/**
 * Does something again and again until it is stopped or `signal` ends it. One that fails ends nothing: of
 * thousands over a person's network some do, and nobody waits for this promise meanwhile, so that its failure
 * would end the program with everything left.
 *
 * @param apart milliseconds between two
 */
export function steadily(apart: number, signal: AbortSignal, work: () => Promise<unknown>): Steadily {
  const over = new AbortController();
  let lost = 0;
  const going = (async () => {
    while (!over.signal.aborted && !signal.aborted) {
      await work().catch(() => {
        lost += 1;
      });
      await pause(apart);
    }
  })();
  return {
    lost: () => lost,
    stop: () => {
      over.abort();
      return going;
    },
  };
}
