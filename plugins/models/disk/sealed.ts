import type { Dirent } from 'node:fs';
import { access, constants, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isProblemError, type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { sha256Text } from './files.ts';
import { writeWhole } from './whole.ts';

/**
 * Files that people read, keep under version control and may change: texts with `#` comments. Each begins
 * with a line that has the digest of the others, so that it can be told later whether somebody changed it.
 */
export type SealedOptions = {
  /** Who writes them, and what of, for their first line. */
  readonly by: string;
  /** What an earlier version wrote there, and whether a folder's files that have it are these. */
  readonly formerly?: { readonly by: string; readonly areThese: (texts: readonly string[]) => boolean };
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

/** What its first line says; undefined where it has no such line. */
const writerOf = (text: string): string | undefined => SEAL.exec(text)?.[1];

/** Is it as it was written, by one of these? Undefined for what is of nobody of them. */
function isAsWritten(text: string, writers: readonly string[]): boolean | undefined {
  const [line, writer, digest] = SEAL.exec(text) ?? [];
  if (line === undefined || writer === undefined || !writers.includes(writer)) return undefined;
  return sha256Text(text.slice(line.length)) === digest;
}

/**
 * Looks, before a push for example, whether files of these names can be written there. It
 * changes nothing.
 *
 * @throws ProblemError as `writeSealed` does
 */
export async function mayWriteSealed(
  folder: string,
  names: readonly string[],
  options: SealedOptions,
): Promise<void> {
  await told(options.key, folder, async () => {
    await access(await nearest(folder), constants.W_OK | constants.X_OK);
    await look(folder, names, options);
  });
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
  options: SealedOptions,
): Promise<SealedOutcome> {
  return told(options.key, folder, async () => {
    await mkdir(folder, { recursive: true });
    const { found, ours } = await look(folder, Object.keys(files), options);
    const outcome: Record<string, SealedOutcome[string]> = {};
    for (const [name, text] of Object.entries(files)) {
      const whole = sealed(options.by, text);
      const there = found.get(name);
      outcome[name] = there === undefined ? 'created' : there === whole ? 'unchanged' : 'changed';
      if (there !== whole) await writeWhole(join(folder, name), whole);
    }
    for (const name of ours.filter((name) => !Object.hasOwn(files, name))) {
      await rm(join(folder, name));
      outcome[name] = 'removed';
    }
    return outcome;
  });
}

/**
 * @returns the texts of what is there, by name, and the names of those that this may write over or take away
 * @throws ProblemError for what is a person's
 */
async function look(
  folder: string,
  names: readonly string[],
  { by, formerly, key, overwrite }: SealedOptions,
): Promise<{ readonly found: ReadonlyMap<string, string>; readonly ours: readonly string[] }> {
  const found = new Map<string, string>();
  const others: Dirent[] = [];
  for (const entry of await entriesOf(folder))
    if (entry.isFile()) {
      const path = join(folder, entry.name);
      if (names.includes(entry.name) || (await hasSeal(path)))
        found.set(entry.name, plain(await readFile(path, 'utf8')));
    } else if (names.includes(entry.name)) others.push(entry);
  throwProblems(
    others
      // A link is replaced, not followed: where it leads to is another file of a person's.
      .filter((entry) => !overwrite || !entry.isSymbolicLink())
      .map((entry) => otherProblem(key, join(folder, entry.name), entry)),
  );
  const before = [...found.values()].filter((text) => writerOf(text) === formerly?.by);
  const writers = formerly?.areThese(before) ? [by, formerly.by] : [by];
  const ours = [...found].filter(
    ([name, text]) => names.includes(name) || isAsWritten(text, writers) !== undefined,
  );
  if (!overwrite)
    throwProblems(
      ours
        .filter(([, text]) => isAsWritten(text, writers) !== true)
        .map(([name, text]) =>
          isAsWritten(text, writers) === undefined
            ? theirsProblem(key, join(folder, name), writerOf(text), by)
            : changedProblem(key, join(folder, name)),
        ),
    );
  return { found, ours: ours.map(([name]) => name) };
}

/** Bytes of a file that its first line is looked for in. */
const HEAD = 4096;

/**
 * What lies beside may be a model of gigabytes: no more than its beginning is read. What this user may not
 * read is somebody else’s.
 */
async function hasSeal(path: string): Promise<boolean> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES' || error.code === 'EPERM') return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    return SEAL.test(plain(buffer.toString('utf8', 0, bytesRead)));
  } finally {
    await file.close();
  }
}

/** A folder that is not there yet is empty. */
const entriesOf = (folder: string): Promise<readonly Dirent[]> =>
  readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

/** The folder itself, or the one that it would be made in. */
async function nearest(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch (error) {
    const above = dirname(folder);
    if (above === folder || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearest(above);
  }
}

/** What the system refuses is told as a problem with the folder. */
async function told<T>(key: string, folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isProblemError(error)) throw error;
    throw problemError([unwritable(key, folder, error)], error);
  }
}

const changedProblem = (key: string, path: string): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message: `${path} was changed since it was written, and is left as it is; nothing was written.`,
  fix: 'Name another folder, or say --overwrite where the change may be lost.',
});

/** Nothing that acts on a terminal: it is somebody else’s text. */
const SHOWN = /^[\x20-\x7e]{1,200}$/;

const theirsProblem = (key: string, path: string, writer: string | undefined, by: string): Problem => ({
  code: 'MODELS_USAGE',
  key,
  message: `${path} ${writer !== undefined && SHOWN.test(writer) ? `was written by ${writer}, and not by ${by}` : 'is not of this command'}. It is left as it is; nothing was written.`,
  fix: `Name another folder with ${key}, or say --overwrite where the file may be lost.`,
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
