import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { s3Client } from '../../../aws/clients/s3.ts';
import { objectStream } from '../../../aws/s3/get-object.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import type { SourceFile } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import { exists } from '../disk/cache.ts';
import type { Upload } from '../disk/files.ts';
import { unsafeLocation } from '../disk/location.ts';
import { FILES_PREFIX, OPTIMISED_PREFIX } from '../plan/shared/registry-place.ts';
import { uploadFiles } from './upload.ts';

/**
 * Optimised files in a registry that machines share: what one made, the others take, and so all deploy the
 * same bytes. `models/optimised/<key>.json` says which of `models/files/<sha256>` they are. All of it may be
 * missing at any time: packaging must work without credentials and without network, and then makes its own.
 */
type Index = { readonly schema: 1; readonly files: readonly SharedFile[] };
type SharedFile = Omit<SourceFile, 'from'>;

/** Optimised files to share, under the key of what they were made from. */
export type Shared = { readonly key: string; readonly files: readonly (SharedFile & Upload)[] };

/**
 * Milliseconds until we go on without the registry: for its answer at all, and a slow 5 MB/s for the files.
 */
const PATIENCE = 2000;
const BYTES_PER_MS = 5000;

/** Buckets that did not answer: asked once, not once a model. */
const silent = new Set<string>();

/**
 * Takes optimised files from the registry, each with the digest that the index says.
 *
 * @param folder where they are written
 * @param main the file without which they are none
 * @returns undefined where there are none, or the registry cannot be read: never throws
 */
export async function takeShared(
  key: string,
  folder: string,
  main: string,
  { aws, registry, progress }: Pick<ShipContext, 'aws' | 'registry' | 'progress'>,
): Promise<readonly SharedFile[] | undefined> {
  if (aws === undefined || registry === undefined || silent.has(registry)) return undefined;
  const client = s3Client({ ...aws, maxAttempts: 1 });
  try {
    const found = await within(PATIENCE, async () =>
      bucketObjects(client, registry).get(`${OPTIMISED_PREFIX}${key}.json`),
    );
    const files = found === undefined ? undefined : indexedFiles(found.text, main);
    if (files === undefined) return undefined;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    progress(`Taking optimised files from s3://${registry} (${Math.ceil(bytes / 1e6)} MB)`);
    await within(PATIENCE + bytes / BYTES_PER_MS, async (signal) => {
      for (const file of files) await take(client, registry, file, join(folder, file.path), signal);
    });
    return files;
  } catch {
    silent.add(registry);
    await rm(folder, { recursive: true, force: true });
    return undefined;
  } finally {
    client.destroy();
  }
}

/** Ends waiting also where the work hears no signal: looking for credentials can take long. */
async function within<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      ending.abort();
      reject(new Error('no answer in time'));
    }, milliseconds);
  });
  try {
    return await Promise.race([work(ending.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns undefined for what we would not have written */
function indexedFiles(text: string, main: string): readonly SharedFile[] | undefined {
  const index: Partial<Index> = JSON.parse(text);
  const files = index.schema === 1 && Array.isArray(index.files) ? index.files : [];
  const isGood = ({ path, sha256, bytes }: SharedFile): boolean =>
    unsafeLocation(path) === undefined && /^[0-9a-f]{64}$/.test(sha256) && Number.isSafeInteger(bytes);
  return files.some(({ path }) => path === main) && files.every(isGood) ? files : undefined;
}

async function take(
  client: ReturnType<typeof s3Client>,
  bucket: string,
  { sha256, bytes }: SharedFile,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const { body, bytes: found } = await objectStream(client, bucket, `${FILES_PREFIX}${sha256}`, { signal });
  if (found !== bytes) throw new Error('another size');
  const hash = createHash('sha256');
  body.on('data', (chunk: Uint8Array) => hash.update(chunk));
  await pipeline(body, createWriteStream(to), { signal });
  if (hash.digest('hex') !== sha256) throw new Error('another digest');
}

/**
 * Puts optimised files into the registry, unless they are there: files first, so that an index never names
 * one that is missing. What a package made elsewhere left behind on that machine is passed over.
 *
 * @throws what S3 says
 */
export async function share(
  aws: NonNullable<ShipContext['aws']>,
  registry: string,
  entries: readonly Shared[],
  progress: ShipContext['progress'],
): Promise<void> {
  const client = s3Client(aws);
  try {
    const objects = bucketObjects(client, registry);
    for (const { key, files } of entries) {
      if (!(await allThere(files))) continue;
      const at = `${OPTIMISED_PREFIX}${key}.json`;
      if ((await objects.get(at)) !== undefined) continue;
      await uploadFiles(aws, registry, FILES_PREFIX, files, progress);
      const listed = files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
      await objects.create(at, JSON.stringify({ schema: 1, files: listed } satisfies Index));
    }
  } finally {
    client.destroy();
  }
}

async function allThere(files: readonly Upload[]): Promise<boolean> {
  return (await Promise.all(files.map(({ from }) => exists(from)))).every(Boolean);
}
