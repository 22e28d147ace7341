import { createHash, randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { sha256Of } from './files.ts';
import { look } from './look.ts';

/**
 * sha256 (hex) of an entry's files, by path. An entry without it is an earlier plugin's, which did not look.
 */
const DIGESTS = '.digests.json';

/** Their sizes: what earlier plugins know a whole entry by, which may share the folder. */
const SIZES = '.index.json';

/** What the files looked like when they were last read and had their digests. */
const READ = '.read';

/** sha256 (hex) of files of an entry, by path, where who made it knows it. */
export type Digests = Readonly<Record<string, string>>;

/**
 * Ends the making of an entry of the cache: notes what its files are, once they are on the disk.
 *
 * @returns sha256 of each by path
 */
export async function seal(folder: string, known: Digests = {}): Promise<Digests> {
  // Who names the files is anybody: one may be called as what every object has.
  const sizes = new Map<string, number>();
  const digests = new Map<string, string>();
  for (const path of await pathsBelow(folder)) {
    const from = join(folder, path);
    sizes.set(path, (await stat(from)).size);
    digests.set(path, (Object.hasOwn(known, path) ? known[path] : undefined) ?? (await sha256Of(from)));
    // A rename can reach the disk before what it renames: after a crash of the machine, files would be there
    // and empty.
    await flush(from);
  }
  const sealed: Digests = Object.fromEntries(digests);
  await writeFile(join(folder, SIZES), JSON.stringify(Object.fromEntries(sizes)));
  await writeFile(join(folder, DIGESTS), JSON.stringify(sealed));
  return sealed;
}

/** Has a folder what each entry has, also one of an earlier plugin? */
export const isEntry = (folder: string): Promise<boolean> =>
  stat(join(folder, SIZES)).then(
    () => true,
    () => false,
  );

/**
 * Are all files of an entry what they were when it was sealed? They are read again only where one looks
 * different than the last time that they were read: written to, or restored from elsewhere.
 */
export async function isWhole(folder: string): Promise<boolean> {
  const digests = await readFile(join(folder, DIGESTS), 'utf8')
    .then((text): Readonly<Record<string, string>> => JSON.parse(text))
    .catch(() => undefined);
  if (digests === undefined) return false;
  const looks = createHash('sha256');
  let settled = true;
  for (const [path, digest] of Object.entries(digests)) {
    const now = await look(join(folder, path)).catch(() => undefined);
    if (now === undefined) return false;
    looks.update(JSON.stringify([path, digest, now.mark]));
    settled &&= now.settled;
  }
  const seen = looks.digest('hex');
  if (seen === (await readFile(join(folder, READ), 'utf8').catch(() => undefined))) return true;
  for (const [path, digest] of Object.entries(digests)) {
    if ((await sha256Of(join(folder, path)).catch(() => undefined)) !== digest) return false;
  }
  // Where it cannot be noted, the files are read again the next time.
  if (settled) await writeWhole(join(folder, READ), seen).catch(() => undefined);
  return true;
}

async function pathsBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function flush(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.datasync();
  } catch {
    // Windows flushes only what is open for writing, and Yarn's Plug'n'Play nothing.
  } finally {
    await file.close();
  }
}

/**
 * Writes a file into a folder that is there, so that readers see the old content or the new one, never a
 * part.
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
