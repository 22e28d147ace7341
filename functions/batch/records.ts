import type { SQSRecord } from 'aws-lambda';
import { ATTRIBUTES, OBJECT_TRIES } from '../../core/batch/contract.ts';
import { type Message, readAgain } from '../../core/batch/message.ts';
import type { BatchWorld } from '../../core/batch/ports.ts';
import { givenUpFor } from './reason.ts';

/** What of a message of the queue is needed here. */
export type ReceivedRecord = Pick<SQSRecord, 'body' | 'receiptHandle' | 'messageAttributes'> & {
  readonly attributes: Pick<SQSRecord['attributes'], 'ApproximateReceiveCount'>;
};

/** Seconds after which a message comes again that could not be dealt with: by the times that it came. */
const LATER = [30, 120, 600, 1800];

/**
 * Deals with a message. One that comes to nothing is put off, and after the last try put aside with its
 * reason.
 *
 * @throws what it came to nothing by, where it is to come again
 */
export async function dealWith(
  record: ReceivedRecord,
  receive: (message: Message) => Promise<void>,
  queue: Pick<BatchWorld['queue'], 'fail' | 'later'>,
  log: BatchWorld['log'],
): Promise<void> {
  try {
    await receive({ body: record.body, ...againOf(record) });
  } catch (error) {
    const times = Number(record.attributes.ApproximateReceiveCount);
    if (times >= OBJECT_TRIES) {
      const reason = givenUpFor(error);
      // Before the queue is told, which may fail, too.
      log('error', 'A message is given up.', { reason, times });
      // The last one says why: SQS itself would put the message aside without a word.
      await queue.fail(record.body, { code: 'GAVE_UP', reason });
      return;
    }
    const seconds = LATER[Math.min(times, LATER.length) - 1] as number;
    await queue.later(record.receiptHandle, seconds).catch((refused: unknown) => {
      const reason = givenUpFor(refused);
      log('warn', 'A message cannot be put off: it comes again in 90 minutes.', { reason });
    });
    throw error;
  }
}

const againOf = ({ messageAttributes }: ReceivedRecord): Omit<Message, 'body'> =>
  readAgain(
    messageAttributes[ATTRIBUTES.again]?.stringValue,
    messageAttributes[ATTRIBUTES.code]?.stringValue,
  );
