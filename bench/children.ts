/** Runs the sides in processes of their own, with the environment that Lambda gives a function. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { MB_PER_VCPU } from '../core/endpoint/contract.ts';
import { exitBySignals } from '../test/exit-by-signals.ts';

const bench = dirname(fileURLToPath(import.meta.url));
/** Everything that the bench makes; not committed. */
export const WORK = join(dirname(bench), '.local', 'bench');
export const SIDES = join(bench, 'sides');
const DEADLINE_MS = 120_000;

export type Command = {
  /** Before the program: `taskset …`. */
  readonly prefix?: readonly string[];
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds until it is killed; default: two minutes. */
  readonly deadline?: number;
};

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
exitBySignals();

/**
 * What a function of one vCPU finds in its environment; nothing of ours, for example NODE_OPTIONS or a
 * compile cache. ONNX Runtime sends nothing, on either side: ours turns that off itself.
 */
export function lambdaEnvironment(taskRoot: string, own: Readonly<Record<string, string>>) {
  const { PATH = '', HOME = '' } = process.env;
  return {
    PATH,
    HOME,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: 'handler.handler',
    AWS_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'bench',
    AWS_LAMBDA_FUNCTION_VERSION: '1',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MB_PER_VCPU),
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/bench',
    AWS_LAMBDA_LOG_STREAM_NAME: 'bench',
    ORT_DISABLE_TELEMETRY: '1',
    ...own,
  };
}

/**
 * @returns what the process wrote to file descriptor 3, and the milliseconds from its spawning to the first
 * of it (0 when it wrote nothing) and to its end; `output` is the last of its log
 */
export function run(command: Command): Promise<{ text: string; output: string; first: number; end: number }> {
  const { prefix = [], program, args, cwd, env, deadline = DEADLINE_MS } = command;
  const [file = program, ...rest] = [...prefix, program, ...args];
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(file, rest, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      timeout: deadline,
      killSignal: 'SIGKILL',
    });
    running.add(child);
    let first = 0;
    let text = '';
    let output = '';
    const answers = child.stdio[3] as Readable;
    answers.on('data', (chunk: Buffer) => {
      first ||= performance.now() - started;
      text += chunk.toString();
    });
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    // Read, as Lambda reads a function's log, and kept for the case of failure.
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const end = performance.now() - started;
      running.delete(child);
      if (code === 0) resolve({ text, output, first, end });
      else reject(new Error(`${file} ${rest.join(' ')} ended with ${signal ?? code}:\n${output}`));
    });
  });
}

export type SteadyTask = {
  readonly handler?: { readonly file: string; readonly event: string };
  readonly other?: { readonly file: string; readonly event: string };
  readonly bare?: {
    readonly model: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly tensor: { readonly name: string; readonly shape: readonly number[]; readonly file: string };
  };
  readonly warm: number;
  readonly block: number;
  readonly blocks: number;
};
export type Steady = {
  /** The first answers of the handler and of the other one, and the bare session's outputs by name. */
  readonly answer?: unknown;
  readonly otherAnswer?: unknown;
  readonly outputs?: Readonly<Record<string, readonly number[]>>;
  /** 95th percentiles, and processor time a call, in µs, a block each. */
  readonly p95: Figures;
  readonly cpu: Figures;
} & Figures;
/** By case, in µs, a block each; medians unless named otherwise. */
type Figures = Readonly<Record<'handler' | 'other' | 'bare', readonly number[]>>;

/**
 * How the lines of the handler are read: waking a reader costs the writer what the machine's hypervisor makes
 * of it.
 */
export type Reader = 'polls' | 'sleeps';

/**
 * Latencies of a handler, of another one, of a bare session, or of some of them in turns in one process.
 *
 * The handler writes its metrics at each request: into a pipe that is read, as Lambda's is. This process
 * would not do: its pipes are sockets, and it would compete for the processor with what it measures.
 */
export async function steady(
  task: SteadyTask,
  command: Omit<Command, 'program' | 'args'>,
  reader: Reader = 'polls',
): Promise<Steady> {
  const file = join(WORK, 'steady.json');
  mkdirSync(WORK, { recursive: true });
  writeFileSync(file, JSON.stringify(task));
  const read = reader === 'sleeps' ? 'cat >/dev/null' : '"$0" "$drain"';
  // The prefix is for the measured process: its reader is not the function's.
  const { prefix = [], ...rest } = command;
  const { text, output } = await run({
    ...rest,
    program: 'sh',
    args: [
      '-c',
      `drain=$1; shift; "$@" | ${read}`,
      process.execPath,
      join(SIDES, 'drain.mjs'),
      ...prefix,
      process.execPath,
      join(SIDES, 'steady.mjs'),
      file,
    ],
  });
  if (text === '') throw new Error(`steady.mjs gave no figures:\n${output}`);
  return JSON.parse(text);
}

/**
 * Both sides in turns, after one untimed run of each; every second turn begins with the other side.
 * @param side gives one figure a call
 */
export async function inTurns(
  repeats: number,
  side: { ours(): Promise<number>; other(): Promise<number> },
): Promise<{ ours: number[]; other: number[] }> {
  const taken = { ours: [] as number[], other: [] as number[] };
  for (let turn = -1; turn < repeats; turn++) {
    for (const name of turn % 2 === 0 ? (['ours', 'other'] as const) : (['other', 'ours'] as const)) {
      const figure = await side[name]();
      if (turn >= 0) taken[name].push(figure);
    }
  }
  return taken;
}
