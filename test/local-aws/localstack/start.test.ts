import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { localAws } from '../../../local-aws/start.ts';
import { findPython } from '../../../local-aws/venv.ts';

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(process.execPath, [...args], { env: { ...process.env, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
const aws = (...args: string[]) => run([join(localAws, 'aws.ts'), ...args]);

it('says which emulators there are, and what LocalStack has not', async () => {
  const other = await aws('start', '--with', 'floci');
  expect(other.code).toBe(2);
  expect(other.text).toContain('--with is ministack or localstack, not floci.');
  const fast = await aws('start', '--with', 'localstack', '--speed', '20');
  expect(fast.code).toBe(2);
  expect(fast.text).toContain('its clock is the real one');
});

it('names the Python that it needs, and what to do, where there is none', async () => {
  // Neither on the PATH, nor where pyenv and uv keep theirs.
  const home = mkdtempSync(join(tmpdir(), 'models-no-python-'));
  const { code, text } = await run(
    [
      '--input-type=module',
      '-e',
      `const { findPython } = await import(${JSON.stringify(join(localAws, 'venv.ts'))});
       await findPython([3, 13], 'LocalStack 2026.3.0', [3, 13]).catch((error) => console.log(error.message));`,
    ],
    { PATH: dirname(process.execPath), HOME: home, PYENV_ROOT: home, PYTHON: join(home, 'python3.9') },
  );
  rmSync(home, { recursive: true });
  expect(code, text).toBe(0);
  expect(text).toMatch(/^LocalStack 2026\.3\.0 needs Python 3\.13 with the venv module, and found none\./);
  expect(text).toContain(`PYTHON is ${join(home, 'python3.9')}, which does not fit.`);
  expect(text).toMatch(/`uv python install 3\.13` or `pyenv install 3\.13`, or set PYTHON to the path/);
});

it('takes no Python that is too new', async () => {
  const found = await findPython([3, 10], 'A test');
  const { stdout } = await promisify(execFile)(found, ['-c', 'import sys; print(*sys.version_info[:2])']);
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number);
  const older = findPython([major, 0], 'A test', [major, minor - 1]);
  const chosen = await older.catch(() => undefined);
  expect(chosen).not.toBe(found);
});
