import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A file for an archive: its path there (with `/`), and where its bytes are. */
export type Entry = { readonly path: string; readonly from: string; readonly bytes: number };

/** ZIP has local time without a zone, from 1980 on; local noon of its first day is the same two words everywhere. */
const MTIME = new Date(1980, 0, 1, 12, 0, 0);

/** Every file below `folder`, sorted by path (by code unit: a locale would differ between machines). */
export async function filesBelow(folder: string, prefix = ''): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const item of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = `${prefix}${item.name}`;
    if (item.isDirectory()) found.push(...(await filesBelow(folder, `${path}/`)));
    else {
      const from = join(folder, path);
      found.push({ path, from, bytes: (await stat(from)).size });
    }
  }
  return sorted(found);
}

export function sorted<T extends { readonly path: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/**
 * Writes a zip whose bytes depend on nothing but paths and contents: sorted, one time, one mode (Lambda runs as
 * another user: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html, so all may read). The deflated
 * form may differ between builds of zlib, hence `digestOf` for comparing contents across machines.
 *
 * @returns size of the zip in bytes
 */
export async function writeZip(target: string, entries: readonly Entry[]): Promise<number> {
  await mkdir(dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}`;
  const zip = new ZipFile();
  for (const { path, from } of sorted(entries)) {
    zip.addFile(from, path, { mtime: MTIME, mode: 0o100644, forceDosTimestamp: true });
  }
  const failed = new Promise<never>((_, reject) => zip.on('error', reject));
  try {
    zip.end();
    await Promise.race([pipeline(zip.outputStream, createWriteStream(draft)), failed]);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
  return (await stat(target)).size;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @returns sha256 (hex) over paths and contents, independent of order, times and compression. */
export function digestOf(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256 } of sorted(files)) hash.update(`${sha256}  ${path}\n`);
  return hash.digest('hex');
}
