import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Manifest, RemoteFile } from '../../core/endpoint/contract.ts';
import { type FilesPlace, filesPlace } from './files-place.ts';
import { wholeFile } from './whole-file.ts';

const PART_BYTES = 8 * 1024 * 1024;
/**
 * S3 gives a connection some 100 MB/s, Lambda a few hundred in all; with 8 MB parts this takes 64 MB of
 * memory.
 */
const PARALLEL = 8;

/**
 * Brings the files of an artifact that did not fit the zip from the bucket, or a folder, beside those that
 * did.
 *
 * @param root the function's own folder
 * @returns the folder below which `manifest.file` lies
 * @throws where a file is missing, denied, or not the bytes that its digest says
 */
export async function wholeArtifact(
  manifest: Manifest,
  root: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  if (await areThere(manifest.remote, root)) return root;
  const place = await filesPlace(environment);
  for (const file of manifest.remote) checkNames(file);
  const folder = join('/tmp', `model-${manifest.identity}`);
  await mkdir(folder, { recursive: true });
  await checkOwner(folder);
  // ONNX Runtime wants external data below the graph's folder, and no links out of it.
  await copyBeside(root, folder, dirname(manifest.file));
  for (const file of manifest.remote) await fetchRemoteFile(file, folder, place);
  return folder;
}

/**
 * Copies the files of a folder that are in the zip. Others may have them open: what is whole is not written
 * again.
 */
async function copyBeside(root: string, folder: string, below: string): Promise<void> {
  const found = await readdir(join(root, below), { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return [];
    },
  );
  for (const entry of found) {
    if (entry.isDirectory()) continue;
    const from = join(entry.parentPath, entry.name);
    const to = join(folder, relative(root, from));
    const [own, there] = await Promise.all([stat(from), stat(to).catch(() => undefined)]);
    if (there?.size !== own.size) await wholeFile(to, (part) => copyFile(from, part));
  }
}

/** The manifest is ours, but what it names becomes paths on a machine that is shared. */
function checkNames({ path, sha256 }: RemoteFile): void {
  const inside = relative('/model', join('/model', path));
  const isBelow = !inside.startsWith('..') && inside === join(path);
  if (isBelow && /^[0-9a-f]{64}$/.test(sha256)) return;
  throw new Error(
    `The manifest’s remote has the file ${JSON.stringify(path)} with the digest ${JSON.stringify(sha256)}: paths lie below the function’s folder, and digests are sha256 in hex. Package the model again.`,
  );
}

/** Elsewhere than on Lambda others may write to /tmp, and a whole file that is there is not read again. */
async function checkOwner(folder: string): Promise<void> {
  const found = await lstat(folder);
  const own = process.getuid?.() ?? found.uid;
  if (found.isDirectory() && found.uid === own) return;
  throw new Error(
    `${folder}, where the model’s files go, is no folder of this process’s user (${own}). Remove it.`,
  );
}

/** On a developer's machine nothing limits a function's folder: then all of the artifact lies there. */
async function areThere(files: readonly RemoteFile[], root: string): Promise<boolean> {
  const sizes = await Promise.all(
    files.map(({ path }) =>
      stat(join(root, path)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  );
  return files.every(({ bytes }, index) => sizes[index] === bytes);
}

/** Ranges arrive in parallel and are hashed and written in order, so that no byte is read twice. */
export async function fetchRemoteFile(
  file: RemoteFile,
  folder: string,
  { read, name, fix }: FilesPlace,
): Promise<void> {
  const path = join(folder, file.path);
  const there = await stat(path).catch(() => undefined);
  // /tmp outlives an initialisation that Lambda cut off and repeats; a file gets its name only when it is
  // whole.
  if (there?.size === file.bytes) return;
  await wholeFile(path, async (part) => {
    const output = await open(part, 'w');
    const hash = createHash('sha256');
    let written = 0;
    try {
      const waiting: Promise<Uint8Array>[] = [];
      let asked = 0;
      while (written < file.bytes) {
        while (asked < file.bytes && waiting.length < PARALLEL) {
          const end = Math.min(asked + PART_BYTES, file.bytes);
          const range = read(file.sha256, asked, end);
          // Awaited below in its turn; until then a failure must not count as unhandled.
          range.catch(() => {});
          waiting.push(range);
          asked = end;
        }
        const next = waiting.shift();
        // All was asked for, and less has come.
        if (next === undefined) break;
        const bytes = await next;
        if (bytes.length === 0) break;
        hash.update(bytes);
        // A disk that is nearly full takes a part, and tells it with the next one.
        for (let at = 0; at < bytes.length; )
          at += (await output.write(bytes, at, bytes.length - at, written + at)).bytesWritten;
        written += bytes.length;
      }
    } finally {
      await output.close();
    }
    const wrong =
      written !== file.bytes
        ? `it has ${written} bytes instead of ${file.bytes}`
        : hash.digest('hex') !== file.sha256 && 'its sha256 differs';
    if (wrong)
      throw new Error(
        `${name}: ${file.sha256}, for ${file.path}, is not the file that was packaged: ${wrong}. ${fix}`,
      );
  });
}
