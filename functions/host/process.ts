import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { HostAsked, HostTold } from '../../core/host/contract.ts';
import { framed, frameReader } from '../../core/host/frames.ts';
import { memoryOf } from './memory.ts';
import { isTold } from './told.ts';
import { eachLines } from './written.ts';

/** An answer of a model’s process, or why there is none. */
export type ProcessAnswer =
  | {
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[]>>;
      readonly code: string | undefined;
      /** Scores of its outputs, as they were written. */
      readonly scores?: string;
      /** Milliseconds that the process took for it. */
      readonly took?: number;
      readonly body: Buffer;
    }
  | { readonly failure: ProcessFailure; readonly text: string };

/** `error`: the handler threw, and the process goes on. All others cost the process. */
export type ProcessFailure = 'timeout' | 'crash' | 'memory' | 'error';

/** What a process adds to it is which of its requests it is, and its limit. */
export type HostRequest = Omit<HostAsked, 'ordinal' | 'limit'>;

/** One process of a model, with its handler loaded. */
export type ModelProcess = {
  /** It computes one request at a time, in this order. `done` is called once. */
  readonly ask: (asked: HostRequest, body: Buffer, done: Done) => void;
  readonly kill: () => Promise<void>;
  /** Resolves with how it ended. */
  readonly gone: Promise<string>;
};

export type ProcessOptions = {
  /** Path of the child’s program. */
  readonly child: string;
  readonly handler: string;
  /** Its whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Seconds a request. */
  readonly timeout: number;
  /** MB that it may take beside files that are mapped. */
  readonly memory: number | undefined;
  /** Whole lines that it wrote, and their ends. */
  readonly write: (lines: string) => void;
};

/** `unbegun`: it ended while it had another one, and another process may have this. */
type Done = (ended: ProcessAnswer | 'unbegun') => void;

/**
 * As many processes as processors: threads that collect garbage would only take the time of the others, and
 * wake for a heap that is small. New objects have 4 MB: V8’s own 16 fill up within a million requests, so
 * that each process takes 40 to 60 MB more, and no request is quicker for it.
 */
const CHILD_FLAGS = ['--enable-source-maps', '--single-threaded-gc', '--max-semi-space-size=4'];

/** Lambda cuts initialisation at 10 s. Here a model may come from a bucket first. */
const INIT_MS = 120_000;

/** As long as its channel may be open after it has ended: what it started may have that, too. */
const UNREAD_MS = 100;

/** How often the memory of a process with a request is looked at. */
const LOOK_MS = 50;

/** Every process of this one, so that none outlives it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process and waits until its handler is loaded. @throws what its initialisation threw */
export async function startProcess(options: ProcessOptions): Promise<ModelProcess> {
  const { child: program, handler, env, timeout, memory, write } = options;
  const child = spawn(process.execPath, [...CHILD_FLAGS, program, handler], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  // It has no streams where no descriptor is left for them.
  if (child.pid === undefined) throw (await once(child, 'error'))[0];
  running.add(child);
  const { stdout, stderr } = child;
  if (stdout !== null) eachLines(stdout, write);
  if (stderr !== null) eachLines(stderr, write);
  const channel = child.stdio[3] as Socket;
  // What goes wrong on it is told by the process's end.
  channel.on('error', () => {});

  /** @returns what is wrong with it, where it cannot be */
  let hear: (told: HostTold, body: Buffer) => string | undefined = () => undefined;
  let leave: (how: string) => void = () => {};
  const gone = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      leave(how);
      resolve(how);
    };
    child.once('exit', (code, signal) => {
      running.delete(child);
      // What it has answered may lie in the channel still, and is no fault of what ended it.
      const over = (): void => end(`Its process ended (${signal ?? code}).`);
      if (channel.closed) over();
      channel.once('close', over);
      setTimeout(over, UNREAD_MS).unref();
    });
    child.once('error', (error) => {
      running.delete(child);
      end(error.message);
    });
    // Whatever the model's code imports can write to the channel: it must cost this process alone.
    const broken = (why: string): void => {
      child.kill('SIGKILL');
      end(`Its code wrote to file descriptor 3, which is the host’s: ${why}. It was ended.`);
    };
    channel.on(
      'data',
      frameReader((head, body) => {
        const fault = isTold(head) ? hear(head, body) : 'a head that says nothing';
        if (fault !== undefined) broken(fault);
      }, broken),
    );
  });
  const kill = async (): Promise<void> => {
    if (!running.has(child)) return;
    child.kill('SIGKILL');
    await gone;
  };

  const first = await new Promise<HostTold | string>((resolve) => {
    const timer = setTimeout(() => resolve(`It was not ready after ${INIT_MS / 1000} s.`), INIT_MS);
    const settle = (told: HostTold | string): undefined => {
      clearTimeout(timer);
      resolve(told);
    };
    hear = settle;
    leave = settle;
  });
  if (typeof first === 'string' || !('ready' in first)) {
    await kill();
    throw new Error(
      typeof first === 'string' ? first : 'broken' in first ? first.broken : 'It did not start.',
    );
  }

  const limit = timeout * 1000;
  /** Those that it has: the first is being computed, unless it has not come yet. */
  const jobs: Done[] = [];
  /** Those that it ever had, and those that it answered. */
  let [asks, answers] = [0, 0];
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let look: NodeJS.Timeout | undefined;
  /** The time of the first job begins. */
  const begin = (): void => {
    timer ??= setTimeout(() => {
      if (jobs.length > 0) end({ failure: 'timeout', text: `Task timed out after ${timeout} s.` });
    }, limit).unref();
    timer.refresh();
  };
  const settle = (ended: ProcessAnswer): void => {
    const job = jobs.shift();
    answers += 1;
    if (jobs.length > 0) begin();
    job?.(ended);
  };
  /** It is over: the first had it, unless it is told not to have begun, and the others have not begun. */
  const end: Done = (ended) => {
    over = true;
    child.kill('SIGKILL');
    clearTimeout(timer);
    clearInterval(look);
    const [first, ...others] = jobs.splice(0);
    first?.(ended);
    for (const job of others.reverse()) job('unbegun');
  };
  if (memory !== undefined)
    look = setInterval(() => {
      if (jobs.length > 0 && memoryOf(child.pid ?? 0) > memory)
        end({ failure: 'memory', text: `Its process took more than ${memory} MB and was ended.` });
    }, LOOK_MS).unref();
  hear = (told, answer) => {
    if (over) return undefined;
    // One answer too many would be taken for that of the next request, whoever sent it.
    if (!('ordinal' in told) || told.ordinal !== answers || jobs.length === 0)
      return 'an answer that was not asked for';
    if ('status' in told) settle({ ...told, code: told.code, body: answer });
    else settle({ failure: 'error', text: told.thrown });
    return undefined;
  };
  leave = (how) => end({ failure: 'crash', text: how });

  let corked = false;
  const ask: ModelProcess['ask'] = (asked, body, done) => {
    if (over) {
      done('unbegun');
      return;
    }
    jobs.push(done);
    const pieces = framed({ ...asked, ordinal: asks++, limit }, body);
    if (jobs.length === 1) {
      if (pieces.length > 1) channel.cork();
      for (const piece of pieces) channel.write(piece);
      if (pieces.length > 1) channel.uncork();
      // It died idle, which nobody has been told yet: nothing was written.
      if (channel.writable) begin();
      else end('unbegun');
      return;
    }
    // It has something to do: what comes in this turn of the event loop goes together.
    if (!corked) {
      corked = true;
      channel.cork();
      setImmediate(() => {
        corked = false;
        channel.uncork();
      });
    }
    for (const piece of pieces) channel.write(piece);
  };
  return { ask, kill, gone };
}
