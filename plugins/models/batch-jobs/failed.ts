import type { Failure } from '../../../aws/queue-messages.ts';
import type { Cloud } from './cloud.ts';

/** Answers in a row with nothing new that are taken for the end: one may come early. */
const ENOUGH = 2;

/** SQS's most, in seconds. */
const MOST_HIDDEN = 43_200;

/**
 * Seconds that messages are kept from coming again while the rest is read: a connection that gives twenty of them a second is a slow one.
 *
 * @param least seconds
 */
export const hiddenFor = (waiting: number, least: number): number =>
  Math.min(MOST_HIDDEN, least + Math.ceil(waiting / 20));

/** Messages as answers bring them, each once. It ends where answers bring nothing new: none at all, or known ones that came again. */
export async function* eachOnce(
  receive: () => Promise<readonly Failure[]>,
): AsyncIterable<readonly Failure[]> {
  const known = new Set<string>();
  for (let nothing = 0; nothing < ENOUGH; ) {
    const fresh = (await receive()).filter(({ id }) => !known.has(id));
    nothing = fresh.length === 0 ? nothing + 1 : 0;
    for (const { id } of fresh) known.add(id);
    if (fresh.length > 0) yield fresh;
  }
}

/**
 * Sends what failed again, as it is read. What fails anew meanwhile, at once, stays where it is: else there would be no end.
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
