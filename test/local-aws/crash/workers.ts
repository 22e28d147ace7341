import { type ChildProcess, fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = join(dirname(fileURLToPath(import.meta.url)), 'worker-process.ts');

/** As functions of the local AWS have it: a start clears less of what it made. */
const YOUNG = ['--max-semi-space-size=25', '--min-semi-space-size=16'];

/** What came of an invocation: an answer, a failure of the function, or the end of its process. */
export type Invoked = { readonly answer: unknown } | { readonly error: string } | 'died';

export type Workers = {
  /**
   * Invokes the worker at a time of its clock (milliseconds); in the environment of the invocation before, if
   * that lives.
   */
  readonly invoke: (event: unknown, now: number) => Promise<Invoked>;
  /** SIGKILL, now. */
  readonly kill: () => void;
  readonly close: () => void;
};

/** The worker’s processes: one that runs, and one that is ready to follow it. */
export function workers(
  bundle: string,
  arn: string,
  env: Readonly<Record<string, string>>,
  log: string,
): Workers {
  const output = openSync(log, 'a');
  const start = (): { readonly child: ChildProcess; readonly ready: Promise<unknown> } => {
    const child = fork(script, [bundle, arn], {
      env,
      execArgv: [...process.execArgv, ...YOUNG],
      stdio: ['ignore', output, output, 'ipc'],
    });
    const ready = new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) =>
        reject(new Error(`the worker ended at its start with ${code}: see ${log}`)),
      );
    });
    // Whoever invokes it hears of it.
    ready.catch(() => {});
    return { child, ready };
  };
  let current = start();
  let spare = start();
  return {
    invoke: async (event, now) => {
      if (current.child.exitCode !== null || current.child.signalCode !== null) {
        current = spare;
        spare = start();
      }
      const { child, ready } = current;
      await ready;
      return new Promise((resolve) => {
        const died = (): void => resolve('died');
        child.once('exit', died);
        child.once('message', (answer) => {
          child.off('exit', died);
          resolve(answer as Invoked);
        });
        child.send({ event, now });
      });
    },
    kill: () => current.child.kill('SIGKILL'),
    close: () => {
      for (const { child } of [current, spare]) child.kill('SIGKILL');
    },
  };
}
