import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { ReadRange } from '../../core/ports/files.ts';
import { s3Client } from '../clients/s3.ts';

/**
 * Files of the registry, which are named by their digests under a prefix that ends in `/`.
 * @param pathStyle the bucket’s name stands in the path, and not before the host’s
 */
export function bucketRanges(bucket: string, prefix: string, pathStyle = false): ReadRange {
  const client = s3Client({ forcePathStyle: pathStyle });
  return async (sha256, start, end) => {
    const Key = `${prefix}${sha256}`;
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key, Range: `bytes=${start}-${end - 1}` }),
    );
    if (Body === undefined) throw new Error(`s3://${bucket}/${Key} has no body.`);
    return Body.transformToByteArray();
  };
}
