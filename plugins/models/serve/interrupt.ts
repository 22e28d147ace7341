/**
 * @param over lets go of the signals, too
 * @returns resolves at the first SIGINT, SIGTERM or SIGHUP, and then lets go of them: a second one ends the
 * process as usual
 */
export function untilInterrupted(over?: AbortSignal): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of signals) process.off(signal, end);
      resolve();
    };
    for (const signal of signals) process.on(signal, end);
    over?.addEventListener('abort', end, { once: true });
  });
}
