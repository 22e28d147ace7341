import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks until there is an answer. @param every seconds
 * @throws Error where there is none after `patience` seconds, or `signal` ends it
 */
export async function until<T>(
  what: string,
  {
    patience,
    every = 2,
    signal,
  }: { readonly patience: number; readonly every?: number; readonly signal: AbortSignal },
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + patience * 1000;
  for (;;) {
    signal.throwIfAborted();
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() >= end) throw new Error(`${what}: not within ${patience} s.`);
    await pause(every * 1000, undefined, { signal });
  }
}
