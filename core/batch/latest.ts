import { createHash } from 'node:crypto';
import { parsed } from '../json/parsed.ts';
import type { Entry } from './contract.ts';
import { type Folder, type Job, urlOf } from './job.ts';
import type { BatchWorld } from './ports.ts';

/**
 * `<output>/<model>/latest/<key>.json` tells which job has the answers of an object. Several buckets of a
 * model may share an output, and have an object of the same key each: these are no writes of one object, and
 * each has its own place in the document.
 */
export type Latest = Told & {
  readonly schema: 1;
  /** Objects of the same key in other buckets; absent where there are none. */
  readonly others?: readonly Told[];
};

type Told = {
  readonly object: Job['object'];
  /** The job's folder, as an S3 URL. */
  readonly job: string;
  readonly identity: string;
  /** When the job began; absent in documents of a version before. */
  readonly startedAt?: string;
  readonly finishedAt: string;
};

/** Bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const KEY_BYTES = 1024;

/** A key that is too long to be a part of another one is there by its sha256. */
export function latestKey(model: string, { output }: Entry, key: string): string {
  const folder = `${output.prefix}${model}/latest/`;
  const named = `${folder}${key}.json`;
  if (Buffer.byteLength(named) <= KEY_BYTES) return named;
  return `${folder}${createHash('sha256').update(key).digest('hex')}.json`;
}

/** @returns which job is told to have the answers of this very content, and since when; undefined for none */
export function jobTold(
  text: string | undefined,
  { bucket, etag }: Pick<Job['object'], 'bucket' | 'etag'>,
): Pick<Told, 'job' | 'finishedAt'> | undefined {
  const { own } = toldIn(text, bucket);
  return own?.object.etag === etag ? { job: own.job, finishedAt: own.finishedAt } : undefined;
}

/**
 * Is a later content of the object told of?
 *
 * @param text of the document, where there is one
 */
export async function isSuperseded(
  world: Pick<BatchWorld, 'head'>,
  { object }: Job,
  text: string | undefined,
): Promise<boolean> {
  const { own } = toldIn(text, object.bucket);
  if (own === undefined || own.object.etag === object.etag || !isNewer(own.object, object)) return false;
  return !(await isThere(world, object));
}

/** Has the job told of, unless a later one of the object is. */
export async function tellLatest(
  world: Pick<BatchWorld, 'files' | 'head' | 'clock'>,
  job: Job,
  folder: Folder,
  entry: Entry,
): Promise<void> {
  const files = world.files(folder.bucket);
  const key = latestKey(job.model, entry, job.object.key);
  for (;;) {
    const found = await files.read(key);
    const { own, others } = toldIn(found?.text, job.object.bucket);
    if (own !== undefined && (await isKept(world, job, folder, own))) return;
    const next: Latest = {
      schema: 1,
      object: job.object,
      job: urlOf(folder),
      identity: job.identity,
      startedAt: job.startedAt,
      finishedAt: new Date(world.clock()).toISOString(),
      ...(others.length > 0 && { others }),
    };
    if ((await files.replace(key, `${JSON.stringify(next, null, 2)}\n`, found?.etag)) === 'ok') return;
  }
}

async function isKept(
  world: Pick<BatchWorld, 'head'>,
  { object, startedAt }: Job,
  folder: Folder,
  own: Told,
): Promise<boolean> {
  if (isNewer(object, own.object)) return false;
  if (own.object.etag !== object.etag) return !(await isThere(world, object));
  if (isNewer(own.object, object)) return true;
  // Two models have scored the same write: the one that was asked later counts.
  return own.job === urlOf(folder) || Date.parse(own.startedAt ?? '') > Date.parse(startedAt);
}

const isTold = (value: Partial<Told> | null): value is Told =>
  typeof value?.object?.bucket === 'string' && typeof value.object.etag === 'string';

/** What is told of the object of this bucket, and of those of other ones. */
function toldIn(
  text: string | undefined,
  bucket: string,
): { readonly own: Told | undefined; readonly others: readonly Told[] } {
  const { schema: _, others = [], ...first } = parsed(text) as Partial<Latest>;
  const all = [first, ...(Array.isArray(others) ? others : [])].filter(isTold);
  return {
    own: all.find(({ object }) => object.bucket === bucket),
    others: all.filter(({ object }) => object.bucket !== bucket),
  };
}

/**
 * Is this the object as it is now? In a versioned bucket an earlier content is that again once the later one
 * is deleted, and S3 tells nobody of it.
 */
async function isThere(
  world: Pick<BatchWorld, 'head'>,
  { bucket, key, etag }: Job['object'],
): Promise<boolean> {
  return (await world.head({ bucket, key }))?.etag === etag;
}

/**
 * Is `one` a later write than `other`, of the same object? Sequencers are hexadecimal texts, compared once
 * the shorter one is padded with zeros on the right. What a person asks for has none; then the time counts.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
function isNewer(
  one: Pick<Job['object'], 'sequencer' | 'modified'>,
  other: Pick<Job['object'], 'sequencer' | 'modified'>,
): boolean {
  if (one.sequencer !== undefined && other.sequencer !== undefined) {
    const length = Math.max(one.sequencer.length, other.sequencer.length);
    return one.sequencer.padEnd(length, '0') > other.sequencer.padEnd(length, '0');
  }
  return one.modified > other.modified;
}
