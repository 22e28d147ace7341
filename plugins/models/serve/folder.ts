import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilInterrupted } from './interrupt.ts';

/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * A folder for as long as the work takes; gone also where Ctrl-C ends the process in the middle of it.
 * @param isHeard the work itself hears signals, and comes to its end then
 */
export async function inFolder<T>(
  work: (folder: string) => Promise<T>,
  { isHeard = false }: { readonly isHeard?: boolean } = {},
): Promise<T> {
  const over = new AbortController();
  // The framework would end the process by the signal, and what is to be done at its exit would not be.
  if (!isHeard)
    void untilInterrupted(over.signal).then(() => {
      if (!over.signal.aborted) process.exit(INTERRUPTED);
    });
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  try {
    return await work(folder);
  } finally {
    over.abort();
    process.off('exit', discard);
    discard();
  }
}
