import { createHash } from 'node:crypto';
import { cp, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bucketRanges } from '../../aws/s3/ranges.ts';
import { ENV, type Manifest, type RemoteFile } from '../../core/endpoint/contract.ts';
import type { ReadRange } from '../../core/ports/files.ts';

const PART_BYTES = 8 * 1024 * 1024;
/**
 * S3 gives a connection some 100 MB/s, Lambda a few hundred in all; with 8 MB parts this takes 64 MB of
 * memory.
 */
const PARALLEL = 8;

/**
 * Brings the files of an artifact that did not fit the zip from the bucket, beside those that did.
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
  const folder = join('/tmp', `model-${manifest.identity}`);
  await mkdir(folder, { recursive: true });
  const inZip = dirname(manifest.file);
  // ONNX Runtime wants external data below the graph's folder, and no links out of it.
  await cp(join(root, inZip), join(folder, inZip), { recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    },
  );
  await fetchFiles(manifest.remote, folder, environment);
  return folder;
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

async function fetchFiles(
  files: readonly RemoteFile[],
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const read = readFromBucket(environment);
  for (const file of files) await fetchRemoteFile(file, folder, read);
}

function readFromBucket(environment: NodeJS.ProcessEnv): ReadRange {
  const bucket = environment[ENV.filesBucket];
  const prefix = environment[ENV.filesPrefix];
  if (bucket === undefined || prefix === undefined) {
    throw new Error(
      `The environment lacks ${ENV.filesBucket} or ${ENV.filesPrefix}, where the model’s files are.`,
    );
  }
  return bucketRanges(bucket, prefix);
}

/** Ranges arrive in parallel and are hashed and written in order, so that no byte is read twice. */
export async function fetchRemoteFile(file: RemoteFile, folder: string, read: ReadRange): Promise<void> {
  const path = join(folder, file.path);
  const there = await stat(path).catch(() => undefined);
  // /tmp outlives an initialisation that Lambda cut off and repeats; a file gets its name only when it is
  // whole.
  if (there?.size === file.bytes) return;
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const output = await open(part, 'w');
  const hash = createHash('sha256');
  try {
    const waiting: Promise<Uint8Array>[] = [];
    let asked = 0;
    let written = 0;
    while (written < file.bytes) {
      while (asked < file.bytes && waiting.length < PARALLEL) {
        const end = Math.min(asked + PART_BYTES, file.bytes);
        const range = read(file.sha256, asked, end);
        // Awaited below in its turn; until then a failure must not count as unhandled.
        range.catch(() => {});
        waiting.push(range);
        asked = end;
      }
      const bytes = await (waiting.shift() as Promise<Uint8Array>);
      if (bytes.length === 0) break;
      hash.update(bytes);
      await output.write(bytes, 0, bytes.length, written);
      written += bytes.length;
    }
    await output.close();
    if (written !== file.bytes || hash.digest('hex') !== file.sha256) {
      throw new Error(
        `${file.path} from the bucket is not the file that was packaged: its sha256 or size differs.`,
      );
    }
    await rename(part, path);
  } catch (error) {
    await output.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
