import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A file for an archive: its path there (with `/`), and where its bytes are. */
export type ArchiveEntry = { readonly path: string; readonly from: string; readonly bytes: number };

/** A file that goes to a bucket under a sha256: its own, or that of what is in its zip. */
export type Upload = { readonly sha256: string; readonly bytes: number; readonly from: string };

/** Every file below `folder`, sorted by path (by code unit: a locale would differ between machines). */
export async function filesBelow(folder: string, prefix = ''): Promise<ArchiveEntry[]> {
  const found: ArchiveEntry[] = [];
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

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

export const sha256Text = (text: string): string => createHash('sha256').update(text).digest('hex');

/** @returns sha256 (hex) over paths and contents, independent of order, times and compression. */
export function digestOf(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const hash = createHash('sha256');
  for (const { path, sha256 } of sorted(files)) hash.update(`${sha256}  ${path}\n`);
  return hash.digest('hex');
}
