/** A framework's command line in processes that have run commands before, without a second of start each. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export type Command = {
  /** The framework's command line, a file. */
  readonly bin: string;
  readonly cwd: string;
  readonly args: readonly string[];
  /** Whole: nothing is inherited. */
  readonly env: Environment;
  readonly timeout: number;
};

export type Said = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The end of what a command wrote to a stream: none of them writes U+0000. */
const END = '\u0000';
/** What a process takes at its start, and never again. */
const ofStart = ({ bin, env }: Command): string => [bin, env.NODE_OPTIONS, env.MODELS_AWS_CALLS].join('\n');

type Warm = { readonly key: string; readonly child: ChildProcess; readonly ran: number };

/** Those that run nothing now, the one that ran last at the end. */
const idle: Warm[] = [];
/** A process is 200 MB, and grows with what its commands have loaded. */
const MOST_IDLE = 8;
const MOST_COMMANDS = 60;

/**
 * Runs a command as its own process would, in one that has run others before: of all test files of a run,
 * where `MODELS_WARM_SLS` names the socket of `warm-pool.ts`, else of this process.
 */
export async function runWarm(command: Command): Promise<Said> {
  const { MODELS_WARM_SLS: pool } = process.env;
  return (pool ? await ask(pool, command) : undefined) ?? runHere(command);
}

/** Undefined where nobody listens. */
function ask(pool: string, command: Command): Promise<Said | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(pool);
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('end', () => {
      if (answer === '') reject(new Error('The pool of warm processes has ended.'));
      else resolve(JSON.parse(answer));
    });
    let isThere = false;
    socket.on('error', (error) => (isThere ? reject(error) : resolve(undefined)));
    socket.on('connect', () => {
      isThere = true;
      socket.write(`${JSON.stringify(command)}\n`);
    });
  });
}

/**
 * In processes of this one. Two commands at a time have two. They end with this one, whatever ends it.
 * @param given ends the command with its process
 */
export async function runHere(command: Command, given?: AbortSignal): Promise<Said> {
  const key = ofStart(command);
  const at = idle.findLastIndex((one) => one.key === key);
  const [free] = at < 0 ? [] : idle.splice(at, 1);
  const { child, ran } = free ?? { child: start(command), ran: 0 };
  const kill = (): void => void child.kill('SIGKILL');
  given?.addEventListener('abort', kill);
  hold(child, 'ref');
  const running = run(child, command);
  if (given?.aborted) kill();
  const said = await running;
  hold(child, 'unref');
  given?.removeEventListener('abort', kill);
  if (!child.connected) return said;
  if (ran + 1 < MOST_COMMANDS) idle.push({ key, child, ran: ran + 1 });
  else child.disconnect();
  if (idle.length > MOST_IDLE) idle.shift()?.child.disconnect();
  return said;
}

/** An idle one does not keep this process from its end. */
function hold(child: ChildProcess, how: 'ref' | 'unref'): void {
  child[how]();
  child.channel?.[how]();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.[how]();
}

function start({ bin, env }: Command): ChildProcess {
  const child = fork(join(import.meta.dirname, 'warm-sls.cjs'), [bin], {
    env,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8');
  return child;
}

/** Runs a command in a process of its own, as people do. */
export function runAlone({ bin, cwd, args, env, timeout }: Command): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: `${Buffer.concat(stderr)}${killed(signal, timeout)}`,
      }),
    );
  });
}

/**
 * The first run of a command with its options is in a process of its own, as people do; what runs it again is
 * warm.
 */
export function firstAlone(): (command: Command) => Promise<Said> {
  const ran = new Set<string>();
  return (command) => {
    const words = command.args.filter((word, at) => word.startsWith('--') || at < 2);
    const kind = [command.bin, ...words].join(' ');
    const isFirst = !ran.has(kind);
    ran.add(kind);
    return isFirst ? runAlone(command) : runWarm(command);
  };
}

const killed = (signal: NodeJS.Signals | null, timeout: number): string =>
  signal === null ? '' : `\nkilled by ${signal} after ${timeout} ms\n`;

/** A command may end the process, as it may its own: that is its end, too. */
function run(child: ChildProcess, { cwd, args, env, timeout }: Command): Promise<Said> {
  return new Promise((resolve) => {
    const said = { stdout: '', stderr: '' };
    let answered: number | undefined;
    const look = (): void => {
      if (answered === undefined || !said.stdout.endsWith(END) || !said.stderr.endsWith(END)) return;
      done(answered, '');
    };
    const hear =
      (name: 'stdout' | 'stderr') =>
      (text: string): void => {
        said[name] += text;
        look();
      };
    const [out, err] = [hear('stdout'), hear('stderr')];
    const answer = ({ code }: { readonly code: number }): void => {
      answered = code;
      look();
    };
    const closed = (code: number | null, signal: NodeJS.Signals | null): void =>
      done(code ?? 1, killed(signal, timeout));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const done = (code: number, why: string): void => {
      clearTimeout(timer);
      child.off('close', closed).off('message', answer);
      child.stdout?.off('data', out);
      child.stderr?.off('data', err);
      const [stdout, stderr] = [said.stdout, said.stderr].map((text) => text.replaceAll(END, ''));
      resolve({ code, stdout: stdout ?? '', stderr: `${stderr}${why}` });
    };
    child.on('close', closed).on('message', answer);
    child.stdout?.on('data', out);
    child.stderr?.on('data', err);
    child.send({ cwd, args, env });
  });
}
