import { createHash } from 'node:crypto';
import { formatOf } from '../tabular/formats.ts';
import { type Entry, type Format, KEYS, SIZES } from './contract.ts';

/** One content of one object, scored by one model. Passed on as it is, from the message to the last part. */
export type Job = {
  readonly model: string;
  /** The model's digest: sha256 in hexadecimal. */
  readonly identity: string;
  /** The batch function's version that scores all of it. */
  readonly version: string;
  /** Number of the entry under `batch:`, from 0. */
  readonly entry: number;
  readonly object: {
    readonly bucket: string;
    readonly key: string;
    readonly etag: string;
    readonly versionId?: string;
    readonly sequencer?: string;
    readonly bytes: number;
    /** ISO 8601: when it was written. */
    readonly modified: string;
  };
  /** ISO 8601: marks this attempt. */
  readonly startedAt: string;
  /** What asked for it, to be kept if it fails. */
  readonly message: string;
};

/** Where a job's files are: `prefix` ends with `/`. */
export type Folder = { readonly bucket: string; readonly prefix: string };

/**
 * `<output>/<model>@<identity12>/<sha256>/`. The hash is over bucket, key, content (ETag) and what shapes the
 * written files: the same upload again has the same folder, a new model or another `emit` or `missing` a new
 * one, and so has one that is cut into other parts.
 */
export function folderOf(
  {
    model,
    identity,
    object: { bucket, key, etag },
  }: Pick<Job, 'model' | 'identity'> & {
    readonly object: Pick<Job['object'], 'bucket' | 'key' | 'etag'>;
  },
  { output, format, outputFormat, ids, join, emit, missing }: Entry,
): Folder {
  const hash = createHash('sha256');
  const shape = [
    format,
    outputFormat,
    ids,
    join,
    emit,
    SIZES.part,
    ...(missing === undefined ? [] : [missing]),
  ];
  hash.update(JSON.stringify([bucket, key, etag, ...shape]));
  return {
    bucket: output.bucket,
    prefix: `${output.prefix}${model}@${identity.slice(0, 12)}/${hash.digest('hex')}/`,
  };
}

export const urlOf = ({ bucket, prefix }: Folder): string => `s3://${bucket}/${prefix}`;

/** @param url as `urlOf` writes it */
export function folderAt(url: string): Folder {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(url) ?? [];
  return { bucket, prefix };
}

/** Numbers of five digits at least: so many parts list in their order. */
const numbered = (part: number): string => String(part).padStart(5, '0');

/** A file of a part: the first is `part-00007`, those after it, if any, are `part-00007_00001` and so on. */
export type PartFile = { readonly part: number; readonly number: number };
const named = ({ part, number }: PartFile): string =>
  number === 0 ? numbered(part) : `${numbered(part)}_${numbered(number)}`;

export const partKey = ({ prefix }: Folder, place: PartFile, format: Format): string =>
  `${prefix}${KEYS.part}${named(place)}${formatOf(format).suffix}`;

/** @param digest where the key without one has the errors of a run that ended elsewhere */
export const errorsKey = ({ prefix }: Folder, place: PartFile, digest?: string): string =>
  `${prefix}${KEYS.errors}${named(place)}${digest === undefined ? '' : `-${digest.slice(0, 12)}`}.jsonl`;

/** @returns the part's number in a key that `partKey` made */
export function partNumber(key: string): number | undefined {
  const found = /\/part-(\d{5,})(_\d{5,})?\.\w+$/.exec(key)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The first entry that an object belongs to; −1 for none. */
export function entryFor(entries: readonly Entry[], bucket: string, key: string): number {
  return entries.findIndex(
    ({ input }) =>
      input.bucket === bucket &&
      key.startsWith(input.prefix) &&
      key.endsWith(input.suffix) &&
      key.length >= input.prefix.length + input.suffix.length,
  );
}

/** `_SUCCESS.json`, written last: whoever reads files reads those that it names, in its order. */
export type Success = {
  readonly schema: 1;
  readonly model: string;
  readonly identity: string;
  readonly version: string;
  readonly object: Job['object'];
  /** Rows read, faulty ones included. */
  readonly rows: number;
  readonly errors: number;
  /**
   * Values that were missing, and NaN for the model, of the rows that it was asked; where `missing: nan` says
   * so.
   */
  readonly missing?: number;
  /** Were the object's columns taken by their names, or in their order? And what a person should look at. */
  readonly columns?: 'name' | 'order';
  readonly notices?: readonly string[];
  readonly files: readonly DoneFile[];
  readonly startedAt: string;
  readonly finishedAt: string;
};

/** A written file: of a part, which has one or several. */
export type DoneFile = {
  readonly key: string;
  /** Number of its first row in the object, from 1. */
  readonly first: number;
  readonly rows: number;
  readonly errors: number;
  /** Key of the file of errors, where there are any. */
  readonly errorsKey?: string;
  /** Values that were missing, where there are any. */
  readonly missing?: number;
  readonly bytes: number;
  /** The file's digest, hexadecimal. */
  readonly sha256: string;
  /** Milliseconds that scoring it took. */
  readonly ms: number;
};

/** `_FAILED.json`: why the last attempt came to nothing. */
export type Failed = {
  readonly schema: 1;
  readonly model: string;
  readonly version: string;
  readonly object: Job['object'];
  readonly code: string;
  readonly reason: string;
  readonly startedAt: string;
  readonly failedAt: string;
  /**
   * ISO 8601. Whoever writes one of these first has the folder: to take files away that are scored anew, or
   * to call what is there complete.
   */
  readonly reopening?: string;
  readonly ending?: string;
};
