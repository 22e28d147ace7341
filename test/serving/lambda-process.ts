import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from './lambda-child.ts';

/** How an invocation ended. `crash` and `timeout` cost the process; the next request starts another. */
type Invocation =
  | { readonly answer: unknown }
  | { readonly failure: 'timeout' | 'crash' | 'error'; readonly text: string };

export type EndpointOptions = {
  /** Absolute path of `handler.mjs`. */
  readonly file: string;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Seconds a request. */
  readonly timeout: number;
  /** Lines that the handler writes. */
  readonly log: (line: string) => void;
};

/** A handler in a process of its own, one request at a time, as in Lambda's execution environment. */
export type LocalEndpoint = {
  /** Starts the process, unless it runs. @throws what its initialisation threw */
  readonly start: () => Promise<void>;
  readonly invoke: (event: unknown) => Promise<Invocation>;
  /** Lets what was asked finish, then ends the process; at once when `now`. */
  readonly stop: (now?: boolean) => Promise<void>;
};

/** Lambda cuts initialisation at 10 s; a laptop that reads a model for the first time is given more. */
const INIT_MS = 60_000;

const CHILD = fileURLToPath(new URL('./lambda-child.ts', import.meta.url));

/** Every child of this process, so that none outlives it. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export function endpoint({ file, env, timeout, log }: EndpointOptions): LocalEndpoint {
  let running: Promise<ChildProcess> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let count = 0;

  const start = (): Promise<ChildProcess> => {
    if (running !== undefined) return running;
    const starting = launch(file, env, log);
    running = starting;
    const forget = (): void => {
      if (running === starting) running = undefined;
    };
    starting.then((child) => child.once('exit', forget), forget);
    return starting;
  };

  const run = async (event: unknown): Promise<Invocation> => {
    let child: ChildProcess;
    try {
      child = await start();
    } catch (error) {
      return { failure: 'crash', text: error instanceof Error ? error.message : String(error) };
    }
    const invocation = await ask(child, ++count, event, timeout);
    if ('failure' in invocation && invocation.failure !== 'error') {
      running = undefined;
      await kill(child);
    }
    return invocation;
  };

  return {
    start: async () => {
      await start();
    },
    invoke(event) {
      const result = last.then(() => run(event));
      last = result.catch(() => {});
      return result;
    },
    async stop(now = false) {
      if (!now) await last;
      const child = await running?.catch(() => undefined);
      running = undefined;
      if (child !== undefined) await kill(child);
    },
  };
}

async function launch(
  file: string,
  env: EndpointOptions['env'],
  log: EndpointOptions['log'],
): Promise<ChildProcess> {
  const child = fork(CHILD, [file], {
    env: { ...env },
    execArgv: ['--enable-source-maps'],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', log);
  }
  const first = await new Promise<Report | string>((resolve) => {
    const timer = setTimeout(() => resolve(`It was not ready after ${INIT_MS / 1000} s.`), INIT_MS);
    const settle = (outcome: Report | string): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    child.once('message', (message) => settle(message as Report));
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`Its process ended at start (${signal ?? code}).`));
  });
  if (typeof first !== 'string' && 'ready' in first) return child;
  await kill(child);
  throw new Error(typeof first === 'string' ? first : 'error' in first ? first.error : 'It did not start.');
}

function ask(child: ChildProcess, id: number, event: unknown, timeout: number): Promise<Invocation> {
  return new Promise((resolve) => {
    const settle = (invocation: Invocation): void => {
      clearTimeout(timer);
      child.off('message', hear).off('exit', leave);
      resolve(invocation);
    };
    const hear = (message: unknown): void => {
      const report = message as Report;
      if (!('id' in report) || report.id !== id) return;
      settle('answer' in report ? { answer: report.answer } : { failure: 'error', text: report.error });
    };
    const leave = (code: number | null, signal: string | null): void =>
      settle({ failure: 'crash', text: `Its process ended (${signal ?? code}).` });
    const timer = setTimeout(
      () => settle({ failure: 'timeout', text: `Task timed out after ${timeout} s.` }),
      timeout * 1000,
    );
    child.on('message', hear).on('exit', leave);
    const deadline = Date.now() + timeout * 1000;
    child.send({ id, event, requestId: randomUUID(), deadline }, (error) => {
      if (error !== null) settle({ failure: 'crash', text: error.message });
    });
  });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
