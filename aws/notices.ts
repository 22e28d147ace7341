import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { NoticePort } from '../core/ports/aws.ts';

/** Characters, and bytes: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const SUBJECT = 99;
const MESSAGE = 262_144;

/** Publishes to an SNS topic. */
export function snsNotices(client: SNSClient, topicArn: string): NoticePort {
  return async (subject, text) => {
    const Subject = subjectOf(subject);
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: bodyOf(text),
        ...(Subject !== '' && { Subject }),
      }),
    );
  };
}

/**
 * A subject that SNS takes: without line breaks and control characters, under 100 characters; in ASCII, which
 * every mail server shows.
 */
export function subjectOf(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\s\p{C}]+/gu, ' ')
    .replace(/[^\x20-\x7e]/gu, '-')
    .trim();
  return plain.length > SUBJECT ? `${plain.slice(0, SUBJECT - 3)}...` : plain;
}

/** A message that SNS takes: at most 256 KiB in UTF-8, with a word where something is cut; never empty. */
export function bodyOf(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return '(empty)';
  if (bytes.length <= MESSAGE) return text;
  const cut = `\n(${bytes.length} bytes; the rest is cut)`;
  // A character of which only a part is left decodes to U+FFFD.
  return (
    bytes
      .subarray(0, MESSAGE - cut.length)
      .toString('utf8')
      .replace(/\uFFFD+$/, '') + cut
  );
}
