import type { Failure } from '../../../aws/queue-messages.ts';
import type { Cloud } from './cloud.ts';

/**
 * Sends what failed again, as it is read. What fails anew meanwhile, at once, stays where it is: else there
 * would be no end.
 *
 * @returns what was sent again
 */
export async function redrive(
  cloud: Pick<Cloud, 'failures' | 'send' | 'forget'>,
  from: string,
  to: string,
  told: (count: number) => void,
): Promise<readonly Failure[]> {
  const sent = new Set<string>();
  const all: Failure[] = [];
  for await (const some of cloud.failures(from, REDRIVEN)) {
    const now = some.filter(({ body }) => !sent.has(body));
    // First again, then gone from here: what comes twice is scored once.
    await cloud.send(to, [...new Set(now.map(({ body }) => body))]);
    await cloud.forget(
      from,
      now.map(({ receipt }) => receipt),
    );
    for (const { body } of now) sent.add(body);
    all.push(...now);
    told(all.length);
  }
  return all;
}

/** Seconds that ten messages have to be sent again and deleted in. */
const REDRIVEN = 60;
