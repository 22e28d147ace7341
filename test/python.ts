/**
 * Python for the tests: one virtual environment of the checkout, `.local/venv-test`, made when first asked for from
 * test/requirements.txt and made anew when that file changes.
 */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const requirements = join(here, 'requirements.txt');
const venv = join(dirname(here), '.local', 'venv-test');
const windows = process.platform === 'win32';
/** The pinned numpy needs it. */
const LEAST = [3, 11] as const;
const LOCK_WAIT_MS = 10 * 60_000;

export type PythonOptions = {
  /** Bytes for standard input. */
  readonly input?: string | Buffer;
  /** Milliseconds until the process is killed. */
  readonly timeout: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

let ready: Promise<string> | undefined;

/** @returns the absolute path of the environment's interpreter, which is made first where it is missing or outdated. */
export function pythonBin(): Promise<string> {
  ready ??= prepare();
  return ready;
}

/**
 * Runs `python <script> <args>` in the environment; `script` may be `-m` or `-c`, as for Python itself.
 * @returns standard output. Throws with both streams in the message (and `stdout` on the error) when the process
 * fails or takes longer than `timeout`.
 */
export async function runPython(
  script: string,
  args: readonly string[],
  options: PythonOptions,
): Promise<string> {
  const bin = await pythonBin();
  const child = spawn(bin, [script, ...args], {
    cwd: options.cwd,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...options.env },
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

async function prepare(): Promise<string> {
  const bin = join(venv, windows ? 'Scripts' : 'bin', windows ? 'python.exe' : 'python');
  const stamp = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const stampFile = join(venv, 'requirements.sha256');
  const current = async () => (await readFile(stampFile, 'utf8').catch(() => '')) === stamp;
  if (await current()) return bin;
  await mkdir(dirname(venv), { recursive: true });
  const unlock = await lock(`${venv}.lock`);
  try {
    if (await current()) return bin;
    const python = await systemPython();
    console.error(
      'Python packages for the tests: installing into .local/venv-test (about 750 MB, a minute) …',
    );
    await rm(venv, { recursive: true, force: true });
    await run(python, ['-m', 'venv', venv]);
    await run(bin, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '-r',
      requirements,
    ]);
    await run(bin, ['-m', 'pip', 'check', '--disable-pip-version-check']);
    await writeFile(stampFile, stamp);
    return bin;
  } finally {
    await unlock();
  }
}

/** Test files run in several processes; one of them installs, the others wait. A lock of a dead process is taken over. */
async function lock(file: string): Promise<() => Promise<void>> {
  const end = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner > 0 && !alive(owner)) await rm(file, { force: true });
    else if (Date.now() > end)
      throw new Error(`${file} is held by process ${owner}; remove it if that is none of ours.`);
    else await sleep(500);
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first Python that is new enough; throws with what was found otherwise. */
async function systemPython(): Promise<string> {
  const found: string[] = [];
  for (const name of ['python3', 'python', 'python3.13', 'python3.12', 'python3.11']) {
    const version = await promisify(execFile)(name, ['-c', 'import sys; print(*sys.version_info[:2])']).then(
      ({ stdout }) => stdout.trim().split(' ').map(Number),
      () => undefined,
    );
    const [major = 0, minor = 0] = version ?? [];
    if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return name;
    if (version) found.push(`${name} ${major}.${minor}`);
  }
  throw new Error(
    `The tests need Python ${LEAST.join('.')} or newer on the PATH; found: ${found.join(', ') || 'none'}.`,
  );
}

async function run(command: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(command, args, { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error(
      `${command} ${args.slice(0, 3).join(' ')} failed: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}
