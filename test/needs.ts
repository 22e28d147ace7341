/**
 * What the test command needs of the machine, beside what npm and pip bring: told before it starts, not in
 * the middle of it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPython } from '../local-aws/venv.ts';

const run = promisify(execFile);
const shell = process.platform === 'win32';

/** @returns a sentence for each thing that is not there, with what to do */
export async function lacking(): Promise<readonly string[]> {
  const found = await Promise.allSettled([python(), npm()]);
  return found.flatMap((one) =>
    one.status === 'rejected' ? [one.reason instanceof Error ? one.reason.message : String(one.reason)] : [],
  );
}

async function python(): Promise<void> {
  const base = await findPython([3, 11], 'The test suite');
  // Debian has `venv` without what makes an environment.
  await run(base, ['-c', 'import ensurepip']).catch(() => {
    throw new Error(
      'Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv.',
    );
  });
}

/** Frameworks, plugins and ONNX Runtime come by it. */
async function npm(): Promise<void> {
  await run('npm', ['--version'], { shell }).catch(() => {
    throw new Error('The test suite needs npm on the PATH: it installs frameworks and ONNX Runtime.');
  });
}
