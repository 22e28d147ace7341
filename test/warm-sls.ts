/** A framework's command line in processes that have run commands before, without a second of start each. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

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
const ofStart = ({ bin, env }: Command): string =>
  [bin, env.NODE_OPTIONS, (env.MODELS_AWS_SPEED ?? '1') === '1'].join('\n');

/** After so many commands a process ends: what it keeps of each is little, and not nothing. */
const COMMANDS = 150;

/** Those that run nothing now, and how many commands each has run. */
const idle = new Map<string, { readonly child: ChildProcess; ran: number }[]>();

/**
 * Runs a command as its own process would, in one that has run others before: for all files of a whole run
 * together where `npm test` has a place for it, else for this process. Two at a time have two processes.
 * They end with the one that started them, whatever ends it.
 */
export const runWarm = (command: Command): Promise<Said> => {
  const { MODELS_WARM: socket } = process.env;
  return socket === undefined ? runHere(command) : askShared(socket, command);
};

/** @param signal the one who asked has gone */
async function runHere(command: Command, signal?: AbortSignal): Promise<Said> {
  const key = ofStart(command);
  const free = idle.get(key) ?? [];
  idle.set(key, free);
  let one = free.pop();
  // It may have ended while it ran nothing.
  while (one !== undefined && !one.child.connected) one = free.pop();
  one ??= { child: start(command), ran: 0 };
  const { child } = one;
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  hold(child, 'ref');
  const said = await run(child, command);
  hold(child, 'unref');
  signal?.removeEventListener('abort', kill);
  if (!child.connected) return said;
  if (++one.ran >= COMMANDS) child.disconnect();
  else free.push(one);
  return said;
}

/**
 * Runs what other processes ask for: a line of JSON each, on a connection that stays open until the answer,
 * so that the command of one that has gone is ended.
 * @param path of a socket that is made
 */
export function shareWarm(path: string): Server {
  const server = createServer((socket) => {
    const gone = new AbortController();
    socket.on('error', () => {}).on('close', () => gone.abort());
    createInterface(socket).once('line', async (asked) => {
      const { firstAlone, ...command }: Asked = JSON.parse(asked);
      const run = firstAlone ? firstHere : runHere;
      // One that is ended with its asker, or never began, is no end of the whole run.
      const said = await run(command, gone.signal).catch(
        (error: unknown): Said => ({ code: 1, stdout: '', stderr: String(error) }),
      );
      socket.end(JSON.stringify(said));
    });
  });
  return server.listen(path).unref();
}

/** Ends those of this process that run nothing; resolves once they have ended, and their time is counted. */
export async function endWarm(): Promise<void> {
  const all = [...idle.values()].flatMap((free) => free.splice(0));
  await Promise.all(
    all.map(async ({ child }) => {
      if (!child.connected) return;
      hold(child, 'ref');
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    }),
  );
}

type Asked = Command & { readonly firstAlone?: boolean };

async function askShared(path: string, command: Asked): Promise<Said> {
  const socket = connect(path);
  socket.write(`${JSON.stringify(command)}\n`);
  return JSON.parse(await text(socket));
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
  // What is sent to one that is ending: `close` tells of it.
  child.on('error', () => {});
  return child;
}

/** Runs a command in a process of its own, as people do. */
export function runAlone({ bin, cwd, args, env, timeout }: Command, signal?: AbortSignal): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
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
 * The first run of a command is in a process of its own, as people do; what runs it again is warm, in a whole
 * run also what other files run: `golden/warm` proves that both are the same.
 */
export const firstAlone = (command: Command): Promise<Said> => {
  const { MODELS_WARM: socket } = process.env;
  return socket === undefined ? firstHere(command) : askShared(socket, { ...command, firstAlone: true });
};

const ran = new Set<string>();

function firstHere(command: Command, signal?: AbortSignal): Promise<Said> {
  const words = command.args.slice(0, command.args[0] === 'models' ? 2 : 1);
  const kind = [command.bin, ...words].join(' ');
  if (ran.has(kind)) return runHere(command, signal);
  ran.add(kind);
  return runAlone(command, signal);
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
