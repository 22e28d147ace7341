import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectIdentifier,
  type S3Client,
  type _Error as S3Error,
} from '@aws-sdk/client-s3';

/** The folders right below `prefix`, each with the prefix and a `/` at its end. */
export async function foldersOf(s3: S3Client, bucket: string, prefix: string): Promise<readonly string[]> {
  const { CommonPrefixes = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/' }),
  );
  return CommonPrefixes.map(({ Prefix = '' }) => Prefix);
}

/** What S3 says of keys that it could not delete at this moment; the request itself has succeeded then. */
const PASSING: readonly (string | undefined)[] = ['InternalError', 'SlowDown', 'ServiceUnavailable'];
/** Times that a key is asked for. */
const TRIES = 5;

/**
 * A retention period or a legal hold: nobody deletes these versions before it ends, whatever he may. S3 has
 * no code of its own for it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
const isLocked = ({ Code, Message = '' }: S3Error): boolean =>
  Code === 'AccessDenied' && /protected by object lock/i.test(Message);

/**
 * @returns how many Object Lock keeps
 * @throws Error for the first key that stays otherwise
 */
async function deleteThese(s3: S3Client, bucket: string, objects: ObjectIdentifier[]): Promise<number> {
  let left = objects;
  let locked = 0;
  for (let tries = 1; ; tries += 1) {
    const { Errors: all = [] } = await s3.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: left, Quiet: true } }),
    );
    const Errors = all.filter((error) => !isLocked(error));
    locked += all.length - Errors.length;
    const stays = tries === TRIES ? Errors[0] : Errors.find(({ Code }) => !PASSING.includes(Code));
    if (stays !== undefined)
      throw new Error(`s3://${bucket}/${stays.Key} cannot be deleted: ${stays.Message ?? stays.Code}`);
    if (Errors.length === 0) return locked;
    left = Errors.map(({ Key, VersionId }) => ({ Key, ...(VersionId !== undefined && { VersionId }) }));
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
  }
}

/** Versions of objects, marks of deletion included: how many went, and how many Object Lock keeps. */
export type Emptied = { readonly deleted: number; readonly locked: number };

/** Deletes every version of every object below `prefix`; a page has 1000, and so has a request to delete. */
export async function deleteBelow(
  s3: S3Client,
  bucket: string,
  prefix: string,
  told: (deleted: number) => void,
): Promise<Emptied> {
  let deleted = 0;
  let locked = 0;
  let [key, version]: (string | undefined)[] = [];
  do {
    const page: ListObjectVersionsCommandOutput = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: prefix,
        KeyMarker: key,
        VersionIdMarker: version,
      }),
    );
    const found: ObjectIdentifier[] = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(
      ({ Key, VersionId }) => ({ Key, VersionId }),
    );
    if (found.length > 0) {
      const kept = await deleteThese(s3, bucket, found);
      locked += kept;
      deleted += found.length - kept;
      told(deleted);
    }
    [key, version] = page.IsTruncated ? [page.NextKeyMarker, page.NextVersionIdMarker] : [];
  } while (key !== undefined);
  return { deleted, locked };
}
