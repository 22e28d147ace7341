import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Objects as files of this machine: what is there, and their bytes as streams. */

export type ObjectHead = { readonly key: string; readonly etag: string; readonly bytes: number };

/** @throws what S3 says where it is not there */
export async function objectHead(client: S3Client, bucket: string, key: string): Promise<ObjectHead> {
  const { ETag = '', ContentLength = 0 } = await client.send(
    new HeadObjectCommand({ Bucket: bucket, Key: key }),
  );
  return { key, etag: ETag, bytes: ContentLength };
}

/** `modified`: ISO 8601. */
export type ListedObject = ObjectHead & { readonly modified: string };

/** A page at a time, in the order of their keys. */
export async function* objectsBelow(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<readonly ListedObject[]> {
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
    yield (page.Contents ?? []).map(({ Key = '', ETag = '', Size = 0, LastModified = new Date(0) }) => ({
      key: Key,
      etag: ETag,
      bytes: Size,
      modified: LastModified.toISOString(),
    }));
}

/**
 * @param given `etag`: what is read must be this content; `signal` ends the asking
 * @throws where S3 refuses it, or answers without a body
 */
export async function objectStream(
  client: S3Client,
  bucket: string,
  key: string,
  given: { readonly etag?: string; readonly signal?: AbortSignal } = {},
): Promise<{ readonly body: Readable; readonly bytes: number | undefined }> {
  const { Body, ContentLength } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, ...(given.etag && { IfMatch: given.etag }) }),
    given.signal === undefined ? {} : { abortSignal: given.signal },
  );
  if (!(Body instanceof Readable)) throw new Error('S3 answered without a body');
  return { body: Body, bytes: ContentLength };
}
