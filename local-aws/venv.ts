import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const windows = process.platform === 'win32';
/** Where this checkout keeps what can be made again. */
export const local = join(dirname(dirname(fileURLToPath(import.meta.url))), '.local');
/**
 * For PYTHONPYCACHEPREFIX: what Python has compiled is kept, outside the sources. Packages come without it:
 * a run imports a part of their ten thousand files.
 */
export const byteCode = join(local, 'byte-code');
const LOCK_WAIT_MS = 10 * 60_000;

export type Venv = {
  /** Below `.local`. */
  readonly name: string;
  /** Absolute path of a requirements.txt that pins every package, transitive ones too. */
  readonly requirements: string;
  /** Oldest Python that the packages run on. */
  readonly least: readonly [number, number];
  /** Who needs it, for messages: `Local AWS`. */
  readonly who: string;
  /** What a person reads while packages are installed: sizes and time. */
  readonly announce: string;
  readonly log: (line: string) => void;
};

/**
 * A virtual environment of this checkout: made when first asked for, and again whenever its requirements
 * change.
 * @returns absolute path of its interpreter
 * @throws what to do when there is no fitting Python with `venv`, or the packages cannot be had
 */
export async function venvPython({ name, requirements, least, who, announce, log }: Venv): Promise<string> {
  const venv = join(local, name);
  const python = join(venv, windows ? 'Scripts/python.exe' : 'bin/python');
  const stamp = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const isCurrent = async (): Promise<boolean> =>
    (await readFile(join(venv, 'stamp'), 'utf8').catch(() => '')) === stamp && (await exists(python));
  if (await isCurrent()) return python;

  await mkdir(local, { recursive: true });
  const unlock = await lock(`${venv}.lock`);
  try {
    if (await isCurrent()) return python;
    const base = await findPython(least, who);
    log(announce);
    await rm(venv, { recursive: true, force: true });
    await run(
      base,
      ['-m', 'venv', venv],
      'Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv.',
    );
    const pip = ['-m', 'pip', '--disable-pip-version-check'];
    const failed = `pip could not install ${requirements}.`;
    await run(
      python,
      [...pip, 'install', '--quiet', '--no-compile', '--no-deps', '-r', requirements],
      failed,
    );
    // Last, so that an interrupted one is made again.
    await writeFile(join(venv, 'stamp'), stamp);
    return python;
  } finally {
    await unlock();
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/**
 * Where several processes want the same thing installed, one does it and the others wait. A dead one's lock
 * is taken over.
 * @param file holds the owner's process id
 * @returns what gives it back
 */
export async function lock(file: string): Promise<() => Promise<void>> {
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
    if (owner > 0 && !isAlive(owner)) await rm(file, { force: true });
    else if (Date.now() > end)
      throw new Error(`${file} is held by process ${owner}; remove it if that is none of ours.`);
    else await sleep(500);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** @throws where there is none that is new enough, with what to do */
export async function findPython([major, minor]: readonly [number, number], who: string): Promise<string> {
  const check = `import sys, venv; sys.exit(sys.version_info < (${major}, ${minor}))`;
  for (const name of [
    process.env.PYTHON,
    'python3',
    'python',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
  ]) {
    if (!name) continue;
    const fits = await run(name, ['-c', check], '').then(
      () => true,
      () => false,
    );
    if (fits) return name;
  }
  throw new Error(
    `${who} needs Python ${major}.${minor} or newer with the venv module (set PYTHON to name it).`,
  );
}

/** Runs to the end; throws with `advice` and the last lines of its output when it fails. */
function run(command: string, args: readonly string[], advice: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-2000);
      });
    child.on('error', (error) => reject(new Error(`${advice} (${error.message})`)));
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${advice}\n${output.trim()}`))));
  });
}
