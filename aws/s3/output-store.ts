import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { errorName, errorStatus } from '../../core/errors/aws-errors.ts';
import type { Files } from '../../core/ports/files.ts';
import { keysBelow } from './keys.ts';

/** Times that a document is read whose answer breaks off. */
const TRIES = 5;

/**
 * Conditional writes make the first of several writers the only one:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function bucketFiles(s3: S3Client, bucket: string): Files {
  const head: Files['head'] = async (Key) => {
    try {
      const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
      return { bytes: found.ContentLength ?? 0, metadata: found.Metadata ?? {} };
    } catch (error) {
      if (errorStatus(error) === 404) return undefined;
      throw error;
    }
  };
  const conditional = async (input: {
    readonly Key: string;
    readonly Body: Uint8Array | string;
    readonly IfNoneMatch?: string;
    readonly IfMatch?: string;
    readonly Metadata?: Record<string, string>;
  }): Promise<boolean> => {
    // The client asks again where an answer was lost, and is told then that somebody has written: it was we,
    // where this is there.
    const writer = crypto.randomUUID();
    const Metadata = { ...input.Metadata, writer };
    // 409: another conditional write of the key is under way; who is told so may try again.
    for (let tries = 0; ; tries++) {
      try {
        await s3.send(new PutObjectCommand({ Bucket: bucket, ...input, Metadata }));
        return true;
      } catch (error) {
        if (errorStatus(error) === 412) return (await head(input.Key))?.metadata.writer === writer;
        if (errorStatus(error) === 404 && input.IfMatch !== undefined) return false;
        if (errorStatus(error) !== 409 || tries === 4) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
      }
    }
  };
  return {
    create: async (Key, Body, metadata) => {
      const input = { Key, Body, IfNoneMatch: '*', ...(metadata && { Metadata: { ...metadata } }) };
      return (await conditional(input)) ? 'created' : 'there';
    },
    replace: async (Key, Body, etag) => {
      const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
      return (await conditional({ Key, Body, ...condition })) ? 'ok' : 'changed';
    },
    read: async (Key) => {
      for (let tries = 1; ; tries++) {
        try {
          const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
          return { text: (await Body?.transformToString()) ?? '', etag: ETag ?? '' };
        } catch (error) {
          if (errorName(error) === 'NoSuchKey') return undefined;
          // The client itself tries again what was refused, but not an answer that breaks off.
          if (errorStatus(error) !== undefined || tries === TRIES) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
        }
      }
    },
    head,
    keys: (prefix) => keysBelow(s3, bucket, prefix),
    remove: async (Key) => {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    },
  };
}
