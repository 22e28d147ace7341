import type { AnswerPort } from '../core/ports/aws.ts';

const TRIES = 3;
const TIMEOUT = 10_000;

/**
 * What S3 says of a request with a status below 500, and takes a moment later:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const PASSING: readonly string[] = ['RequestTimeout', 'OperationAborted'];

/** Puts the answer of a custom resource to the signed URL that came with its request. */
export const putAnswer: AnswerPort = async (url, body) => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Bytes, not text: for text `fetch` adds a Content-Type, which is not part of what the URL signs.
      const answer = await fetch(url, {
        method: 'PUT',
        body: new TextEncoder().encode(body),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const [, code = ''] = /<Code>(\w+)<\/Code>/.exec(await answer.text()) ?? [];
      if (answer.ok) return 'ok';
      // Expired, or answered long ago.
      if (answer.status < 500 && answer.status !== 429 && !PASSING.includes(code)) return 'gone';
      throw new Error(`HTTP ${answer.status}`);
    } catch (error) {
      // The URL is a credential: whatever is wrong, it stays out of the message.
      if (attempt === TRIES) throw new Error(`CloudFormation did not take the answer: ${reasonOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
    }
  }
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : undefined;
  return cause ?? (/^HTTP \d+$/.test(error.message) ? error.message : error.name);
}
