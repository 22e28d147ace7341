import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { type ArchiveEntry, sorted } from './files.ts';

/**
 * ZIP has local time without a zone, from 1980 on; local noon of its first day is the same two words
 * everywhere.
 */
const MTIME = new Date(1980, 0, 1, 12, 0, 0);

/**
 * Writes a zip whose bytes depend on nothing but paths and contents: sorted, one time, one mode (Lambda runs
 * as another user: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html, so all may read). The
 * deflated form may differ between builds of zlib, hence `digestOf` for comparing contents across machines.
 *
 * @returns size of the zip in bytes
 */
export async function writeZip(target: string, entries: readonly ArchiveEntry[]): Promise<number> {
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
