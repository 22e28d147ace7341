/** checkov on the golden templates: what it finds, as plain data. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { venvPython } from '../../local-aws/venv.ts';

export type Finding = {
  /** For example `CKV_AWS_26`. */
  readonly check: string;
  readonly name: string;
  /** `AWS::SNS::Topic.ModelsAlerts` */
  readonly resource: string;
  /** Path of the template below the folder. */
  readonly file: string;
};

/** @returns the interpreter of checkov's environment, which is made first where it is missing or outdated */
export const checkovPython = (): Promise<string> =>
  venvPython({
    name: 'venv-checkov',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    // The pinned numpy's least.
    least: [3, 11],
    who: 'The test suite',
    announce:
      'checkov for the golden templates: installing into .local/venv-checkov (about 300 MB, a minute) …',
    log: (line) => console.error(line),
  });

type Report = {
  readonly results: {
    readonly failed_checks: readonly {
      readonly check_id: string;
      readonly check_name: string;
      readonly resource: string;
      readonly file_path: string;
    }[];
    readonly parsing_errors: readonly string[];
  };
};

/**
 * Everything that fails in the files below a folder. Asks nobody: its checks come with the package.
 * @throws when there is a file that it cannot read
 */
export async function checkov(
  folder: string,
  framework: 'cloudformation' | 'kubernetes' = 'cloudformation',
): Promise<readonly Finding[]> {
  const python = await checkovPython();
  // Named from within, since checkov puts each file's path among the variables that CKV_AWS_45 searches: of a
  // path from the root, 40 characters between two hyphens were a secret key wherever a clone happened to lie
  // so.
  // It makes millions of objects and ends: looking for those that are garbage takes a quarter of its time.
  const run = "import gc, runpy; gc.disable(); runpy.run_module('checkov.main', run_name='__main__')";
  const args = ['-c', run, '-d', '.', '--framework', framework];
  const { stdout } = await promisify(execFile)(
    python,
    [...args, '--output', 'json', '--skip-download', '--soft-fail'],
    {
      cwd: folder,
      maxBuffer: 256 * 1024 ** 2,
      // Seventeen seconds of a processor; a busy machine took four minutes for them.
      timeout: 540_000,
      env: { ...process.env, LOG_LEVEL: 'ERROR' },
    },
  );
  const { results }: Report = JSON.parse(stdout);
  if (results.parsing_errors.length > 0)
    throw new Error(`checkov cannot read ${results.parsing_errors.join(', ')}`);
  return results.failed_checks.map((found) => ({
    check: found.check_id,
    name: found.check_name,
    resource: found.resource,
    file: found.file_path.replace(/^\//, ''),
  }));
}
