import { ListObjectsV2Command, type ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { headOf } from '../../../aws/input-object.ts';
import { bucketFiles } from '../../../aws/output-store.ts';
import { ATTRIBUTES } from '../../../core/batch/contract.ts';
import type { Files, Head } from '../../../core/ports/files.ts';
import type { AwsConfig } from '../ship/context.ts';
import { eachOnce, hiddenFor } from './failed.ts';

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
  /** Messages of the queue of failures that are there now, each once; nobody else sees them for these seconds at least. */
  readonly failures: (queue: string, seconds: number) => AsyncIterable<readonly Failure[]>;
  /** Deletes messages, ten at a time. @throws where one could not be deleted after three tries */
  readonly forget: (queue: string, receipts: readonly string[]) => Promise<void>;
  readonly close: () => void;
};

export type Listed = {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
  readonly modified: string;
};

export type Failure = {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  readonly code?: string;
  readonly reason?: string;
  readonly job?: string;
  readonly sentAt: string;
};

/** Messages of a batch, and of an answer. */
const TEN = 10;

export function cloudOf(aws: AwsConfig): Cloud {
  const s3 = new S3Client(aws);
  const sqs = new SQSClient(aws);
  const urls = new Map<string, Promise<string>>();
  const urlOf = (queue: string): Promise<string> => {
    const known =
      urls.get(queue) ??
      sqs.send(new GetQueueUrlCommand({ QueueName: queue })).then(({ QueueUrl = '' }) => QueueUrl);
    urls.set(queue, known);
    return known;
  };
  const depth: Cloud['depth'] = async (queue) => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: await urlOf(queue),
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesDelayed',
          'ApproximateNumberOfMessagesNotVisible',
        ],
      }),
    );
    return {
      // Large ones that wait for their turn are sent anew with a delay.
      waiting:
        Number(Attributes.ApproximateNumberOfMessages ?? 0) +
        Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
      atWork: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  };
  return {
    head: (bucket, key) => headOf(s3, { bucket, key }),
    files: (bucket) => bucketFiles(s3, bucket),
    async *objects(Bucket, Prefix) {
      let token: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await s3.send(
          new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: token }),
        );
        yield (page.Contents ?? []).map(({ Key = '', ETag = '', Size = 0, LastModified = new Date(0) }) => ({
          key: Key,
          etag: ETag.replace(/^"|"$/g, ''),
          bytes: Size,
          modified: LastModified.toISOString(),
        }));
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    send: async (queue, bodies) => {
      const QueueUrl = await urlOf(queue);
      const entries = bodies.map((MessageBody) => ({
        MessageBody,
        MessageAttributes: { [ATTRIBUTES.again]: { DataType: 'String', StringValue: 'true' } },
      }));
      await inTens(entries, (Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })));
    },
    depth,
    async *failures(queue, seconds) {
      const QueueUrl = await urlOf(queue);
      const VisibilityTimeout = hiddenFor((await depth(queue)).waiting, seconds);
      yield* eachOnce(async () => {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: TEN,
            VisibilityTimeout,
            WaitTimeSeconds: 1,
            MessageAttributeNames: ['All'],
            MessageSystemAttributeNames: ['SentTimestamp'],
          }),
        );
        return Messages.map(failureOf);
      });
    },
    forget: async (queue, receipts) => {
      const QueueUrl = await urlOf(queue);
      const entries = receipts.map((ReceiptHandle) => ({ ReceiptHandle }));
      await inTens(entries, (Entries) => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })));
    },
    close: () => {
      s3.destroy();
      sqs.destroy();
    },
  };
}

function failureOf({ MessageId, Body, ReceiptHandle, MessageAttributes, Attributes }: Message): Failure {
  const said = (name: string): string | undefined => MessageAttributes?.[name]?.StringValue;
  const [code, reason, job] = [said(ATTRIBUTES.code), said(ATTRIBUTES.reason), said(ATTRIBUTES.job)];
  return {
    id: MessageId ?? '',
    body: Body ?? '',
    receipt: ReceiptHandle ?? '',
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    ...(job !== undefined && { job }),
    sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)).toISOString(),
  };
}

/**
 * Calls with ten entries at a time. An answer may take some and refuse others, which are tried again, three times in all.
 *
 * @throws where one is refused still
 */
export async function inTens<Entry extends object>(
  all: readonly Entry[],
  call: (entries: (Entry & { Id: string })[]) => Promise<{
    readonly Failed?:
      | readonly { readonly Id: string | undefined; readonly Message?: string | undefined }[]
      | undefined;
  }>,
): Promise<void> {
  for (let first = 0; first < all.length; first += TEN) {
    let entries = all.slice(first, first + TEN).map((entry, i) => ({ ...entry, Id: String(i) }));
    for (let tries = 1; entries.length > 0; tries++) {
      const { Failed = [] } = await call(entries);
      const left = new Set(Failed.map(({ Id }) => Id));
      entries = entries.filter(({ Id }) => left.has(Id));
      if (entries.length > 0 && tries === 3)
        throw new Error(Failed[0]?.Message ?? 'the queue refused a message');
    }
  }
}
