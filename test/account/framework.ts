import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { STAGE } from './names.ts';
import { say } from './say.ts';

export type Ran = { readonly code: number; readonly text: string };

export type Framework = {
  /** Runs `sls <args>`, shows what it prints, and gives it back with its exit code. */
  readonly sls: (...args: readonly string[]) => Promise<Ran>;
  /** The same without showing anything. @returns what it printed on standard output */
  readonly read: (...args: readonly string[]) => Promise<Ran>;
  /** Ends what runs, and waits for it. */
  readonly end: () => Promise<void>;
};

/** It ends when we do, however we end. */
const WITH_US = "data:text/javascript,process.on('disconnect',()=>process.exit(1));process.channel?.unref()";
/** Milliseconds that it has to end by itself. */
const GRACE = 5000;

/** The stage's own profile or keys, and a profile that only osls knows: they win over what the SDK finds. */
const OF_OSLS_ALONE = new RegExp(`^AWS_(${STAGE.toUpperCase()}_.*|DEFAULT_PROFILE)$`);

/** What the framework finds its credentials in: those of the account that was asked about, and no others. */
export const environmentFor = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([key]) => !OF_OSLS_ALONE.test(key)));

/** @param root of the repository @param dir the service's folder */
export function framework(root: string, dir: string): Framework {
  const running = new Map<ChildProcess, Promise<unknown>>();
  const bin = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
  const run = async (args: readonly string[], quiet: boolean): Promise<Ran> => {
    if (!quiet) say(`$ sls ${args.join(' ')}`);
    // A group of its own: Ctrl-C is ours, and we end it.
    const child = spawn(process.execPath, ['--import', WITH_US, bin, ...args, '--stage', STAGE], {
      cwd: dir,
      detached: true,
      env: {
        ...environmentFor(process.env),
        ...{ NO_COLOR: '1', SLS_NOTIFICATIONS_MODE: 'off', SLS_TELEMETRY_DISABLED: '1' },
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let text = '';
    const show = wholeLines();
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        if (!quiet || stream === child.stdout) text += chunk.toString();
        if (!quiet) show(chunk.toString());
      });
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 1));
    });
    running.set(child, ended);
    const code = await ended.finally(() => running.delete(child));
    return { code, text };
  };
  return {
    sls: (...args) => run(args, false),
    read: (...args) => run(args, true),
    end: async () => {
      await Promise.all([...running].map(([child, ended]) => stop(child, ended)));
    },
  };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It had ended.
    }
  };
  kill('SIGTERM');
  const late = setTimeout(() => kill('SIGKILL'), GRACE);
  await ended.catch(() => {});
  clearTimeout(late);
}

/** Prints each line that is not empty, behind a mark. */
function wholeLines(): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') say(`  | ${line}`);
  };
}
