import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { s3Client } from '../../../../aws/clients/s3.ts';
import { type ObjectHead, objectHead, objectStream, objectsBelow } from '../../../../aws/s3/get-object.ts';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { cacheFolder, keyOf, once, placeKnown } from '../../disk/cache.ts';
import { unsafeLocation } from '../../disk/location.ts';
import { isTarFault } from '../../disk/untar.ts';
import { problemError } from '../../problems/errors.ts';
import { cutOff, isBrokenOff, s3Fix, s3Reason } from './s3-faults.ts';

type Item = ObjectHead & { readonly path: string };
type Client = ReturnType<typeof s3Client>;

/** Files in one folder; a prefix with more is not a model's. */
const ITEMS = 1000;

/** Where a reference leads. */
type Place = { readonly bucket: string; readonly key: string };

const urlOf = ({ bucket, key }: Place): string => `s3://${bucket}/${key}`;
const isFolder = ({ key }: Place): boolean => key.endsWith('/');
/** What stands before the names of its files. */
const prefixOf = ({ key }: Place): string => key.slice(0, key.lastIndexOf('/') + 1);

/**
 * What is there now, each object with its ETag.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with S3's answer
 */
export function resolveObjects(
  reference: string,
  place: Place,
  context: SourceContext,
): Promise<ResolvedArtifact> {
  return atS3(place, context, async (client) => {
    const { bucket, key } = place;
    const tooMany = (): Error =>
      missing(
        context.key,
        urlOf(place),
        `More than ${ITEMS} objects are there, which is no model.`,
        'Name the prefix of the model alone, or its graph.',
      );
    const items = isFolder(place)
      ? await list(client, bucket, key, tooMany)
      : [await head(client, bucket, key, key.slice(prefixOf(place).length))];
    if (items.length === 0) {
      const fix = 'Name an object, or a prefix that ends in /.';
      throw missing(context.key, urlOf(place), 'Nothing is there.', fix);
    }
    const files = items.map(({ path, etag, bytes }) => ({ path, version: etag, bytes }));
    return { reference, isFolder: isFolder(place), files };
  });
}

/**
 * Downloads an artifact into the cache, once for each ETag. A single file brings the weights that it names
 * from beside it.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with S3's answer
 */
export function fetchObjects(
  resolved: ResolvedArtifact,
  place: Place,
  beside: (file: string) => readonly string[],
  context: SourceContext,
): Promise<FetchedArtifact> {
  return atS3(place, context, async (client, asking) => {
    const { bucket } = place;
    const prefix = prefixOf(place);
    const items = resolved.files.map(
      ({ path, version = '', bytes }): Item => ({ key: `${prefix}${path}`, etag: version, bytes, path }),
    );
    const folder = await download(client, bucket, items, context.progress);
    const [graph] = items;
    if (resolved.isFolder || graph === undefined) return { path: folder, isOurs: true };
    const weights: Item[] = [];
    for (const path of beside(join(folder, graph.path))) {
      const key = `${prefix}${path}`;
      asking(`s3://${bucket}/${key}, which is needed beside it`);
      weights.push(await head(client, bucket, key, path));
    }
    const whole =
      weights.length === 0
        ? folder
        : await download(client, bucket, [...items, ...weights], context.progress, folder);
    return { path: join(whole, graph.path), isOurs: true };
  });
}

/**
 * Reads one object as it comes in, if it is still the one that was looked at.
 *
 * @param work is given its bytes, and their number where S3 tells it
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with S3's answer; what is wrong with an archive goes through
 */
export function withObject<T>(
  place: Place,
  etag: string,
  context: SourceContext,
  work: (body: Readable, bytes: number | undefined) => Promise<T>,
): Promise<T> {
  return atS3(place, context, (client) =>
    bodyOf(() => objectStream(client, place.bucket, place.key, { etag }), work),
  );
}

/** Times that a body is read which breaks off, and milliseconds before the second; the third waits longer. */
const [TRIES, PAUSE] = [3, 500];

/**
 * Reads a body, and again where it breaks off: the client repeats only what was not answered.
 *
 * @param work is done anew then
 */
async function bodyOf<T>(
  ask: () => ReturnType<typeof objectStream>,
  work: (body: Readable, bytes: number | undefined) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const { body, bytes } = await ask();
    try {
      return await work(body, bytes);
    } catch (error) {
      if (!isBrokenOff(error) || attempt === TRIES) throw error;
      await sleep(PAUSE * 4 ** (attempt - 1));
    }
  }
}

/** @param work is given a function by which it says what it asks for, where that is not the place itself */
async function atS3<T>(
  place: Place,
  { aws, key }: SourceContext,
  work: (client: Client, asking: (what: string) => void) => Promise<T>,
): Promise<T> {
  let asked = urlOf(place);
  if (aws === undefined) {
    const fix = 'Run it where AWS may be asked, or name a file on this disk.';
    throw missing(key, asked, 'This needs AWS.', fix);
  }
  // Where the service is deployed, not each bucket of models lies.
  const client = s3Client({ ...aws, followRegionRedirects: true });
  try {
    return await work(client, (what) => {
      asked = what;
    });
  } catch (error) {
    if (isTarFault(error) || (error instanceof Error && 'problems' in error)) throw error;
    throw missing(key, asked, s3Reason(error), s3Fix(error), error);
  } finally {
    client.destroy();
  }
}

const head = async (client: Client, bucket: string, key: string, path: string): Promise<Item> => ({
  ...(await objectHead(client, bucket, key)),
  path,
});

async function list(client: Client, bucket: string, prefix: string, tooMany: () => Error): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of objectsBelow(client, bucket, prefix)) {
    for (const item of page) {
      const path = item.key.slice(prefix.length);
      // A console's "folder" is an empty object that ends in a slash.
      if (path !== '' && !path.endsWith('/') && unsafeLocation(path) === undefined)
        items.push({ key: item.key, etag: item.etag, bytes: item.bytes, path });
    }
    if (items.length > ITEMS) throw tooMany();
  }
  return items;
}

/** @param known a folder of the cache with some of them */
function download(
  client: Client,
  bucket: string,
  items: readonly Item[],
  progress: SourceContext['progress'],
  known?: string,
): Promise<string> {
  const key = keyOf(
    bucket,
    // The same object lies elsewhere in a folder than by itself.
    items.map(({ key: name, etag, path }) => [name, etag, path]),
  );
  return once(cacheFolder('s3', key.slice(0, 32)), async (draft) => {
    try {
      for (const item of items) {
        if (await placeKnown(known, item.path, draft)) continue;
        progress(`Downloading s3://${bucket}/${item.key} (${Math.ceil(item.bytes / 1e6)} MB)`);
        const target = join(draft, item.path);
        await mkdir(dirname(target), { recursive: true });
        // What was looked at is what is read, or this fails.
        await bodyOf(
          () => objectStream(client, bucket, item.key, { etag: item.etag }),
          (body) => writeAll(body, target, item.bytes),
        );
      }
    } finally {
      progress(undefined);
    }
  });
}

/**
 * An answer that does not tell its length, as of some proxies, may end anywhere, and nobody hears it.
 *
 * @param bytes as S3 told; 0 also where the answer to HEAD had no length either
 */
async function writeAll(body: Readable, target: string, bytes: number): Promise<void> {
  await pipeline(body, createWriteStream(target));
  const { size } = await stat(target);
  if (bytes > 0 && size !== bytes) throw cutOff(size, bytes);
}

function missing(key: string, value: string, message: string, fix: string, cause?: unknown): Error {
  return problemError(
    [{ code: 'MODELS_ARTIFACT_MISSING', key, value, message: `${value}: ${message}`, fix }],
    cause,
  );
}
