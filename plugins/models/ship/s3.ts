import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { s3Client } from '../../../aws/clients/s3.ts';
import { type ObjectHead, objectHead, objectStream, objectsBelow } from '../../../aws/get-object.ts';
import { errorStatus } from '../../../core/errors/aws-errors.ts';
import { readOnnxFile } from '../artifact/onnx/onnx.ts';
import { problemError } from '../declaration/errors.ts';
import { cacheFolder, keyOf, once } from '../disk/cache.ts';
import { unsafeLocation } from '../disk/location.ts';
import type { ShipContext } from './context.ts';

type Item = ObjectHead & { readonly path: string };
type Client = ReturnType<typeof s3Client>;

/** Files in one folder; a prefix with more is not a model's. */
const ITEMS = 1000;

/**
 * Downloads an artifact into the cache, once for each ETag, and says where: the path of the file, or of the folder
 * where the key ends in `/`. A single file brings the weights that it names from beside it.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with what S3 said
 */
export async function fetchArtifact(
  { bucket, key }: { readonly bucket: string; readonly key: string },
  blame: string,
  { aws, progress }: ShipContext,
): Promise<string> {
  const url = `s3://${bucket}/${key}`;
  if (aws === undefined) {
    throw missing(
      blame,
      url,
      'This needs AWS.',
      'Run it where AWS may be asked, or name a file on this disk.',
    );
  }
  const client = s3Client(aws);
  let asked = url;
  try {
    const folder = key === '' || key.endsWith('/');
    const first = folder ? await list(client, bucket, key) : [await head(client, bucket, key, basename(key))];
    if (first.length === 0)
      throw missing(blame, url, 'Nothing is there.', 'Name an object, or a prefix that ends in /.');
    const path = await download(client, bucket, first, progress);
    if (folder) return path;

    const graph = join(path, basename(key));
    const weights: Item[] = [];
    for (const location of locationsOf(graph)) {
      const beside = `${key.slice(0, key.lastIndexOf('/') + 1)}${location}`;
      asked = `s3://${bucket}/${beside}, which the graph names`;
      weights.push(await head(client, bucket, beside, location));
    }
    return weights.length === 0
      ? graph
      : join(await download(client, bucket, [...first, ...weights], progress), basename(key));
  } catch (error) {
    if (error instanceof Error && 'problems' in error) throw error;
    throw missing(blame, asked, reasonOf(error), fixOf(error), error);
  } finally {
    client.destroy();
  }
}

/** Weights that the graph names; none where it cannot be read, or names unsafe ones: `readSource` says so. */
function locationsOf(graph: string): readonly string[] {
  try {
    return readOnnxFile(graph).external.filter((location) => unsafeLocation(location) === undefined);
  } catch {
    return [];
  }
}

const head = async (client: Client, bucket: string, key: string, path: string): Promise<Item> => ({
  ...(await objectHead(client, bucket, key)),
  path,
});

async function list(client: Client, bucket: string, prefix: string): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of objectsBelow(client, bucket, prefix)) {
    for (const item of page) {
      const path = item.key.slice(prefix.length);
      // A console's "folder" is an empty object that ends in a slash.
      if (path !== '' && !path.endsWith('/') && unsafeLocation(path) === undefined)
        items.push({ key: item.key, etag: item.etag, bytes: item.bytes, path });
    }
    if (items.length > ITEMS) throw new Error(`more than ${ITEMS} objects are under this prefix`);
  }
  return items;
}

function download(
  client: Client,
  bucket: string,
  items: readonly Item[],
  progress: ShipContext['progress'],
): Promise<string> {
  const key = keyOf(
    bucket,
    items.map(({ key: name, etag }) => [name, etag]),
  );
  return once(cacheFolder('s3', key.slice(0, 32)), async (draft) => {
    try {
      for (const item of items) {
        progress(`Downloading s3://${bucket}/${item.key} (${Math.ceil(item.bytes / 1e6)} MB)`);
        const target = join(draft, item.path);
        await mkdir(dirname(target), { recursive: true });
        // What was looked at is what is read, or this fails.
        const { body } = await objectStream(client, bucket, item.key, { etag: item.etag });
        await pipeline(body, createWriteStream(target));
      }
    } finally {
      progress(undefined);
    }
  });
}

/** A HEAD has no body, so the status is all that S3 says. */
function reasonOf(error: unknown): string {
  const status = errorStatus(error);
  if (status === 403) return 'S3 denies it (403), or it is not there and may not be listed.';
  if (status === 404) return 'There is no such object or bucket (404).';
  const name = error instanceof Error ? error.name : 'Error';
  const why = error instanceof Error && error.message !== name ? `${name}: ${error.message}` : name;
  return `S3 says ${why.replace(/\.$/, '')}.`;
}

function fixOf(error: unknown): string {
  return errorStatus(error) === 403
    ? 'Allow s3:GetObject on it and s3:ListBucket on its bucket, or use other credentials.'
    : 'Check bucket, key, region and credentials.';
}

function missing(key: string, value: string, message: string, fix: string, cause?: unknown): Error {
  return problemError(
    [{ code: 'MODELS_ARTIFACT_MISSING', key, value, message: `${value}: ${message}`, fix }],
    cause,
  );
}
