import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** All keys below `prefix`, in their order. */
export async function keysBelow(client: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
    keys.push(...Contents.map(({ Key = '' }) => Key));
  return keys;
}
