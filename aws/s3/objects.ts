import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { errorName, errorStatus } from '../../core/errors/aws-errors.ts';
import type { ObjectPort } from '../../core/ports/aws.ts';
import { keysBelow } from './keys.ts';

/** Times that an object is read whose answer breaks off, and written while another write is under way. */
const TRIES = 3;

/**
 * The objects of one bucket, written under conditions:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function bucketObjects(s3: S3Client, bucket: string): ObjectPort {
  return {
    get: async (key, most = Number.POSITIVE_INFINITY) => {
      for (let tries = 1; ; tries += 1) {
        let isAnswered = false;
        try {
          const unread = new AbortController();
          const found = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), {
            abortSignal: unread.signal,
          });
          if ((found.ContentLength ?? 0) > most) {
            // A body that nobody reads would keep its connection, and its end is nobody's error.
            if (found.Body instanceof Readable) found.Body.on('error', () => {});
            unread.abort();
            return undefined;
          }
          isAnswered = true;
          return { text: (await found.Body?.transformToString()) ?? '', etag: found.ETag ?? '' };
        } catch (error) {
          // Without s3:ListBucket a missing object is a 403, and not to be told from a denied one: the
          // worker's role has it.
          if (errorName(error) === 'NoSuchKey') return undefined;
          // The client itself tries again what was refused, but not an answer that breaks off.
          if (!isAnswered || tries === TRIES) throw error;
          await pause(tries);
        }
      }
    },
    create: (key, text) => put(s3, { Bucket: bucket, Key: key, Body: text, IfNoneMatch: '*' }),
    replace: (key, text, etag) => put(s3, { Bucket: bucket, Key: key, Body: text, IfMatch: etag }),
    list: (prefix) => keysBelow(s3, bucket, prefix),
  };
}

type Put = { Bucket: string; Key: string; Body: string; IfNoneMatch?: string; IfMatch?: string };

const pause = (tries: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));

async function put(s3: S3Client, request: Put): Promise<'ok' | 'changed'> {
  for (let tries = 1; ; tries += 1) {
    try {
      await s3.send(new PutObjectCommand({ ...request, ContentType: 'application/json' }));
      return 'ok';
    } catch (error) {
      // 412: the condition does not hold. 409: another write is under way, which may come to nothing. 404
      // with If-Match: the object is gone meanwhile.
      const status = errorStatus(error);
      const gone = status === 404 && errorName(error) === 'NoSuchKey';
      if (status === 412 || gone || (status === 409 && tries === TRIES)) return 'changed';
      if (status !== 409) throw error;
      await pause(tries);
    }
  }
}
