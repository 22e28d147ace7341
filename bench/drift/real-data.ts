/** Public data in the wheels of two packages and in scikit-learn, made ready once for this checkout. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { local, lock, pipPython } from '../../local-aws/venv.ts';
import { pythonBin } from '../../test/python.ts';

const HERE = join(import.meta.dirname, 'real');
const SCRIPT = join(HERE, 'split.py');
const WHEELS = join(HERE, 'requirements.txt');
const run = promisify(execFile);

/**
 * @returns the folder with what split.py writes, which is downloaded (24 MB) and made first where it is
 * missing or outdated
 */
export async function realData(): Promise<string> {
  const folder = join(local, 'real-data');
  const stamp = createHash('sha256');
  for (const file of [SCRIPT, WHEELS]) stamp.update(await readFile(file));
  const due = stamp.digest('hex');
  await mkdir(local, { recursive: true });
  const python = await pythonBin();
  const unlock = await lock(`${folder}.lock`);
  try {
    const made = await readFile(join(folder, 'stamp'), 'utf8').catch(() => '');
    if (made === due) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const pip = [...'-m pip --disable-pip-version-check download --quiet --no-deps'.split(' ')];
    const wheels = [
      '--ignore-requires-python',
      '--require-hashes',
      '-r',
      WHEELS,
      '-d',
      join(folder, 'wheels'),
    ];
    await run(await pipPython(), [...pip, ...wheels]);
    await run(python, [SCRIPT, folder]);
    // Last, so that an interrupted one is made again.
    await writeFile(join(folder, 'stamp'), due);
    return folder;
  } finally {
    await unlock();
  }
}
