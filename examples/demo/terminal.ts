import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';

export type Environment = Readonly<Record<string, string>>;

export const title = (text: string): void => console.log(`\n\x1b[1m${text}\x1b[0m`);

/** `12.3 s` since a time of `performance.now()`. */
export const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** `1,234` */
export const count = (value: number): string => value.toLocaleString('en-US');

/** Throws what was expected unless it is so. */
export function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`Expected: ${what}.`);
}

export type Terminal = {
  /**
   * Runs `sls` to its end, showing what it prints, and gives it back. `brief`: without what every deploy prints alike;
   * `atOnce`: when it has ended, since another one is printing; `silent`: neither command nor output, for what is only read.
   * @throws Error where it does not end with `code`, or with one of them (default 0)
   */
  sls(
    args: readonly string[],
    options?: {
      readonly env?: Environment;
      readonly code?: number | readonly number[];
      readonly brief?: boolean;
      readonly atOnce?: boolean;
      readonly silent?: boolean;
    },
  ): Promise<string>;
  /** Starts `sls models proxy` and gives the URL that it prints. */
  proxy(env: Environment): Promise<string>;
  /** Starts `sls models serve` and gives the URL that it prints. */
  serve(): Promise<string>;
  /** Ends what still runs, and waits for it. */
  end(): Promise<void>;
};

export function terminal(cwd: string): Terminal {
  const children = new Set<ChildProcess>();
  const start = (args: readonly string[], env: Environment, silent = false) => {
    if (!silent) console.log(`$ sls ${args.join(' ')}`);
    const child = spawn('sls', args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    for (const over of ['exit', 'error']) child.once(over, () => children.delete(child));
    return child;
  };
  return {
    sls: async (args, { env = {}, code = 0, brief = false, atOnce = false, silent = false } = {}) => {
      const child = start(args, env, silent);
      const show = printer(brief);
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (!atOnce && !silent) show(chunk.toString());
        });
      const ended = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
      });
      if (atOnce) show(text);
      expect(
        ended !== null && [code].flat().includes(ended),
        `\`sls ${args.join(' ')}\` ends with ${[code].flat().join(' or ')}, not ${ended}`,
      );
      return text;
    },
    proxy: (env) => address(start(['models', 'proxy', '--port', '0'], env), 'The proxy'),
    serve: () => address(start(['models', 'serve', '--port', '0'], {}), '`sls models serve`'),
    end: async () => {
      await Promise.all([...children].map(stop));
    },
  };
}

/** The first URL of this machine that a command prints. */
function address(child: ChildProcessByStdio<null, Readable, Readable>, who: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${who} ended with ${code}:\n${text}`)));
  });
}

/** Milliseconds until something is told to go on, and between two such lines. */
const [AFTER, EVERY] = [2000, 5000];

/** Waits for work, and says every few seconds that it goes on. `what`: "the push", for example. */
export async function patiently<T>(what: string, work: Promise<T>): Promise<T> {
  const since = performance.now();
  const tell = (): void => console.log(`  … ${what}, ${seconds(since)}`);
  let every: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    tell();
    every = setInterval(tell, EVERY);
  }, AFTER);
  try {
    return await work;
  } finally {
    clearTimeout(first);
    clearInterval(every);
  }
}

/** Milliseconds that a command has to end by itself. */
const GRACE = 2000;

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), GRACE);
  await ended;
  clearTimeout(late);
}

/** Sections of the framework's summary that are the same after every deploy. */
const KNOWN = /^(endpoints|functions|models):$/;

/** Prints whole lines. `brief`: without empty lines and what the first deploy has shown. */
function printer(brief: boolean): (chunk: string) => void {
  let rest = '';
  let known = false;
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (KNOWN.test(line)) known = true;
      else if (!line.startsWith(' ')) known = false;
      if (!brief || (!known && line.trim() !== '')) console.log(line);
    }
  };
}
