/** Progress, for people. */

/**
 * Nobody may read along any more: the terminal was closed, or Ctrl-C has ended the `tee` behind a pipe, too.
 * What is written then fails, and must not end a removal.
 */
export function speakOn(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

export const say = (line: string): void => console.log(line);

/** Seconds after which somebody who waits wants to know: by AWS’s clock, and by ours. */
const STILL = 15;
const AT_LEAST = 5;

/** Says what is done, that it still is, and how long it took. */
export async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  const seconds = (): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  say(`${what} …`);
  let shown = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - shown < AT_LEAST * 1000) return;
    shown = performance.now();
    say(`  still ${what}, ${seconds()}`);
  }, STILL * 1000);
  try {
    const done = await work();
    say(`  ${seconds()}`);
    return done;
  } finally {
    clearInterval(timer);
  }
}
