import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ATTRIBUTES } from '../core/batch/contract.ts';
import { againText } from '../core/batch/message.ts';
import type { BatchWorld } from '../core/batch/ports.ts';

/** Characters of an attribute: a message takes 256 KB in all, and a reason is a sentence or two. */
const REASON = 2_000;

/** The queue of a model's jobs, and the one that keeps what failed. @param url,failed their URLs */
export function sqsQueue(sqs: SQSClient, url: string, failed: string): BatchWorld['queue'] {
  return {
    fail: async (MessageBody, { code, reason, job }) => {
      const MessageAttributes = {
        [ATTRIBUTES.code]: text(code),
        [ATTRIBUTES.reason]: text(sendable(reason.slice(0, REASON))),
        ...(job !== undefined && { [ATTRIBUTES.job]: text(job) }),
      };
      await sqs.send(new SendMessageCommand({ QueueUrl: failed, MessageBody, MessageAttributes }));
    },
    again: async (MessageBody, DelaySeconds, since, isAsked) => {
      const MessageAttributes = { [ATTRIBUTES.again]: text(againText(since, isAsked)) };
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody, MessageAttributes, DelaySeconds }));
    },
    later: async (ReceiptHandle, VisibilityTimeout) => {
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));
    },
  };
}

/**
 * SQS refuses a message with any other character, which a transform's own words may have:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const UNSENDABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const sendable = (reason: string): string => reason.replace(UNSENDABLE, '\uFFFD');

const text = (StringValue: string) => ({ DataType: 'String', StringValue });
