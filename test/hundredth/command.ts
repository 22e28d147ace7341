import { type ChildProcess, execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** It ends what hangs; a slow hour takes a third of it. */
const LIMIT_MS = 1_200_000;
/** For tests and hooks that wait for it. */
export const PATIENCE_MS = LIMIT_MS + 60_000;

export type Ran = {
  readonly code: number;
  /** Lines of standard output. */
  readonly lines: readonly string[];
  /** The other stream: progress, and why something could not be run. */
  readonly progress: string;
};

/** Runs a program of this repository to its end, whatever that is. */
export const command = (file: string, ...args: readonly string[]): Promise<Ran> =>
  commandWith({}, file, args);

/**
 * The same with some variables of its own.
 *
 * @param started gets the process while it runs, and each piece of its standard output
 */
export function commandWith(
  env: Readonly<Record<string, string>>,
  file: string,
  args: readonly string[],
  started: (child: ChildProcess, text: string) => void = () => {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, file), ...args],
      { cwd: root, timeout: LIMIT_MS, killSignal: 'SIGKILL', env: { ...process.env, ...env } },
      (error, stdout, stderr) =>
        resolve({
          code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1,
          lines: stdout.split('\n').filter((line) => line !== ''),
          progress: error?.killed ? `${stderr}\nkilled after ${LIMIT_MS} ms` : stderr,
        }),
    );
    child.stdout?.on('data', (text: string) => started(child, text));
  });
}
