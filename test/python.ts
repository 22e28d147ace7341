/**
 * Python for the tests: one virtual environment of the checkout, `.local/venv-test`, made when first asked
 * for from test/requirements.txt and made anew when that file changes.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { byteCode, type Venv, venvPython } from '../local-aws/venv.ts';

export type PythonOptions = {
  /** Bytes for standard input. */
  readonly input?: string | Buffer;
  /** Milliseconds until the process is killed. */
  readonly timeout: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** The environment of the tests. */
export const TEST_VENV: Venv = {
  name: 'venv-test',
  requirements: join(import.meta.dirname, 'requirements.txt'),
  // The pinned numpy's least.
  least: [3, 11],
  who: 'The test suite',
  announce: 'Python packages for the tests: installing into .local/venv-test (about 900 MB, a minute) …',
  log: (line) => console.error(line),
};

let ready: Promise<string> | undefined;

/**
 * @returns the absolute path of the environment's interpreter, which is made first where it is missing or
 * outdated.
 */
export function pythonBin(): Promise<string> {
  ready ??= venvPython(TEST_VENV);
  return ready;
}

/**
 * Runs `python <script> <args>` in the environment; `script` may be `-m` or `-c`, as for Python itself.
 * @returns standard output. Throws with both streams in the message (and `stdout` on the error) when the
 * process fails or takes longer than `timeout`.
 */
export async function runPython(
  script: string,
  args: readonly string[],
  options: PythonOptions,
): Promise<string> {
  const bin = await pythonBin();
  const child = spawn(bin, [script, ...args], {
    cwd: options.cwd,
    env: { ORT_DISABLE_TELEMETRY: '1', ...process.env, PYTHONPYCACHEPREFIX: byteCode, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeout,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A script that ends before it has read everything is judged by its exit code, not by the broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  const stdout = Buffer.concat(out).toString();
  if (code === 0) return stdout;
  const end = signal ? `killed by ${signal} (limit ${options.timeout} ms)` : `exit ${code}`;
  const text = `python ${script} ${args.join(' ')}: ${end}\n${stdout}${Buffer.concat(err).toString()}`;
  throw Object.assign(new Error(text), { stdout });
}
