import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const requirements = join(here, 'requirements.txt');
export const local = join(dirname(dirname(here)), '.local');
const windows = process.platform === 'win32';

/**
 * The Python of `.local/venv-aws`, which is made on first use and again whenever requirements.txt changes.
 * Throws with what to do when no Python ≥ 3.10 with `venv` is there, or when the packages cannot be had.
 */
export async function awsPython(log: (line: string) => void): Promise<string> {
  const stamp = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  const venv = join(local, 'venv-aws');
  const python = join(venv, windows ? 'Scripts/python.exe' : 'bin/python');
  if ((await readFile(join(venv, 'stamp'), 'utf8').catch(() => '')) === stamp && (await exists(python)))
    return python;

  const base = await findPython();
  log('Making the local AWS: MiniStack from PyPI, about 30 MB to download, 120 MB on disk, half a minute …');
  await mkdir(local, { recursive: true });
  // Made aside and moved into place, so that two starts at once, or an interrupted one, leave no half-made environment.
  const aside = `${venv}.${randomBytes(4).toString('hex')}`;
  try {
    await run(
      base,
      ['-m', 'venv', aside],
      'Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv.',
    );
    const made = join(aside, windows ? 'Scripts/python.exe' : 'bin/python');
    await run(
      made,
      ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--no-deps', '-r', requirements],
      'pip could not install test/local-aws/requirements.txt.',
    );
    await writeFile(join(aside, 'stamp'), stamp);
    await rm(venv, { recursive: true, force: true });
    await rename(aside, venv).catch(async (error) => {
      if (!(await exists(python))) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return python;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function findPython(): Promise<string> {
  for (const name of [process.env['PYTHON'], 'python3', 'python']) {
    if (!name) continue;
    const check = 'import sys, venv; sys.exit(sys.version_info < (3, 10))';
    if (
      await run(name, ['-c', check], '').then(
        () => true,
        () => false,
      )
    )
      return name;
  }
  throw new Error('Local AWS needs Python 3.10 or newer with the venv module (set PYTHON to name it).');
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
