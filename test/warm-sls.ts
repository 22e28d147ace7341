import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { type Framework, type Run, slsEnv } from './frameworks.ts';

/** The end of what a command wrote to a stream: none of them writes U+0000. */
const END = '\u0000';
const TIMEOUT_MS = 120_000;

type Warm = { readonly child: ChildProcess; readonly said: { out: string; err: string } };
const running = new Map<string, Warm>();
/** One command of a framework at a time. */
const queues = new Map<string, Promise<unknown>>();

/**
 * `sls` of frameworks.ts in a process that has run commands before, without its second of start. For cases
 * whose command is run by its own process in other cases. It ends with this process.
 */
export function warmSls(framework: Framework, folder: string, args: readonly string[]): Promise<Run> {
  const next = (queues.get(framework.name) ?? Promise.resolve()).then(() => once(framework, folder, args));
  queues.set(
    framework.name,
    next.catch(() => {}),
  );
  return next;
}

function start({ name, bin }: Framework): Warm {
  const child = fork(join(import.meta.dirname, 'warm.cjs'), [bin], {
    env: slsEnv(),
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const warm: Warm = { child, said: { out: '', err: '' } };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    warm.said.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    warm.said.err += text;
  });
  child.once('close', () => running.delete(name));
  running.set(name, warm);
  return warm;
}

/** A command may end the process, as it may its own; then the next one starts another. */
function once(framework: Framework, cwd: string, args: readonly string[]): Promise<Run> {
  const { child, said } = running.get(framework.name) ?? start(framework);
  said.out = '';
  said.err = '';
  return new Promise((resolve) => {
    let answered: number | undefined;
    const look = (): void => {
      if (answered === undefined || !said.out.endsWith(END) || !said.err.endsWith(END)) return;
      done(answered);
    };
    const closed = (code: number | null): void => done(code ?? 1);
    const answer = ({ code }: { readonly code: number }): void => {
      answered = code;
      look();
    };
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const done = (code: number): void => {
      clearTimeout(timer);
      child.off('close', closed).off('message', answer);
      for (const stream of [child.stdout, child.stderr]) stream?.off('data', look);
      const [stdout, stderr] = [said.out, said.err].map((text) => text.replace(END, ''));
      resolve({ code: code === 0 ? 0 : 1, stdout: stdout ?? '', output: `${stdout}${stderr}` });
    };
    child.on('close', closed).on('message', answer);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', look);
    child.send({ cwd, args, env: slsEnv() });
  });
}
