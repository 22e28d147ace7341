import type { Failure } from '../../../aws/queue-messages.ts';
import type { Cloud } from './cloud.ts';

/**
 * Sends what failed again, as it is read. What fails once more meanwhile stays where it is: else there would
 * be no end.
 *
 * @returns what was sent again, and how many messages were read but stay
 */
export async function redrive(
  cloud: Pick<Cloud, 'failures' | 'send' | 'forget'>,
  from: string,
  to: string,
  told: (count: number) => void,
): Promise<{ readonly sent: readonly Failure[]; readonly kept: number }> {
  const known = new Set<string>();
  const sent: Failure[] = [];
  let kept = 0;
  for await (const some of cloud.failures(from, REDRIVEN)) {
    const now = some.filter(({ body }) => !known.has(body));
    // First again, then gone from here: what comes twice is scored once.
    await cloud.send(to, [...new Set(now.map(({ body }) => body))]);
    await cloud.forget(
      from,
      now.map(({ receipt }) => receipt),
    );
    for (const { body } of now) known.add(body);
    sent.push(...now);
    kept += some.length - now.length;
    told(sent.length);
  }
  return { sent, kept };
}

/** Seconds that ten messages have to be sent again and deleted in. */
const REDRIVEN = 60;

/** Times that counts of SQS are asked for again, and milliseconds between two. */
const LOOKS = 12;
const APART = 5000;

/**
 * Messages that the queue has beside those that were read. Its counts may be a minute old, so what they say
 * more is believed only when they still say it after that time.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 *
 * @param count how many more the counts say now
 */
export async function heldBeside(
  count: () => Promise<number>,
  pause: (milliseconds: number) => Promise<unknown>,
): Promise<number> {
  let held = await count();
  for (let look = 0; held > 0 && look < LOOKS; look += 1) {
    await pause(APART);
    held = await count();
  }
  return Math.max(0, held);
}
