/**
 * A clock that leaps to the next thing that waits: hours of a load in milliseconds, and every run the same.
 */
export function virtualTime() {
  let now = 0;
  let count = 0;
  const waiting: { readonly at: number; readonly order: number; readonly wake: () => void }[] = [];
  return {
    clock: (): number => now,
    pause: (milliseconds: number): Promise<void> =>
      new Promise((wake) => {
        waiting.push({ at: now + Math.max(0, milliseconds), order: count++, wake });
      }),
    /** Runs until the work is done. @throws where it waits for nothing that will come */
    run: async <T>(work: Promise<T>): Promise<T> => {
      let done = false;
      const settled = work.finally(() => {
        done = true;
      });
      settled.catch(() => {});
      while (!done) {
        // Whatever can go on without time passing does so first.
        await new Promise((resolve) => setImmediate(resolve));
        if (done) break;
        waiting.sort((a, b) => a.at - b.at || a.order - b.order);
        const next = waiting.shift();
        if (next === undefined) throw new Error('nothing to wait for');
        now = Math.max(now, next.at);
        next.wake();
      }
      return settled;
    },
  };
}
