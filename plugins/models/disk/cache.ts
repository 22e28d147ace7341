import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { type Problem, problemError } from '../problems/errors.ts';
import { noteSha256 } from './fresh.ts';
import { look } from './look.ts';
import { type Digests, isEntry, isWhole, seal } from './whole.ts';

/**
 * Where things that can be made again are kept between runs and between services: `$SERVERLESS_MODELS_CACHE`,
 * else `$XDG_CACHE_HOME/serverless-models`, else `~/.cache/serverless-models`. May be deleted at any time.
 */
export function cacheFolder(...parts: readonly string[]): string {
  const { SERVERLESS_MODELS_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  const base = own || join(xdg || join(homedir(), '.cache'), 'serverless-models');
  // A package names files of it, and may be deployed from another folder.
  return resolve(base, ...parts);
}

const DAY = 24 * 60 * 60 * 1000;
/** Entries unused for so long are deleted when a new one is made beside them. */
const KEEP = 30 * DAY;
const making = new Map<string, Promise<string>>();

type Build = ((folder: string) => Promise<void>) | ((folder: string) => Promise<Digests>);

/**
 * The folder `target`, made by `build` if it is not there, or not whole any more. It appears whole or not at
 * all: `build` fills a folder beside it that is then renamed. The first of several processes wins, and all
 * get the same folder.
 *
 * @param build may return what it knows of the files' digests
 */
export async function once(target: string, build: Build): Promise<string> {
  const running = making.get(target);
  if (running !== undefined) return running;
  const work = make(target, build).finally(() => making.delete(target));
  making.set(target, work);
  return work;
}

async function make(target: string, build: Build): Promise<string> {
  if (await isWhole(target)) {
    const now = new Date();
    await utimes(target, now, now).catch(() => undefined); // A read-only cache is still a cache.
    return target;
  }
  const parent = dirname(target);
  const draft = join(parent, `.${basename(target)}.${process.pid}.${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(parent, { recursive: true });
    await sweep(parent);
    await mkdir(draft);
    await noteAll(draft, target, await seal(draft, (await build(draft)) ?? {}));
    await rename(draft, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
      if (!(await isWhole(target))) await replace(target, draft);
    });
  } catch (error) {
    throw asProblem(error);
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined); // The next sweep tries again.
  }
  return target;
}

/** The marks go along when the folder is renamed; files of who was faster have others. */
async function noteAll(draft: string, target: string, digests: Digests): Promise<void> {
  for (const [path, sha256] of Object.entries(digests))
    noteSha256(join(target, path), (await look(join(draft, path))).mark, sha256);
}

const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'];
/** No room on the file system, or none left of what this user may have. */
const FULL = ['ENOSPC', 'EDQUOT'];

/** What a person can change: a cache that takes no files. */
function asProblem(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', path, dest, syscall }: NodeJS.ErrnoException & { readonly dest?: string } = error;
  const isOurs = (at = ''): boolean => at.startsWith(cacheFolder());
  // Where one of the folders that it lies in cannot be made, that one is named.
  const isAbove = syscall === 'mkdir' && path !== undefined && cacheFolder().startsWith(`${path}${sep}`);
  // What cannot be opened has a path, what cannot be copied has two, and what cannot be written once it is
  // open has none.
  const isFull = FULL.includes(code) && (path === undefined || isOurs(path) || isOurs(dest));
  if (!isFull && !(UNWRITABLE.includes(code) && (isAbove || isOurs(path)))) return error;
  return isFull ? fullProblem(code, error) : cacheProblem(`cannot be written (${code})`, error);
}

/** @param code the system's, or what else shows that files do not fit */
export function fullProblem(code: string, cause?: unknown): Error {
  return cacheProblem(`has no room left (${code})`, cause);
}

function cacheProblem(what: string, cause: unknown): Error {
  const problem: Problem = {
    code: 'MODELS_CACHE',
    key: 'SERVERLESS_MODELS_CACHE',
    value: cacheFolder(),
    message: `The cache folder ${cacheFolder()} ${what}.`,
    fix: 'Give it room and write permission, or name another folder in this environment variable.',
  };
  return problemError([problem], cause);
}

/** Moved out of the way first: whoever reads the old folder meanwhile does not find it half deleted. */
async function replace(target: string, draft: string): Promise<void> {
  const broken = `${draft}.broken`;
  try {
    // Another process may have found it broken, too.
    await rename(target, broken).catch(() => undefined);
    await rename(draft, target).catch(async (error: unknown) => {
      if (!(await isWhole(target))) throw error;
    });
  } finally {
    await rm(broken, { recursive: true, force: true });
  }
}

/** As drafts are called, and what they took the place of. */
const DRAFT = /^\..+\.\d+\.[0-9a-f]{8}(\.broken)?$/;

/**
 * Removes drafts of processes that died, and entries that nobody has used for a month. What is another user’s
 * may have to stay, and keeps nobody from making more. Nothing else: the cache may be named to be in a folder
 * that a person has, and there is a `code` of their own in it.
 */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const isDraft = DRAFT.test(name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > (isDraft ? DAY : KEEP) && (isDraft || (await isEntry(path))))
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Copies a file (by reference, on file systems that can). Never a link: a user's file may be rewritten in
 * place, and one of ours that lies outside the cache would take an entry of it along.
 */
export async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/**
 * Places a file of another entry, which is there already, instead of bringing it once more.
 *
 * @returns false where that entry has none of the name
 */
export async function placeKnown(entry: string | undefined, path: string, draft: string): Promise<boolean> {
  if (entry === undefined || !(await exists(join(entry, path)))) return false;
  await place(join(entry, path), join(draft, path));
  return true;
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** @returns sha256 in hex of the JSON of `parts`: a key for what was made from them. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
