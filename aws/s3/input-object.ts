import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { bare } from '../../core/batch/message.ts';
import { errorName, errorStatus } from '../../core/errors/aws-errors.ts';
import { isObjectFault, objectFault } from '../../core/errors/object-errors.ts';
import type { Head, Located } from '../../core/ports/files.ts';
import type { Source } from '../../core/tabular/cells/format.ts';

/** @returns undefined where it is not there any more */
export async function headOf(s3: S3Client, { bucket, key, versionId }: Located): Promise<Head | undefined> {
  try {
    const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    return {
      etag: bare(found.ETag ?? ''),
      ...(found.VersionId !== undefined && found.VersionId !== 'null' && { versionId: found.VersionId }),
      bytes: found.ContentLength ?? 0,
      modified: (found.LastModified ?? new Date(0)).toISOString(),
    };
  } catch (error) {
    // 405: the version that is asked for is a delete marker.
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    if (errorStatus(error) === 404 || errorStatus(error) === 405) return undefined;
    throw error;
  }
}

/** Times that a read is taken up again where it broke off, in a row without a byte between. */
const TRIES = 5;

/** One content of an object: each read is made on condition that it is this one (`If-Match`). */
export function objectSource(
  s3: S3Client,
  { bucket, key, versionId }: Located,
  { etag, bytes }: Head,
): Source {
  const open = async (start: number, end: number): Promise<AsyncIterable<Uint8Array>> => {
    try {
      const { Body } = await s3.send(
        new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          VersionId: versionId,
          IfMatch: `"${etag}"`,
          Range: `bytes=${start}-${end - 1}`,
        }),
      );
      return Body as unknown as AsyncIterable<Uint8Array>;
    } catch (error) {
      const status = errorStatus(error);
      if (status === 412 || status === 416)
        throw objectFault('CHANGED', 'The object was overwritten while it was read.');
      if (status === 404 || errorName(error) === 'NoSuchKey')
        throw objectFault('GONE', 'The object was deleted while it was read.');
      throw error;
    }
  };
  async function* stream(start: number, end = bytes): AsyncIterable<Uint8Array> {
    let at = start;
    let failures = 0;
    while (at < end) {
      try {
        for await (const chunk of await open(at, end)) {
          at += chunk.length;
          failures = 0;
          yield chunk;
        }
        if (at < end) throw new Error(`the answer ended ${end - at} bytes early`);
      } catch (error) {
        failures++;
        // The consumer stops a generator by `return`, which is no error; what it throws does not come here.
        if (isObjectFault(error) || failures === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** failures));
      }
    }
  }
  const range = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    const all = new Uint8Array(end - start);
    let at = 0;
    for await (const chunk of stream(start, end)) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  };
  return bytes <= SMALL ? kept(bytes, range) : { bytes, stream, range };
}

/**
 * Bytes up to which an object is read once: what it is, its head and its rows are asked for one after the
 * other, each a request else.
 */
const SMALL = 1024 ** 2;

function kept(bytes: number, range: Source['range']): Source {
  let all: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const part = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    all ??= range(0, bytes);
    return (await all).slice(start, end);
  };
  return {
    bytes,
    range: part,
    async *stream(start, end = bytes) {
      if (start < end) yield await part(start, end);
    },
  };
}
