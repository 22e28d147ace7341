import { s3Client } from '../../../aws/clients/s3.ts';
import { type Failure, queueMessages } from '../../../aws/queue-messages.ts';
import { type ListedObject, objectsBelow } from '../../../aws/s3/get-object.ts';
import { headOf } from '../../../aws/s3/input-object.ts';
import { bucketFiles } from '../../../aws/s3/output-store.ts';
import { errorStatus, messageOf } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Files, Head } from '../../../core/ports/files.ts';
import { plainText } from '../../../core/text/plain.ts';
import { eachOnce, enoughFor, hiddenFor } from './each-once.ts';

/** What the command line reaches of a model's batch, with the caller's own permissions. */
export type Cloud = {
  readonly head: (bucket: string, key: string) => Promise<Head | undefined>;
  /** Objects under a prefix, in the order of their keys, a page at a time. */
  readonly objects: (bucket: string, prefix: string) => AsyncIterable<readonly Listed[]>;
  readonly files: (bucket: string) => Files;
  /** Sends messages, ten at a time. @throws where one could not be sent after three tries */
  readonly send: (queue: string, bodies: readonly string[]) => Promise<void>;
  /** Messages that wait, and those that are being worked on. */
  readonly depth: (queue: string) => Promise<{ readonly waiting: number; readonly atWork: number }>;
  /**
   * Messages of the queue of failures that are there now, each once; nobody else sees them for these seconds
   * at least.
   */
  readonly failures: (queue: string, seconds: number) => AsyncIterable<readonly Failure[]>;
  /** Deletes messages, ten at a time. @throws where one could not be deleted after three tries */
  readonly forget: (queue: string, receipts: readonly string[]) => Promise<void>;
  readonly close: () => void;
};

export type Listed = ListedObject;

export function cloudOf(aws: AwsConfig): Cloud {
  const s3 = s3Client(aws);
  const { receive, ...queues } = queueMessages(aws);
  return {
    ...queues,
    head: (bucket, key) => lookedAt(headOf(s3, { bucket, key }), bucket, key),
    files: (bucket) => {
      const files = bucketFiles(s3, bucket);
      return { ...files, head: (key) => lookedAt(files.head(key), bucket, key) };
    },
    async *objects(bucket, prefix) {
      for await (const page of objectsBelow(s3, bucket, prefix))
        yield page.map((one) => ({ ...one, etag: one.etag.replace(/^"|"$/g, '') }));
    },
    async *failures(queue, seconds) {
      const { waiting, atWork } = await queues.depth(queue);
      const hidden = hiddenFor(waiting, seconds);
      yield* eachOnce(() => receive(queue, hidden), enoughFor(atWork));
    },
    close: () => {
      s3.destroy();
      queues.close();
    },
  };
}

/** A HEAD is answered without a body: of a refusal the client says `UnknownError`, and nothing more. */
async function lookedAt<Found>(look: Promise<Found>, bucket: string, key: string): Promise<Found> {
  try {
    return await look;
  } catch (error) {
    if (errorStatus(error) !== 403 || messageOf(error) !== 'UnknownError') throw error;
    throw new Error(
      `S3 refuses HeadObject of ${plainText(`s3://${bucket}/${key}`)} without a word why; it takes s3:GetObject there, and s3:ListBucket of the bucket`,
      { cause: error },
    );
  }
}
