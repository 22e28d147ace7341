import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type Problem, problemError } from '../errors.ts';

/**
 * Where things that can be made again are kept between runs and between services: `$SERVERLESS_MODELS_CACHE`, else
 * `$XDG_CACHE_HOME/serverless-models`, else `~/.cache/serverless-models`. May be deleted at any time.
 */
export function cacheFolder(...parts: readonly string[]): string {
  const { SERVERLESS_MODELS_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  const base = own || join(xdg || join(homedir(), '.cache'), 'serverless-models');
  return join(base, ...parts);
}

const DAY = 24 * 60 * 60 * 1000;
/** Entries unused for so long are deleted when a new one is made beside them. */
const KEEP = 30 * DAY;
const making = new Map<string, Promise<string>>();

/** Sizes of an entry's files, by path. */
const INDEX = '.index.json';

/**
 * The folder `target`, made by `build` if it is not there, or not whole any more. It appears whole or not at all: `build`
 * fills a folder beside it that is then renamed. Of several processes the first one wins, and all get the same folder.
 */
export async function once(target: string, build: (folder: string) => Promise<void>): Promise<string> {
  const running = making.get(target);
  if (running !== undefined) return running;
  const work = make(target, build).finally(() => making.delete(target));
  making.set(target, work);
  return work;
}

async function make(target: string, build: (folder: string) => Promise<void>): Promise<string> {
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
    await build(draft);
    await writeFile(join(draft, INDEX), JSON.stringify(await sizesBelow(draft)));
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

const UNWRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST'];

/** What a person can mend: a cache that takes no files. */
function asProblem(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return error;
  if (!UNWRITABLE.includes(String(error.code)) || !String(error.path).startsWith(cacheFolder())) return error;
  const problem: Problem = {
    code: 'MODELS_CACHE',
    key: 'SERVERLESS_MODELS_CACHE',
    value: cacheFolder(),
    message: `The cache folder ${cacheFolder()} cannot be written (${error.code}).`,
    fix: 'Give it room and write permission, or name another folder in this environment variable.',
  };
  return problemError([problem], error);
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

/** A rename can reach the disk before what it renames: after a crash of the machine, files may be there and empty. */
async function isWhole(folder: string): Promise<boolean> {
  const index = await readFile(join(folder, INDEX), 'utf8')
    .then((text): Readonly<Record<string, number>> => JSON.parse(text))
    .catch(() => undefined);
  if (index === undefined) return false;
  const sizes = await sizesBelow(folder).catch((): Record<string, number> => ({}));
  return Object.entries(index).every(([path, bytes]) => sizes[path] === bytes);
}

async function sizesBelow(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) sizes[relative(folder, path)] = (await stat(path)).size;
  }
  return sizes;
}

/** Removes drafts of processes that died, and what nobody has used for a month. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > (name.startsWith('.') ? DAY : KEEP)) await rm(path, { recursive: true, force: true });
  }
}

/** Writes a file so that readers see the old content or the new one, never a part. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Puts a file somewhere as cheaply as is safe: what lies in the cache never changes and is linked; a user's file may
 * be rewritten in place and is copied (by reference, on file systems that can).
 */
export async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const copy = (): Promise<void> => copyFile(from, to, constants.COPYFILE_FICLONE);
  await (from.startsWith(cacheFolder() + sep) ? link(from, to).catch(copy) : copy());
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** @returns sha256 in hex of the JSON of `parts`: a key for what was made from them. */
export function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
