import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { errorStatus } from '../../core/errors/aws-errors.ts';

/**
 * S3 takes 5 MB to 5 GB a part, at most 10,000 of them:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
const PART = 8 * 1024 ** 2;
const PARALLEL = 4;
/** Times that a file is put in all. */
const TRIES = 5;

/** A file that is uploaded: its bytes, since the client repeats no request whose body is a stream. */
export type Uploaded = {
  readonly bytes: number;
  range(start: number, end: number): Promise<Uint8Array>;
};

export type ObjectPlace = { readonly bucket: string; readonly key: string };

/**
 * @returns bytes of what is there, NaN where S3 does not say them; undefined of nothing, and where it cannot
 * be told: the write then tells
 */
export async function bytesAt(client: S3Client, { bucket, key }: ObjectPlace): Promise<number | undefined> {
  try {
    const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return ContentLength ?? Number.NaN;
  } catch (error) {
    // Without s3:ListBucket a missing object is a 403.
    const status = errorStatus(error);
    if (status === 404 || status === 403) return undefined;
    throw error;
  }
}

/**
 * Puts a file where nothing is, in parts side by side where it is large. What is there already is left as it
 * is.
 *
 * @param told the share that is uploaded, 0 to 1
 */
export async function putFile(
  client: S3Client,
  place: ObjectPlace,
  file: Uploaded,
  told: (share: number) => void,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await (file.bytes <= PART ? putWhole(client, place, file) : putParts(client, place, file, told));
    } catch (error) {
      const status = errorStatus(error);
      // Somebody else put it first.
      if (status === 412) return;
      // No such upload: it was completed, the answer was lost, and the client has asked again.
      if (status === 404 && (await bytesAt(client, place)) === file.bytes) return;
      // Another write or a removal of it is under way, which may come to nothing: who is told so tries again.
      if (status !== 409 || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
      if ((await bytesAt(client, place)) === file.bytes) return;
    }
  }
}

async function putWhole(
  client: S3Client,
  { bucket, key }: ObjectPlace,
  { bytes, range }: Uploaded,
): Promise<void> {
  const Body = await range(0, bytes);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body, IfNoneMatch: '*' }));
}

async function putParts(
  client: S3Client,
  { bucket, key }: ObjectPlace,
  { bytes, range }: Uploaded,
  told: (share: number) => void,
): Promise<void> {
  const place = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(place));
  const upload = { ...place, UploadId };
  try {
    const count = Math.ceil(bytes / PART);
    const parts: { PartNumber: number; ETag: string | undefined }[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const index = next;
        next += 1;
        const Body = await range(index * PART, Math.min(bytes, (index + 1) * PART));
        const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: index + 1, Body }));
        parts.push({ PartNumber: index + 1, ETag });
        told(parts.length / count);
      }
    };
    const stopping = (error: unknown): never => {
      next = count;
      throw error;
    };
    const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, () => worker().catch(stopping)));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    parts.sort((a, b) => a.PartNumber - b.PartNumber);
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' }),
    );
  } catch (error) {
    // Parts of an upload that nobody ends are paid for, and so is one that comes in while it is ended:
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
