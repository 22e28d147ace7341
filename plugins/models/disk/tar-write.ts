import { createReadStream } from 'node:fs';
import { Header, type HeaderData, Pax } from 'tar';
import { problemError } from '../problems/errors.ts';
import { type ArchiveEntry, sorted } from './files.ts';

const BLOCK = 512;

/** Who owns it and when it was made are no part of what it is. */
const NOBODY = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) } as const;

/** All may read: a container runs as whoever its host says. */
const MODES = { Directory: 0o755, File: 0o644 } as const;

/**
 * A tar whose bytes depend on nothing but paths and contents: sorted, one time, one owner, two modes. What a
 * name of ustar cannot hold goes into a PAX header:
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 *
 * Folders are in it but those of the first level, `opt/` for one: they are there already where a tar is
 * unpacked over others, and stay as they are.
 *
 * @throws ProblemError where a file is not as long as its entry says, or has gone
 */
export async function* writeTar(entries: readonly ArchiveEntry[]): AsyncGenerator<Uint8Array> {
  const folders = new Set<string>();
  let last: string | undefined;
  for (const { path, from, bytes } of sorted(entries)) {
    if (path === last) throw new Error(`${path} is in the archive twice`);
    last = path;
    for (const folder of foldersOf(path)) {
      if (!folders.has(folder)) yield headerOf({ path: `${folder}/`, size: 0, type: 'Directory' });
      folders.add(folder);
    }
    yield headerOf({ path, size: bytes, type: 'File' });
    let left = bytes;
    try {
      for await (const chunk of createReadStream(from, { highWaterMark: 1024 * 1024 })) {
        left -= chunk.length;
        if (left < 0) break;
        yield chunk;
      }
    } catch (error) {
      throw changed(from, bytes, error);
    }
    if (left !== 0) throw changed(from, bytes);
    const padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** A tar of one folder, with nothing in it. @param path without a slash at its end */
export const folderTar = (path: string): Uint8Array =>
  Buffer.concat([headerOf({ path: `${path}/`, size: 0, type: 'Directory' }), Buffer.alloc(2 * BLOCK)]);

/** From the second level on. */
function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.slice(1).map((_, index) => parts.slice(0, index + 2).join('/'));
}

function headerOf(
  entry: Required<Pick<HeaderData, 'path' | 'size'>> & { readonly type: keyof typeof MODES },
): Buffer {
  const data = { ...entry, ...NOBODY, mode: MODES[entry.type] };
  const header = new Header(data);
  const isAscii = /^[\x20-\x7e]*$/.test(entry.path);
  const isWhole = !header.encode() && isAscii;
  const block = header.block ?? Buffer.alloc(BLOCK);
  if (isWhole) return block;
  const { path, size } = entry;
  return Buffer.concat([new Pax({ path, size }).encode(), block]);
}

const changed = (from: string, bytes: number, cause?: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_CACHE',
        key: 'models',
        value: from,
        message: `${from} had ${bytes} bytes when it was looked at, and has others now, or is gone.`,
        fix: 'Package again.',
      },
    ],
    cause,
  );
