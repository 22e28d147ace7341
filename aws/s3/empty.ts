import {
  DeleteObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';

/** The folders right below `prefix`, each with the prefix and a `/` at its end. */
export async function foldersOf(s3: S3Client, bucket: string, prefix: string): Promise<readonly string[]> {
  const { CommonPrefixes = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/' }),
  );
  return CommonPrefixes.map(({ Prefix = '' }) => Prefix);
}

/**
 * Deletes every version of every object below `prefix`; a page has 1000, and so has a request to delete.
 *
 * @returns how many
 */
export async function deleteBelow(
  s3: S3Client,
  bucket: string,
  prefix: string,
  told: (deleted: number) => void,
): Promise<number> {
  let deleted = 0;
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
      const { Errors } = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: found, Quiet: true } }),
      );
      const [failed] = Errors ?? [];
      if (failed !== undefined)
        throw new Error(`s3://${bucket}/${failed.Key} cannot be deleted: ${failed.Message ?? failed.Code}`);
      deleted += found.length;
      told(deleted);
    }
    [key, version] = page.IsTruncated ? [page.NextKeyMarker, page.NextVersionIdMarker] : [];
  } while (key !== undefined);
  return deleted;
}
