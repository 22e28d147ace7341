import type { Release } from '../document/contract.ts';
import type { StackCaller } from '../events/events.ts';
import { next } from '../state/next.ts';
import { REMEMBERED } from '../state/noted.ts';

/**
 * Deletes that come once more, and late: Lambda keeps an event for six hours, and calls a function by its
 * name. By then the model may have been deployed again, under the same names. Pure.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */

/** Why a Delete has nothing to take away any more; undefined where it is to be followed. */
export function passedOver(
  found: Release,
  { id, stack }: StackCaller,
  functionName: string,
): string | undefined {
  if (found.requests.includes(id)) return 'it was deleted before';
  // Each stack has an id of its own, also one that is made anew under the name of another. No two have a
  // function of one name at once.
  return found.functionName === functionName && found.stack !== stack
    ? 'it belongs to a newer stack'
    : undefined;
}

/** A Delete is remembered once it is done: until then it must be followed whenever it comes. */
export const deletedBy = (found: Release, { id }: StackCaller, clock: number): Release =>
  next(
    found,
    { requests: [...found.requests, id].slice(-REMEMBERED) },
    Math.max(clock, Date.parse(found.updatedAt)),
  );
