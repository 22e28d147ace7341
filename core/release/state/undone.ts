import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { Undone } from '../document/request-contract.ts';
import { behavesAlike, endTime, isOpen, isPending, weightOf } from './predicates.ts';

/**
 * What gave its traffic up last, to the version that is live: alarms still look back on it, and whoever asks
 * for a rollback may mean that one. Pure.
 */

export const undoneOf = (state: Release): Undone | undefined =>
  own(state) ?? (isUntried(state) ? found(state) : undefined);

/**
 * What an operation finds undone. It takes the place of a candidate that had a weight, which gives it up with
 * that. A release that came to nothing before its version had any changes nothing of what its own operation
 * found.
 */
export const undoneBefore = (state: Release, now: number): Undone | undefined =>
  own(state) ?? replaced(state, now) ?? found(state);

/**
 * Has what its operation asked for had no traffic, or is it the like of what was live? What is live behaves
 * as it did, then.
 */
const isUntried = ({ phase, shifts }: Release): boolean =>
  (isOpen(phase) || phase === 'ABORTED' || phase === 'BAKING' || phase === 'DONE') &&
  !shifts.some(({ weight }) => weight > 0);

const found = ({ operation, stable }: Release): Undone | undefined =>
  stable !== undefined && behavesAlike(operation?.stable, stable) ? operation?.undone : undefined;

const replaced = (state: Release, now: number): Undone | undefined =>
  isPending(state) && weightOf(state) > 0
    ? { how: 'givenUp', version: state.candidate.version, at: iso(now) }
    : undefined;

const own = (state: Release): Undone | undefined =>
  [putBack(state), givenUp(state), rolledBack(state)]
    .filter((one) => one !== undefined)
    .toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))
    .at(-1);

const putBack = ({ putBackAt }: Release): Undone | undefined =>
  putBackAt === undefined ? undefined : { how: 'putBack', at: putBackAt };

/** A candidate whose release was given up while it had a weight. */
function givenUp(state: Release): Undone | undefined {
  const { phase, candidate, shifts, updatedAt } = state;
  if (phase !== 'ABORTED' || candidate === undefined || !shifts.some(({ weight }) => weight > 0))
    return undefined;
  return { how: 'givenUp', version: candidate.version, at: endTime(state) ?? updatedAt };
}

/** A candidate that was sent back; also where the stack of its deploy rolled back for that, and ended it. */
function rolledBack(state: Release): Undone | undefined {
  const { phase, candidate, refused, returnedAt, startedAt, updatedAt } = state;
  if (candidate === undefined || returnedAt !== undefined) return undefined;
  const { version, fingerprint } = candidate;
  const at = refused.findLast((one) => one.fingerprint === fingerprint)?.at;
  if (phase === 'ROLLED_BACK') return { how: 'rolledBack', version, at: at ?? updatedAt };
  return phase === 'ABORTED' && at !== undefined && at >= startedAt
    ? { how: 'rolledBack', version, at }
    : undefined;
}
