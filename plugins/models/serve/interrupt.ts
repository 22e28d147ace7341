/** Nobody reads any more: the pipe's reader has ended, or the terminal is closed. */
const UNREAD: readonly unknown[] = ['EPIPE', 'EIO'];

/**
 * That nobody reads any more what is written interrupts, too: it would end the process before anything is
 * removed. After an interruption nothing that is written fails, since the same Ctrl-C ends `tee`, and closing
 * a terminal takes it away before its signal is heard.
 *
 * @param over lets go of signals and of what is written, too
 * @returns resolves at the first SIGINT, SIGTERM or SIGHUP, and then lets go of them: a second one ends the
 * process as usual
 */
export function untilInterrupted(over?: AbortSignal): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const streams = [process.stdout, process.stderr];
  return new Promise((resolve) => {
    let isInterrupted = false;
    const unwritten = (error: NodeJS.ErrnoException): void => {
      if (isInterrupted) return;
      if (!UNREAD.includes(error.code)) throw error;
      end();
    };
    const end = (): void => {
      isInterrupted = true;
      for (const signal of signals) process.off(signal, end);
      resolve();
    };
    for (const signal of signals) process.on(signal, end);
    for (const stream of streams) stream.on('error', unwritten);
    over?.addEventListener(
      'abort',
      () => {
        if (!isInterrupted) for (const stream of streams) stream.off('error', unwritten);
        end();
      },
      { once: true },
    );
  });
}
