import type { AnswerPort } from '../core/ports/aws.ts';

const TRIES = 3;
const TIMEOUT = 10_000;

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
      await answer.body?.cancel();
      if (answer.ok) return 'ok';
      // Expired, or answered long ago.
      if (answer.status < 500) return 'gone';
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
