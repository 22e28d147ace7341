/**
 * What each answer of S3 is taken for: a conflict, what is gone, or nothing that may be passed over.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { headOf, objectSource } from '../../../../aws/s3/input-object.ts';
import { bucketObjects } from '../../../../aws/s3/objects.ts';
import { bucketFiles } from '../../../../aws/s3/output-store.ts';
import { bytesAt } from '../../../../aws/s3/put-file.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An S3 that answers everything with this error. */
const refusing = (status: number, name: string): S3Client =>
  ({
    send: () =>
      Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })),
  }) as unknown as S3Client;

/** Pauses pass at once. @returns what came of it, or the name of the error, or its fault */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  const ended = work.catch((error: Error & { objectFault?: string }) => error.objectFault ?? error.name);
  await vi.advanceTimersByTimeAsync(60_000);
  return ended;
}

const ANSWERS = [
  [412, 'PreconditionFailed'],
  [409, 'ConditionalRequestConflict'],
  [404, 'NoSuchKey'],
  [404, 'NoSuchBucket'],
  [403, 'AccessDenied'],
  [503, 'SlowDown'],
] as const;
const all = (ask: (s3: S3Client) => Promise<unknown>) =>
  Promise.all(ANSWERS.map(async ([status, name]) => [name, await outcome(ask(refusing(status, name)))]));

describe('what S3 refuses', () => {
  it('is a conflict of documents where a condition does not hold, or what it is about is gone', async () => {
    const found = await all((s3) => bucketObjects(s3, 'bucket').replace('key', '{}', '"e"'));
    expect(Object.fromEntries(found)).toEqual({
      PreconditionFailed: 'changed',
      ConditionalRequestConflict: 'changed',
      NoSuchKey: 'changed',
      NoSuchBucket: 'NoSuchBucket',
      AccessDenied: 'AccessDenied',
      SlowDown: 'SlowDown',
    });
  });

  it('is a lost race of what batch replaces where that is gone, and else what S3 says', async () => {
    const found = await all((s3) => bucketFiles(s3, 'bucket').replace('key', '{}', '"e"'));
    const lost = ANSWERS.map(([status, name]) => [name, status === 404 ? 'changed' : name]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(lost));
  });

  it('ends the reading of an object only where it is another one by now, or none', async () => {
    const head = { etag: 'e', bytes: 2, modified: '' };
    const found = await all((s3) => objectSource(s3, { bucket: 'b', key: 'k' }, head).range(0, 2));
    expect(Object.fromEntries(found)).toEqual({
      PreconditionFailed: 'CHANGED',
      ConditionalRequestConflict: 'ConditionalRequestConflict',
      NoSuchKey: 'GONE',
      NoSuchBucket: 'GONE',
      AccessDenied: 'AccessDenied',
      SlowDown: 'SlowDown',
    });
  });

  it('is a file to be put where nothing can be told of it, and an error where S3 cannot say', async () => {
    const found = await all((s3) => bytesAt(s3, { bucket: 'b', key: 'k' }));
    expect(Object.fromEntries(found)).toEqual({
      PreconditionFailed: 'PreconditionFailed',
      ConditionalRequestConflict: 'ConditionalRequestConflict',
      NoSuchKey: undefined,
      NoSuchBucket: undefined,
      AccessDenied: undefined,
      SlowDown: 'SlowDown',
    });
  });

  it('is an object that is not there only where S3 says so', async () => {
    const found = await all((s3) => headOf(s3, { bucket: 'b', key: 'k' }));
    expect(Object.fromEntries(found)).toEqual({
      PreconditionFailed: 'PreconditionFailed',
      ConditionalRequestConflict: 'ConditionalRequestConflict',
      NoSuchKey: undefined,
      NoSuchBucket: undefined,
      AccessDenied: 'AccessDenied',
      SlowDown: 'SlowDown',
    });
  });
});
