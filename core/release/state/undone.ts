import type { Release } from '../document/contract.ts';
import type { Undone } from '../document/request-contract.ts';
import { endTime } from './predicates.ts';

/**
 * What gave its traffic up last, to the version that is live: alarms still look back on it, and whoever asks
 * for a rollback may mean that one. Pure.
 */

export const undoneOf = (state: Release): Undone | undefined =>
  own(state) ?? (state.phase === 'ABORTED' ? found(state) : undefined);

/**
 * What an operation finds undone. A release that came to nothing before its version had any weight changes
 * nothing of what its own operation found.
 */
export const undoneBefore = (state: Release): Undone | undefined => own(state) ?? found(state);

const found = ({ operation, stable }: Release): Undone | undefined =>
  operation?.stable?.version === stable?.version ? operation?.undone : undefined;

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

function rolledBack(state: Release): Undone | undefined {
  const { phase, candidate, refused, returnedAt, updatedAt } = state;
  if (phase !== 'ROLLED_BACK' || candidate === undefined || returnedAt !== undefined) return undefined;
  const refusal = refused.findLast(({ fingerprint }) => fingerprint === candidate.fingerprint);
  return { how: 'rolledBack', version: candidate.version, at: refusal?.at ?? updatedAt };
}
