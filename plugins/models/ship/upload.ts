import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { messageOf } from '../../../core/ports/errors.ts';
import { problemError } from '../declaration/errors.ts';
import { sha256Of } from '../targets/lambda-zip/zip.ts';
import { type AwsConfig, waitingFor } from './context.ts';

/** A file that goes to a bucket under a sha256: its own, or that of what is in its zip. */
export type Upload = { readonly sha256: string; readonly bytes: number; readonly from: string };

/** S3 takes 5 MB to 5 GB a part, at most 10,000 of them: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART = 8 * 1024 ** 2;
const PARALLEL = 4;

/** Milliseconds that a part may take, as nothing shows in between that it goes on: enough for 0.5 Mbit/s. */
const UPLOADING = 10 * 60_000;

/**
 * Puts files under `<prefix><sha256>`. Named by content, they are never overwritten, and one that is there already
 * costs one request.
 *
 * @param prefix ends in `/`
 * @param named `file`: by their own digests, which are checked, since what is under a wrong one stays there; `zipped`: by
 * those of what is in them
 */
export async function uploadFiles(
  aws: AwsConfig,
  bucket: string,
  prefix: string,
  files: readonly Upload[],
  progress: (text: string | undefined) => void,
  named: 'file' | 'zipped' = 'file',
): Promise<void> {
  const client = new S3Client(waitingFor(aws, UPLOADING));
  try {
    for (const file of files) {
      const place = { Bucket: bucket, Key: `${prefix}${file.sha256}` };
      if (await isThere(client, place, file.bytes)) continue;
      if (named === 'file' && (await sha256Of(file.from).catch(() => undefined)) !== file.sha256)
        throw damaged(file);
      await (file.bytes <= PART
        ? putWhole(client, place, file)
        : putParts(client, place, file, progress)
      ).catch((error: unknown) => {
        // Another deploy put the same bytes first (412), or is about to (409).
        if (!isConditional(error)) throw failed(place, error);
      });
    }
  } finally {
    progress(undefined);
    client.destroy();
  }
}

const damaged = ({ from, sha256 }: Upload): Error =>
  problemError([
    {
      code: 'MODELS_CACHE',
      key: 'models',
      value: from,
      message: `${from} is gone, or has other bytes than when it was packaged, with the sha256 ${sha256}.`,
      fix: 'Package again.',
    },
  ]);

/** AWS names neither bucket nor key of what it refuses. */
const failed = ({ Bucket, Key }: Place, error: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_AWS',
        key: 'models',
        message: `s3://${Bucket}/${Key} cannot be uploaded: ${messageOf(error)}.`,
        fix: 'Check credentials and --aws-profile; docs/deploy-policy.md lists what a deploy needs.',
      },
    ],
    error,
  );

type Place = { readonly Bucket: string; readonly Key: string };

async function isThere(client: S3Client, place: Place, bytes: number): Promise<boolean> {
  try {
    return (await client.send(new HeadObjectCommand(place))).ContentLength === bytes;
  } catch (error) {
    // Without s3:ListBucket a missing object is a 403; the write then tells.
    const status = statusOf(error);
    if (status === 404 || status === 403) return false;
    throw error;
  }
}

async function putWhole(client: S3Client, place: Place, { from, bytes }: Upload): Promise<void> {
  await client.send(
    new PutObjectCommand({ ...place, Body: createReadStream(from), ContentLength: bytes, IfNoneMatch: '*' }),
  );
}

async function putParts(
  client: S3Client,
  place: Place,
  { from, bytes }: Upload,
  progress: (text: string | undefined) => void,
): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
  const upload = { ...place, UploadId };
  const file = await open(from);
  try {
    const count = Math.ceil(bytes / PART);
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const index = next;
        next += 1;
        const Body = Buffer.alloc(Math.min(PART, bytes - index * PART));
        await file.read(Body, 0, Body.length, index * PART);
        const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: index + 1, Body }));
        parts.push({ PartNumber: index + 1, ETag });
        progress(
          `Uploading model files (${Math.round((parts.length / count) * 100)} % of ${Math.round(bytes / 1e6)} MB)`,
        );
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    parts.sort((a, b) => a.PartNumber - b.PartNumber);
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' }),
    );
  } catch (error) {
    // Parts of an upload that nobody ends are paid for.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata: unknown = error.$metadata;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? Number(metadata.httpStatusCode)
    : undefined;
}

function isConditional(error: unknown): boolean {
  const status = statusOf(error);
  return status === 412 || status === 409;
}
