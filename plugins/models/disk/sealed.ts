import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isProblemError, type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { sha256Text } from './files.ts';
import { writeWhole } from './whole.ts';

/**
 * Files that people read, keep under version control and may change: texts with `#` comments. Each begins
 * with a line that has the digest of the others, so that it can be told later whether somebody changed it.
 */
export type SealedOptions = {
  /** Who writes them, for their first line. */
  readonly by: string;
  /** The option of the command line that names the folder. */
  readonly key: string;
  /** Changed ones may be written over. */
  readonly overwrite: boolean;
};

/** What became of each file, by its name. */
export type SealedOutcome = Readonly<Record<string, 'created' | 'changed' | 'unchanged' | 'removed'>>;

const SEAL = /^# Written by (.+); sha256 of the lines below: ([0-9a-f]{64})\n/;

/** Git may have put the line ends of another system in. */
const plain = (text: string): string => text.replaceAll('\r\n', '\n');

const sealed = (by: string, text: string): string =>
  `# Written by ${by}; sha256 of the lines below: ${sha256Text(text)}\n${text}`;

/** Is it as it was written, by the same? Undefined for what has no such line. */
function isAsWritten(text: string, by: string): boolean | undefined {
  const [line, writer, digest] = SEAL.exec(text) ?? [];
  if (line === undefined || writer !== by) return undefined;
  return sha256Text(text.slice(line.length)) === digest;
}

/**
 * Writes all of them or none. What was written earlier, and is none of them any more, goes.
 *
 * @param files texts by name
 * @throws ProblemError where a person changed one of them, or has another under its name; where the folder
 * cannot be written
 */
export async function writeSealed(
  folder: string,
  files: Readonly<Record<string, string>>,
  { by, key, overwrite }: SealedOptions,
): Promise<SealedOutcome> {
  try {
    await mkdir(folder, { recursive: true });
    const found = new Map<string, string>();
    const others: Dirent[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isFile()) found.set(entry.name, plain(await readFile(join(folder, entry.name), 'utf8')));
      else if (Object.hasOwn(files, entry.name)) others.push(entry);
    throwProblems(
      others
        // A link is replaced, not followed: where it leads to is another file of a person's.
        .filter((entry) => !overwrite || !entry.isSymbolicLink())
        .map((entry) => otherProblem(key, join(folder, entry.name), entry)),
    );
    const ours = [...found].filter(
      ([name, text]) => Object.hasOwn(files, name) || isAsWritten(text, by) !== undefined,
    );
    const changed = ours.filter(
      ([name, text]) => isAsWritten(text, by) !== true && text !== sealed(by, files[name] ?? ''),
    );
    if (!overwrite)
      throwProblems(
        changed.map(([name, text]) => changedProblem(key, join(folder, name), isAsWritten(text, by))),
      );
    const outcome: Record<string, SealedOutcome[string]> = {};
    for (const [name, text] of Object.entries(files)) {
      const whole = sealed(by, text);
      const before = found.get(name);
      outcome[name] = before === undefined ? 'created' : before === whole ? 'unchanged' : 'changed';
      if (before !== whole) await writeWhole(join(folder, name), whole);
    }
    for (const [name] of ours.filter(([name]) => !Object.hasOwn(files, name))) {
      await rm(join(folder, name));
      outcome[name] = 'removed';
    }
    return outcome;
  } catch (error) {
    if (isProblemError(error)) throw error;
    throw problemError([unwritable(key, folder, error)], error);
  }
}

const changedProblem = (key: string, path: string, written: boolean | undefined): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message: `${path} ${written === undefined ? 'is not of this command' : 'was changed since it was written'}, and is left as it is; nothing was written.`,
  fix: 'Name another folder, or say --overwrite where the change may be lost.',
});

const otherProblem = (key: string, path: string, entry: Dirent): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message: `${path} is ${entry.isSymbolicLink() ? 'a link' : entry.isDirectory() ? 'a folder' : 'no file'}, and is left as it is; nothing was written.`,
  fix: entry.isSymbolicLink()
    ? 'Name another folder, or say --overwrite where a file may take the place of the link.'
    : 'Name another folder, or take it away.',
});

const unwritable = (key: string, folder: string, error: unknown): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message: `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
  fix: 'Name a folder that can be written.',
});
