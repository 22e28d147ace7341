import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a shell expects of a command that Ctrl-C ended. */
const INTERRUPTED = 130;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A folder for as long as the work takes; gone also where Ctrl-C ends the process in the middle of it.
 * @param isHeard somebody else hears signals: the work comes to its end then, or the process exits
 */
export async function inFolder<T>(
  work: (folder: string) => Promise<T>,
  { isHeard = false }: { readonly isHeard?: boolean } = {},
): Promise<T> {
  // At once: a signal while it is made would leave it.
  const folder = mkdtempSync(join(tmpdir(), 'serverless-models-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  // The framework would end the process by the signal, and what is to be done at its exit would not be.
  const exit = (): void => process.exit(INTERRUPTED);
  if (!isHeard) for (const signal of SIGNALS) process.once(signal, exit);
  try {
    return await work(folder);
  } finally {
    for (const signal of SIGNALS) process.off(signal, exit);
    process.off('exit', discard);
    discard();
  }
}
