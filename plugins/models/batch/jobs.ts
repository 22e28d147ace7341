import { type Entry, KEYS, type Part } from '../../../functions/batch/contract.ts';
import type { Files } from '../../../functions/batch/folder.ts';
import {
  type Failed,
  type Folder,
  folderOf,
  partNumber,
  type Success,
} from '../../../functions/batch/job.ts';
import type { Cloud, Listed } from './cloud.ts';

/** What a job's folder says of it. */
export type JobState =
  | { readonly state: 'waiting' }
  | { readonly state: 'running'; readonly parts: number; readonly of?: number; readonly rows: number }
  | { readonly state: 'done'; readonly success: Success }
  | { readonly state: 'failed'; readonly failed: Failed };

/** A job that was asked for. */
export type Followed = {
  readonly object: {
    readonly bucket: string;
    readonly key: string;
    readonly etag: string;
    readonly bytes: number;
  };
  readonly folder: Folder;
};

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

/**
 * @param since a failure before is another attempt's; milliseconds
 * @param rowsOf rows of parts that were read before, by key: a part never changes
 */
export async function stateOf(
  cloud: Pick<Cloud, 'files'>,
  { folder }: Pick<Followed, 'folder'>,
  since: number,
  rowsOf: Map<string, number> = new Map(),
): Promise<JobState> {
  const files = cloud.files(folder.bucket);
  const success = await files.read(`${folder.prefix}${KEYS.success}`);
  if (success !== undefined) return { state: 'done', success: JSON.parse(success.text) as Success };
  const failure = await files.read(`${folder.prefix}${KEYS.failed}`);
  const failed = failure === undefined ? undefined : (JSON.parse(failure.text) as Failed);
  if (failed !== undefined && Date.parse(failed.failedAt) >= since) return { state: 'failed', failed };
  const keys = await files.keys(folder.prefix);
  const parts = keys.filter((key) => partNumber(key) !== undefined);
  const plan = keys.some((key) => key.endsWith(KEYS.plan))
    ? await files.read(`${folder.prefix}${KEYS.plan}`)
    : undefined;
  if (parts.length === 0 && plan === undefined) return { state: 'waiting' };
  return {
    state: 'running',
    parts: parts.length,
    ...(plan && { of: (JSON.parse(plan.text) as Part[]).length }),
    rows: await rowsIn(files, parts, rowsOf),
  };
}

async function rowsIn(files: Files, keys: readonly string[], known: Map<string, number>): Promise<number> {
  for (const key of keys) {
    if (known.has(key)) continue;
    const found = await files.head(key);
    if (found !== undefined) known.set(key, Number(found.metadata.rows ?? 0));
  }
  return keys.reduce((sum, key) => sum + (known.get(key) ?? 0), 0);
}
