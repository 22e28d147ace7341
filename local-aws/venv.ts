import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
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

type PythonVersion = readonly [number, number];

export type Venv = {
  /** Below `.local`. */
  readonly name: string;
  /** Absolute path of a requirements.txt that pins every package, transitive ones too. */
  readonly requirements: string;
  /** Oldest Python that the packages run on. */
  readonly least: PythonVersion;
  /** Newest one; default: none is too new. */
  readonly most?: PythonVersion;
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
export async function venvPython(wanted: Venv, fill: Fill = withUv): Promise<string> {
  const { name, requirements, least, most, who, announce, log } = wanted;
  const venv = join(local, name);
  const python = interpreterOf(venv);
  const stamp = await stampOf(requirements);
  if (await isVenvCurrent(wanted)) return python;

  await mkdir(local, { recursive: true });
  const unlock = await lock(`${venv}.lock`);
  try {
    if (await isVenvCurrent(wanted)) return python;
    const base = await findPython(least, who, most);
    log(announce);
    await rm(venv, { recursive: true, force: true });
    await fill(base, venv, requirements);
    // Last, so that an interrupted one is made again.
    await writeFile(join(venv, 'stamp'), stamp);
    return python;
  } finally {
    await unlock();
  }
}

type Fill = (base: string, venv: string, requirements: string) => Promise<void>;

const withPip: Fill = async (base, venv, requirements) => {
  await run(base, ['-m', 'venv', venv], NO_VENV);
  await pip(interpreterOf(venv), requirements);
};

/**
 * uv needs a second of a processor for what takes pip a minute. It reads none of pip's settings: where only
 * these name an index that answers, pip does it.
 */
const withUv: Fill = async (base, venv, requirements) => {
  const python = interpreterOf(venv);
  await run(base, ['-m', 'venv', '--without-pip', venv], NO_VENV);
  try {
    // Copied: links to uv's cache would let a change of a file here reach other environments.
    const uv = [...'-m uv --quiet pip install --no-deps --link-mode copy --python'.split(' '), python];
    await run(await pipPython(), [...uv, '-r', requirements], 'uv could not install.');
  } catch {
    await run(python, ['-m', 'ensurepip', '--default-pip'], NO_VENV);
    await pip(python, requirements);
  }
};

/** @returns an interpreter that has pip and uv: the other environments have neither */
export const pipPython = (): Promise<string> =>
  venvPython(
    {
      name: 'venv-pip',
      requirements: join(import.meta.dirname, 'uv-requirements.txt'),
      // Local AWS's own least.
      least: [3, 10],
      who: 'Local AWS',
      announce: 'uv, which installs the Python packages: into .local/venv-pip (70 MB) …',
      log: console.error,
    },
    withPip,
  );

const NO_VENV = 'Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv.';

const pip = (python: string, requirements: string): Promise<void> =>
  run(
    python,
    [...PIP, 'install', '--quiet', '--no-compile', '--no-deps', '-r', requirements],
    `pip could not install ${requirements}.`,
  );
const PIP = ['-m', 'pip', '--disable-pip-version-check'];

const interpreterOf = (venv: string): string => join(venv, windows ? 'Scripts/python.exe' : 'bin/python');

const stampOf = async (requirements: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');

/** @returns whether `venvPython` would give it at once */
export async function isVenvCurrent({
  name,
  requirements,
}: Pick<Venv, 'name' | 'requirements'>): Promise<boolean> {
  const venv = join(local, name);
  const stamp = await readFile(join(venv, 'stamp'), 'utf8').catch(() => '');
  return stamp === (await stampOf(requirements)) && (await exists(interpreterOf(venv)));
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
    if (Date.now() > end)
      throw new Error(`${file} is held by process ${owner}; remove it if that is none of ours.`);
    if (owner > 0 && !isAlive(owner)) await takeAway(file, owner);
    else await sleep(500);
  }
}

/**
 * Of all who see that the owner is dead one removes its lock: another would remove that of whoever has made
 * one meanwhile.
 */
async function takeAway(file: string, owner: number): Promise<void> {
  const guard = `${file}.${owner}`;
  const isOurs = await writeFile(guard, '', { flag: 'wx' }).then(
    () => true,
    () => false,
  );
  if (!isOurs) return sleep(50);
  try {
    if (Number(await readFile(file, 'utf8').catch(() => '')) === owner) await rm(file, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** @throws where there is none that fits, with what to do */
export async function findPython(
  [major, minor]: PythonVersion,
  who: string,
  most?: PythonVersion,
): Promise<string> {
  const limit = most ? ` or sys.version_info[:2] > (${most.join(', ')})` : '';
  const check = `import sys, venv; sys.exit(sys.version_info < (${major}, ${minor})${limit})`;
  for (const name of [
    process.env.PYTHON,
    'python3',
    'python',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
    ...(await managed()),
  ]) {
    if (!name) continue;
    const fits = await run(name, ['-c', check], '').then(
      () => true,
      () => false,
    );
    if (fits) return name;
  }
  const range =
    most === undefined ? ' or newer' : most.join('.') === `${major}.${minor}` ? '' : ` to ${most.join('.')}`;
  const own = process.env.PYTHON ? ` PYTHON is ${process.env.PYTHON}, which does not fit.` : '';
  throw new Error(
    `${who} needs Python ${major}.${minor}${range} with the venv module, and found none.${own} Install one, for example with \`uv python install ${(most ?? [major, minor]).join('.')}\` or \`pyenv install ${(most ?? [major, minor]).join('.')}\`, or set PYTHON to the path of its interpreter.`,
  );
}

/** Interpreters that pyenv and uv have installed: pyenv's commands on the PATH work for selected versions only. */
async function managed(): Promise<readonly string[]> {
  if (windows) return [];
  const homes = [
    join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions'),
    process.env.UV_PYTHON_INSTALL_DIR ??
      join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'uv', 'python'),
  ];
  const found = await Promise.all(
    homes.map(async (home) => {
      const names = await readdir(home).catch((): string[] => []);
      return names.sort().map((name) => join(home, name, 'bin', 'python3'));
    }),
  );
  return found.flat().reverse();
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
