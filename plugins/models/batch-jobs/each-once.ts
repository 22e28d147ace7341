import type { Failure } from '../../../aws/queue-messages.ts';

/** Answers in a row with nothing new that are taken for the end: one may come early. */
const ENOUGH = 2;

/** SQS's most, in seconds. */
const MOST_HIDDEN = 43_200;

/**
 * Seconds that messages are kept from coming again while the rest is read: a connection that gives twenty of
 * them a second is a slow one.
 *
 * @param least seconds
 */
export const hiddenFor = (waiting: number, least: number): number =>
  Math.min(MOST_HIDDEN, least + Math.ceil(waiting / 20));

/** Empty answers, a second each: a person waits no longer for what somebody else may send again meanwhile. */
const MOST_WAITED = 60;

/** Seconds that a look at what failed hides it from others. */
export const LOOK_SECONDS = 5;

/**
 * Answers in a row with nothing new that are taken for the end. Somebody who has just looked hides the
 * messages, so an empty answer, which takes a second, says nothing before their time is over.
 *
 * @param atWork messages that others hide
 */
export const enoughFor = (atWork: number): number =>
  atWork === 0 ? ENOUGH : Math.min(MOST_WAITED, ENOUGH + hiddenFor(atWork, LOOK_SECONDS));

/**
 * Messages as answers bring them, each once. It ends where answers bring nothing new: none at all, or known
 * ones that came again.
 *
 * @param enough such answers in a row that are the end
 */
export async function* eachOnce(
  receive: () => Promise<readonly Failure[]>,
  enough: number = ENOUGH,
): AsyncIterable<readonly Failure[]> {
  const known = new Set<string>();
  for (let nothing = 0; nothing < enough; ) {
    const fresh = (await receive()).filter(({ id }) => !known.has(id));
    nothing = fresh.length === 0 ? nothing + 1 : 0;
    for (const { id } of fresh) known.add(id);
    if (fresh.length > 0) yield fresh;
  }
}
