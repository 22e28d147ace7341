import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ownFile } from '../disk/own-file.ts';
import { inherited } from './environment.ts';

/** What somebody's code may take while it is packaged. */
export type ProcessLimits = {
  /** Milliseconds for its start, and as many again for its code. */
  readonly deadline: number;
  /** Bytes of resident memory. */
  readonly memory: number;
};

/** What the program in the process says. */
export type ProcessReply<R> =
  /**
   * What it is about to do; the last one says where it was when it had to be killed. `trying` are inputs so
   * long that running out of time or memory says nothing about the model.
   */
  | { readonly kind: 'stage'; readonly stage: 'loading' | 'running' | 'trying' | 'optimising' }
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'failed'; readonly stage: 'loading' | 'optimising'; readonly message: string };

/** How it ended; `stage` says what it was doing. */
export type ProcessOutcome<R> =
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'failed'; readonly stage: string; readonly message: string }
  | { readonly kind: 'deadline' | 'memory'; readonly stage: string }
  | {
      readonly kind: 'crashed';
      readonly stage: string;
      readonly message: string;
      /** Somebody ended it, who mostly ends this process, too: it says nothing of the code. */
      readonly isInterrupted?: boolean;
    };

/** What a terminal sends to each process, and who stops a service. */
const INTERRUPTS: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Milliseconds in which the last words of an ended process are read. */
const UNREAD_MS = 1000;

/** Virtual memory that Node and ONNX Runtime reserve beside what they use. */
const RESERVED = 4 * 1024 ** 3;
const MB = 1024 ** 2;

/**
 * 30 s, and a second more for each 50 MB: a slow disk must not make a large model look endless. 2 GB, and
 * four times the weights (as read, as loaded, as rearranged for the processor, and the optimised copy), but
 * never more than Lambda's 10,240 MB, nor two thirds of what this machine has left.
 */
export function limitsFor(bytes: number): ProcessLimits {
  const memory = Math.min(2048 * MB + 4 * bytes, 10240 * MB, (process.availableMemory() * 2) / 3);
  return { deadline: 30_000 + Math.round((bytes / (50 * MB)) * 1000), memory: Math.max(512 * MB, memory) };
}

/**
 * Runs a task in a process that is killed at the deadline or beyond the memory: by SIGKILL, since ONNX
 * Runtime blocks the event loop and hears nothing else. Two more fences hold if this process dies first: the
 * address space (where the system has such a limit) and CPU seconds.
 *
 * @param program a file of ours without extension, which takes the task as its one message and answers in
 * `ProcessReply`s
 * @param env beside what any process needs; nothing else of the user's environment, as the code may be
 * anybody's
 */
export function runChild<R>(
  program: string,
  task: object,
  env: Readonly<Record<string, string>>,
  limits: ProcessLimits,
): Promise<ProcessOutcome<R>> {
  const seconds = Math.ceil((limits.deadline / 1000) * 4) + 10;
  const kilobytes = Math.ceil((limits.memory + RESERVED) / 1024);
  const node = [
    process.execPath,
    '--max-old-space-size=1024',
    '--disable-warning=ExperimentalWarning',
    ownFile(program),
  ];
  const fenced =
    process.platform === 'win32'
      ? node
      : [
          '/bin/sh',
          '-c',
          `ulimit -t ${seconds}; ulimit -v ${kilobytes} 2>/dev/null; exec "$0" "$@"`,
          ...node,
        ];
  const [command = process.execPath, ...args] = fenced;
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...inherited(), ...env },
    serialization: 'advanced',
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);

  return new Promise<ProcessOutcome<R>>((resolve) => {
    let stage = 'starting';
    let errors = '';
    let outcome: ProcessOutcome<R> | undefined;
    const end = (kind: 'deadline' | 'memory'): void => {
      outcome ??= { kind, stage };
      stop();
    };
    // Twice half of it: where this process itself stood still, its timers come before what it has to read.
    let isHalf = false;
    const deadline = setTimeout(() => {
      if (isHalf) return end('deadline');
      isHalf = true;
      deadline.refresh();
    }, limits.deadline / 2);
    const watch = watchMemory(child.pid, limits.memory, () => end('memory'));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.on('message', (reply: ProcessReply<R> | null) => {
      // What the code itself tells its parent may be anything: `ready`, where it looks for a process manager.
      if (reply?.kind === 'stage') {
        // On a busy machine a process may take seconds to begin, which is no fault of the code.
        if (stage === 'starting') {
          isHalf = false;
          deadline.refresh();
        }
        stage = reply.stage;
      } else if (reply?.kind === 'done' || reply?.kind === 'failed') outcome ??= reply;
    });
    child.on('error', (error) => {
      outcome ??= { kind: 'crashed', stage, message: error.message };
    });
    const close = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(deadline);
      watch.stop();
      process.removeListener('exit', stop);
      // Open, it would keep this process, too.
      child.stderr?.destroy();
      // Not killed by us: by the system, when memory ran out.
      if (signal === 'SIGKILL') outcome ??= { kind: 'memory', stage };
      if (/out of memory|bad_alloc/i.test(errors)) outcome ??= { kind: 'memory', stage };
      const last = errors.trim().split('\n').at(-1);
      const message = last || `ended by ${signal ?? `code ${code}`}`;
      resolve(outcome ?? { kind: 'crashed', stage, message, isInterrupted: INTERRUPTS.includes(signal) });
    };
    child.on('close', close);
    child.on('exit', (code, signal) => {
      // A process that the code has started may have its standard error for ever. After a stall timers come
      // first, and what has come is read before what is immediate.
      setTimeout(() => setImmediate(close, code, signal), UNREAD_MS).unref();
    });
    child.send(task, (error) => {
      if (error) outcome ??= { kind: 'crashed', stage, message: error.message };
    });
  });
}

/** Looks ten times a second where looking is cheap. Windows has neither; the deadline holds there. */
function watchMemory(pid: number | undefined, limit: number, exceeded: () => void): { stop: () => void } {
  if (pid === undefined || process.platform === 'win32') return { stop: () => {} };
  const check = (kilobytes: number): void => {
    if (kilobytes * 1024 > limit) exceeded();
  };
  const look =
    process.platform === 'linux'
      ? () => {
          try {
            check(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0));
          } catch {
            // It has just ended.
          }
        }
      : () => execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_, out) => check(Number(out)));
  const timer = setInterval(look, process.platform === 'linux' ? 100 : 500);
  return { stop: () => clearInterval(timer) };
}
