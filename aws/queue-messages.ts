import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
} from '@aws-sdk/client-sqs';
import { ATTRIBUTES } from '../core/batch/contract.ts';
import type { AwsConfig } from '../core/ports/config.ts';
import { sqsClient } from './clients/sqs.ts';

/** A message of the queue that keeps what failed. */
export type Failure = {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  readonly code?: string;
  readonly reason?: string;
  readonly job?: string;
  readonly sentAt: string;
};

/** Queues by their names, as whoever follows jobs uses them. */
export type QueueMessages = {
  /** Sends messages, ten at a time. @throws where one could not be sent after three tries */
  readonly send: (queue: string, bodies: readonly string[]) => Promise<void>;
  /** Messages that wait, and those that are being worked on. */
  readonly depth: (queue: string) => Promise<{ readonly waiting: number; readonly atWork: number }>;
  /** Some messages of the queue of failures; nobody else sees them for these seconds. */
  readonly receive: (queue: string, seconds: number) => Promise<readonly Failure[]>;
  /** Deletes messages, ten at a time. @throws where one could not be deleted after three tries */
  readonly forget: (queue: string, receipts: readonly string[]) => Promise<void>;
  readonly close: () => void;
};

/** Messages of a batch, and of an answer. */
const TEN = 10;

export function queueMessages(aws: AwsConfig): QueueMessages {
  const sqs = sqsClient(aws);
  const urls = new Map<string, Promise<string>>();
  const urlOf = (queue: string): Promise<string> => {
    const known =
      urls.get(queue) ??
      sqs.send(new GetQueueUrlCommand({ QueueName: queue })).then(({ QueueUrl = '' }) => QueueUrl);
    urls.set(queue, known);
    // What failed is asked again.
    known.catch(() => urls.delete(queue));
    return known;
  };
  return {
    depth: async (queue) => {
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
    },
    send: async (queue, bodies) => {
      const QueueUrl = await urlOf(queue);
      const entries = bodies.map((MessageBody) => ({
        MessageBody,
        MessageAttributes: { [ATTRIBUTES.again]: { DataType: 'String', StringValue: 'true' } },
      }));
      await inTens(entries, (Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })));
    },
    receive: async (queue, seconds) => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: await urlOf(queue),
          MaxNumberOfMessages: TEN,
          VisibilityTimeout: seconds,
          WaitTimeSeconds: 1,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['SentTimestamp'],
        }),
      );
      return Messages.map(failureOf);
    },
    forget: async (queue, receipts) => {
      const QueueUrl = await urlOf(queue);
      const entries = receipts.map((ReceiptHandle) => ({ ReceiptHandle }));
      await inTens(entries, (Entries) => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })));
    },
    close: () => sqs.destroy(),
  };
}

function failureOf({ MessageId, Body, ReceiptHandle, MessageAttributes, Attributes }: Message): Failure {
  const text = (name: string): string | undefined => MessageAttributes?.[name]?.StringValue;
  const undelivered = undeliveredBy(text('ERROR_CODE'), text('ERROR_MESSAGE'));
  const code = text(ATTRIBUTES.code) ?? undelivered?.code;
  const reason = text(ATTRIBUTES.reason) ?? undelivered?.reason;
  const job = text(ATTRIBUTES.job);
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
 * What EventBridge says of an event that it could not send on:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
function undeliveredBy(code: string | undefined, message: string | undefined) {
  if (code === undefined) return undefined;
  const why = [code, ...(message === undefined ? [] : [message.replace(/[.]$/, '')])].join(', ');
  return { code: 'NOT_DELIVERED', reason: `EventBridge did not get the event to the queue: ${why}.` };
}

/**
 * Calls with ten entries at a time. An answer may take some and refuse others, which are tried again, three
 * times in all.
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
