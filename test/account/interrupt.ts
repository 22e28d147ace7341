import { say } from './say.ts';

/** Milliseconds in which the same Ctrl-C may come twice: from the terminal, and passed on by our parent. */
const SAME = 1000;

/**
 * Ctrl-C and its like: the first ends what is under way, so that everything is removed; the second ends the
 * program.
 */
export function interrupts(): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController();
  let first = Number.NaN;
  const heard = (): void => {
    if (controller.signal.aborted && performance.now() - first < SAME) return;
    if (controller.signal.aborted) {
      say('Ended before all was removed. Run: npm run account -- --clean');
      process.exit(130);
    }
    say('\nInterrupted. What was made is removed now; a second time ends that, too.');
    first = performance.now();
    controller.abort(new Error('It was interrupted.'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, heard);
  return {
    signal: controller.signal,
    done: () => {
      for (const signal of signals) process.off(signal, heard);
    },
  };
}

/**
 * Work that is over after some minutes, or once it is interrupted.
 *
 * @param given it is told when its time is over
 */
export async function within<T>(
  minutes: number,
  interrupted: AbortSignal,
  work: (given: AbortSignal) => Promise<T>,
): Promise<T> {
  const time = new AbortController();
  const timer = setTimeout(
    () => time.abort(new Error(`It was not done within ${minutes} minutes.`)),
    minutes * 60_000,
  );
  const signal = AbortSignal.any([interrupted, time.signal]);
  try {
    return await Promise.race([
      work(signal),
      new Promise<never>((_, reject) => {
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    // What still waits hears of it.
    if (!time.signal.aborted) time.abort(new Error('Its check is over.'));
  }
}
