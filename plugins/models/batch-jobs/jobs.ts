import { type Entry, KEYS } from '../../../core/batch/contract.ts';
import { failedAttempt } from '../../../core/batch/finish.ts';
import {
  entryFor,
  type Failed,
  type Folder,
  folderAt,
  folderOf,
  partNumber,
  type Success,
  urlOf,
} from '../../../core/batch/job.ts';
import { jobTold, latestKey } from '../../../core/batch/latest.ts';
import { parsed } from '../../../core/json/parsed.ts';
import { turns } from '../../../core/node/turns.ts';
import type { Files } from '../../../core/ports/files.ts';
import type { Cloud, Listed } from './cloud.ts';

/** Why a job came to nothing, and when. */
export type ToldFailure = Pick<Failed, 'code' | 'reason' | 'startedAt' | 'failedAt'>;

/** What a job's folder says of it. */
export type JobState =
  | {
      readonly state: 'waiting';
      /** Has the object's answers: of another version or entry. */
      readonly other?: { readonly job: string; readonly finishedAt: string };
    }
  | {
      readonly state: 'running';
      readonly parts: number;
      readonly of?: number;
      readonly rows: number;
      /** Parts were written after it: another attempt, or what is left of this one. */
      readonly failed?: ToldFailure;
    }
  | { readonly state: 'done'; readonly success: Success }
  | { readonly state: 'failed'; readonly failed: ToldFailure };

/** A job that was asked for. */
export type Followed = {
  readonly object: {
    readonly bucket: string;
    readonly key: string;
    readonly etag: string;
    readonly bytes: number;
  };
  readonly folder: Folder;
  /** It was done when it was asked for. */
  readonly wasDone?: true;
  /** `startedAt` of the attempt that had failed when it was asked for. */
  readonly failedBefore?: string;
  /** `finishedAt` of another job that had the object's answers when it was asked for. */
  readonly otherBefore?: string;
};

/** Whose jobs are followed. */
export type OfModel = { readonly model: string; readonly entries: readonly Entry[] };

/** @param identity of the version that is live */
export const followed = (
  model: string,
  identity: string,
  entry: Entry,
  bucket: string,
  { key, etag, bytes }: Pick<Listed, 'key' | 'etag' | 'bytes'>,
): Followed => ({
  object: { bucket, key, etag, bytes },
  folder: folderOf({ model, identity, object: { bucket, key, etag } }, entry),
});

/** The job with how it stands before it is asked for: what is there then is not what was asked for. */
export async function asItStands(
  cloud: Pick<Cloud, 'files' | 'objects'>,
  asked: OfModel,
  job: Followed,
): Promise<Followed> {
  const { bucket, prefix } = job.folder;
  const keys: string[] = [];
  for await (const page of cloud.objects(bucket, `${prefix}_`)) keys.push(...page.map(({ key }) => key));
  if (keys.includes(`${prefix}${KEYS.success}`)) return { ...job, wasDone: true };
  const failed = keys.includes(`${prefix}${KEYS.failed}`)
    ? await failedAttempt(cloud.files(bucket), job.folder)
    : undefined;
  const other = await otherJob(cloud, asked, job);
  return {
    ...job,
    ...(failed && { failedBefore: failed.startedAt }),
    ...(other && { otherBefore: other.finishedAt }),
  };
}

/** What lies in a job's folder. */
export type SeenJob = {
  readonly success?: Success;
  readonly failed?: ToldFailure;
  /** Was a part written after `failed`? Both times are S3's. */
  readonly isAfter: boolean;
  /** Parts that are scored to their end. */
  readonly parts: number;
  /** Parts in its plan. */
  readonly of?: number;
  readonly rows: number;
};

/** Files that were read before, by key: one never changes. `isLast`: of its part. */
export type KnownFiles = Map<string, { readonly rows: number; readonly isLast: boolean }>;

export async function lookAtJob(
  cloud: Pick<Cloud, 'files' | 'objects'>,
  folder: Folder,
  known: KnownFiles = new Map(),
): Promise<SeenJob> {
  const files = cloud.files(folder.bucket);
  const found = await files.read(`${folder.prefix}${KEYS.success}`);
  if (found !== undefined) {
    const success = parsed(found.text) as unknown as Success;
    if (!Array.isArray(success.files))
      return { failed: await damaged(cloud, folder), isAfter: false, parts: 0, rows: 0 };
    const gone = await goneOf(cloud, folder, success);
    if (gone.keys.length > 0)
      return { failed: withoutFiles(folder, success, gone), isAfter: false, parts: 0, rows: 0 };
    const parts = new Set(success.files.map(({ key }) => partNumber(key))).size;
    return { success, isAfter: false, parts, rows: success.rows };
  }
  const failed = await failedAttempt(files, folder);
  const written: Listed[] = [];
  let failedAt: string | undefined;
  let isPlanned = false;
  for await (const page of cloud.objects(folder.bucket, folder.prefix))
    for (const object of page) {
      if (partNumber(object.key) !== undefined) written.push(object);
      if (object.key === `${folder.prefix}${KEYS.failed}`) failedAt = object.modified;
      if (object.key === `${folder.prefix}${KEYS.plan}`) isPlanned = true;
    }
  const plan = isPlanned ? await files.read(`${folder.prefix}${KEYS.plan}`) : undefined;
  // One that somebody damaged fails the job by itself.
  const parts = parsed(plan?.text);
  const of = Array.isArray(parts) ? parts.length : undefined;
  const read = await readOf(
    files,
    written.map(({ key }) => key),
    known,
  );
  return {
    ...(failed && { failed }),
    isAfter: failedAt !== undefined && written.some(({ modified }) => modified > (failedAt ?? '')),
    parts: read.filter(({ isLast }) => isLast).length,
    ...(of !== undefined && { of }),
    rows: read.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** What a job’s `_SUCCESS.json` names and that is there no more. */
type Gone = {
  /** Keys of files of answers, and of errors. */
  readonly keys: readonly string[];
  /** Keys of files of answers that are there, but not their errors: those are written before them only. */
  readonly bare: readonly string[];
};

async function goneOf(
  cloud: Pick<Cloud, 'objects'>,
  { bucket, prefix }: Folder,
  { files }: Pick<Success, 'files'>,
): Promise<Gone> {
  const gone = new Set(files.flatMap(({ key, errorsKey }) => [key, errorsKey ?? key]));
  if (gone.size === 0) return { keys: [], bare: [] };
  for await (const page of cloud.objects(bucket, prefix)) for (const { key } of page) gone.delete(key);
  const bare = files.filter(({ key, errorsKey }) => !gone.has(key) && gone.has(errorsKey ?? key));
  return { keys: [...gone], bare: bare.map(({ key }) => key) };
}

/** Nobody has all of its answers, whatever `_SUCCESS.json` says, and the batch function does not look. */
function withoutFiles(folder: Folder, success: Success, { keys, bare }: Gone): Failed {
  const short = (key = ''): string => key.slice(folder.prefix.length);
  // What is there is not scored again, so its errors would not come back.
  const also =
    bare.length === 0
      ? ''
      : `, and ${bare.length === 1 ? short(bare[0]) : `the ${bare.length} files whose errors are gone (the first of them ${short(bare[0])})`} with those of the same part after it,`;
  return {
    schema: 1,
    model: success.model,
    version: success.version,
    object: success.object,
    code: 'FILES_DISAGREE',
    reason: `Its ${KEYS.success} names files that were deleted manually, or by a rule of the bucket: ${keys.length}, the first of them ${short(keys[0])}. Delete ${urlOf(folder)}${KEYS.success}${also} and ask for the object again: what is there is kept, and the rest is scored anew.`,
    startedAt: success.startedAt,
    failedAt: success.finishedAt,
  };
}

/** What has the answers is told by nothing else; the batch function itself takes the job for complete. */
async function damaged(cloud: Pick<Cloud, 'objects'>, folder: Folder): Promise<ToldFailure> {
  const key = `${folder.prefix}${KEYS.success}`;
  let at = new Date(0).toISOString();
  for await (const page of cloud.objects(folder.bucket, key)) at = page[0]?.modified ?? at;
  return {
    code: 'FILES_DISAGREE',
    reason: `Its ${KEYS.success} is damaged, so nobody can tell which files have its answers. Delete s3://${folder.bucket}/${key} and ask for the object again: what is scored is kept, and the document is written anew.`,
    startedAt: at,
    failedAt: at,
  };
}

/** How a job stands, to who did not ask for it. */
export function stateOf({ success, failed, isAfter, parts, of, rows }: SeenJob): JobState {
  if (success !== undefined) return { state: 'done', success };
  if (failed !== undefined && !isAfter) return { state: 'failed', failed };
  if (rows === 0 && parts === 0 && of === undefined) return { state: 'waiting' };
  return { state: 'running', parts, ...(of !== undefined && { of }), rows, ...(failed && { failed }) };
}

/**
 * The same, of a job that may never have been asked for: an object is scored once by itself, and another
 * model or entry that is live since would score it anew where a person asks.
 */
export async function seenState(
  cloud: Pick<Cloud, 'files' | 'objects'>,
  asked: OfModel,
  job: Followed,
): Promise<JobState> {
  const state = stateOf(await lookAtJob(cloud, job.folder));
  const other = state.state === 'waiting' ? await otherJob(cloud, asked, job) : undefined;
  return state.state === 'waiting' && other !== undefined ? { ...state, other } : state;
}

/** The job of another version or entry that is told to have the object's answers. */
async function otherJob(
  cloud: Pick<Cloud, 'files'>,
  { model, entries }: OfModel,
  { object, folder }: Followed,
): Promise<ReturnType<typeof jobTold>> {
  const entry = entries[entryFor(entries, object.bucket, object.key)];
  if (entry === undefined) return undefined;
  const found = await cloud.files(folder.bucket).read(latestKey(model, entry, object.key));
  const told = jobTold(found?.text, object);
  return told?.job === urlOf(folder) ? undefined : told;
}

/**
 * The outcome of an object that another version or entry has scored since it was asked for: one that was
 * promoted, or that a rollback brought back, while it waited.
 */
export async function doneByOther(
  cloud: Pick<Cloud, 'files' | 'objects'>,
  asked: OfModel,
  job: Followed,
): Promise<{ readonly job: Followed; readonly success: Success } | undefined> {
  const other = await otherJob(cloud, asked, job);
  if (other === undefined || other.finishedAt === job.otherBefore) return undefined;
  const folder = folderAt(other.job);
  const { success } = await lookAtJob(cloud, folder);
  return success && { job: { ...job, folder }, success };
}

/** Files of a job that are looked at at once: one of 100 GB has some thousand. */
const FILES = 16;

async function readOf(files: Files, keys: readonly string[], known: KnownFiles) {
  const inTurn = turns(FILES);
  const look = async (key: string): Promise<void> => {
    const found = await files.head(key);
    if (found === undefined) return;
    const { rows, more } = found.metadata;
    known.set(key, { rows: Number(rows ?? 0), isLast: more === undefined });
  };
  await Promise.all(keys.filter((key) => !known.has(key)).map((key) => inTurn(() => look(key))));
  return keys.flatMap((key) => known.get(key) ?? []);
}
