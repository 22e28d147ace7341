/** Progress, for people. */

export const say = (line: string): void => console.log(line);

/** Seconds after which somebody who waits wants to know. */
const STILL = 15;

/** Says what is done, that it still is, and how long it took. */
export async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = Date.now();
  const seconds = (): string => `${((Date.now() - began) / 1000).toFixed(0)} s`;
  say(`${what} …`);
  const timer = setInterval(() => say(`  still ${what}, ${seconds()}`), STILL * 1000);
  try {
    const done = await work();
    say(`  ${seconds()}`);
    return done;
  } finally {
    clearInterval(timer);
  }
}
