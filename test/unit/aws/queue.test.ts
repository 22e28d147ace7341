import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sqsQueue } from '../../../aws/queue.ts';

/**
 * Characters that a message may have:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const SENDABLE = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

async function sent(reason: string): Promise<string> {
  const texts: string[] = [];
  const send = async ({ input }: SendMessageCommand): Promise<object> => {
    texts.push(input.MessageAttributes?.Reason?.StringValue ?? '');
    return {};
  };
  const client = { send } as unknown as SQSClient;
  await sqsQueue(client, 'jobs', 'failed').fail('{}', { code: 'TOO_MANY_ERRORS', reason });
  return texts.join();
}

it('a reason goes out whatever a transform has put into it', async () => {
  expect(await sent('The city is "\u0000\u001b[31mX", 😀.')).toBe('The city is "\uFFFD\uFFFD[31mX", 😀.');
  const any = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\uD83D', '😀', 'a') }),
  );
  await fc.assert(
    fc.asyncProperty(any, fc.constantFrom(0, 1999), async (text, before) => {
      expect(await sent('x'.repeat(before) + text)).toMatch(SENDABLE);
    }),
  );
});
