import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { unsafeLocation } from './location.ts';

/** What was found in an archive. */
export type Untarred = {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Paths of links: none is made, since it may lead anywhere. */
  readonly links: readonly string[];
};

/** Its message is the end of a sentence about the archive: "is cut off". */
export const isTarFault = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'TarFault';

const fault = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { name: 'TarFault' });

/** What an archive may become on this disk: a few kilobytes of gzip can be gigabytes. */
export const TAR_LIMITS = { bytes: 10 * 1024 ** 3, entries: 10_000 };

/**
 * Unpacks somebody's `.tar.gz`, whose digest nobody knows beforehand (npm's have one, and are read by
 * `tar.ts`), as it comes in: files only. What leads out of the folder makes all of it refused;
 * what macOS writes beside each file (`._model.onnx`) is left out.
 *
 * @throws TarFault
 */
export async function untar(archive: Readable, folder: string, limits = TAR_LIMITS): Promise<Untarred> {
  const files = new Map<string, number>();
  const links: string[] = [];
  const writing: Promise<void>[] = [];
  const open: WriteStream[] = [];
  let wrong: Error | undefined;
  let [entries, told] = [0, 0];
  const fail = (error: Error): void => {
    wrong ??= error;
  };
  const onEntry = (entry: ReadEntry): void => {
    entries += 1;
    // An archive within the archive counts as well: the parser would unpack it.
    told += entry.size;
    const path = entry.path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
    const unsafe = path === '' || path === '.' ? undefined : unsafeLocation(path);
    const name = JSON.stringify(entry.path.slice(0, 200));
    if (entries > limits.entries) fail(fault(`has more than ${limits.entries} files`));
    else if (told > limits.bytes) fail(tooLarge(limits.bytes));
    else if (unsafe !== undefined) fail(fault(`has ${name} in it, ${unsafe}`));
    else if (LINKS.includes(entry.type)) links.push(path);
    else if (FILES.includes(entry.type) && !/(^|\/)\._/.test(path)) {
      if (files.has(path)) fail(fault(`has ${name} in it twice`));
      files.set(path, entry.size);
    }
    if (wrong !== undefined || !files.has(path) || !FILES.includes(entry.type)) {
      entry.resume();
      return;
    }
    // Its bytes wait until its folder is there.
    let file: WriteStream | undefined;
    const written = mkdir(dirname(join(folder, path)), { recursive: true })
      .then(() => {
        if (wrong !== undefined) throw wrong;
        file = createWriteStream(join(folder, path));
        open.push(file);
        return finished(entry.pipe(file));
      })
      .catch((error: unknown) => {
        // A writer that failed takes nothing more, and nothing must wait for it.
        if (file !== undefined) entry.unpipe(file);
        entry.resume();
        fail(ofDisk(error, path));
      });
    writing.push(written);
  };
  const parser = new Parser({
    onReadEntry: onEntry,
    // A header that is none, or an archive that ends within a file: "Checksum failure", for example.
    onwarn: (code, message) => {
      if (code !== 'TAR_ENTRY_INFO' && code !== 'TAR_ENTRY_UNSUPPORTED')
        fail(fault(code === 'TAR_BAD_ARCHIVE' ? 'is cut off, or no tar' : `is broken: ${message}`));
    },
  });
  let bytes = 0;
  try {
    await pipeline(archive, createGunzip(), async (unzipped: AsyncIterable<Buffer>) => {
      for await (const chunk of unzipped) {
        bytes += chunk.length;
        if (bytes > limits.bytes) fail(tooLarge(limits.bytes));
        if (wrong !== undefined) throw wrong;
        if (!parser.write(chunk)) await new Promise<void>((done) => parser.once('drain', () => done()));
      }
    });
    await new Promise<void>((done) => {
      parser.once('end', () => done());
      parser.end();
    });
  } catch (error) {
    fail(ofGzip(error));
  }
  if (wrong === undefined) await Promise.all(writing);
  if (wrong !== undefined) {
    for (const file of open) file.destroy();
    // Whoever removes the folder now must not find it there again.
    await Promise.allSettled(writing);
    throw wrong;
  }
  return { files: [...files].map(([path, size]) => ({ path, bytes: size })), links };
}

const tooLarge = (bytes: number): Error => fault(`has more than ${bytes} bytes unpacked`);

const FILES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];
const LINKS: readonly string[] = ['SymbolicLink', 'Link'];

function ofGzip(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return fault('is cut off', error);
  if (code === 'Z_DATA_ERROR') return fault('is no gzip, or broken', error);
  return error instanceof Error ? error : new Error(String(error));
}

/** One name is a file's, and a folder's. */
function ofDisk(error: unknown, path: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR')
    return fault(`has ${JSON.stringify(path)} in it as a file and as a folder`, error);
  return error instanceof Error ? error : new Error(String(error));
}
