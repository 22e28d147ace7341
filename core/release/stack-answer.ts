import type { Release } from './document/contract.ts';
import type { Action } from './state/action.ts';
import { say } from './state/alias-target.ts';
import { stray, tidy } from './state/capacity.ts';
import { isUnreadable, known, type ReleaseFacts } from './state/facts.ts';
import { next } from './state/next.ts';
import { isOpen, standing } from './state/predicates.ts';

/** What CloudFormation is answered, and what is done first; undefined: nothing yet, or not any more. Pure. */
export function stackAnswer(
  state: Release,
  facts: ReleaseFacts,
  overdue: boolean,
  now: number,
): Action | undefined {
  const { request, phase } = state;
  if (request?.url === undefined) return undefined;
  const { url: _, ...rest } = request;
  const stands = state.reason ?? `${phase}: ${say(standing(state))}`;
  const answer = (status: 'SUCCESS' | 'FAILED', reason = stands): Action => ({
    do: 'answer',
    status,
    reason,
    next: next(state, { request: { ...rest, answered: status } }, now),
  });
  switch (request.kind) {
    case 'settings': {
      if (request.failure !== undefined) return answer('FAILED', request.failure);
      // Capacity first, so that what AWS refuses fails the deploy. A release that runs goes on meanwhile.
      const { held } = facts;
      if (isUnreadable(held)) return overdue ? answer('FAILED', `${UNDONE}: ${held.unreadable}`) : undefined;
      const capacity = held && tidy(state, held, now, facts.alias);
      if (capacity === undefined) return answer('SUCCESS');
      return overdue ? answer('FAILED', UNDONE) : capacity;
    }
    case 'refused':
      return answer('FAILED', request.failure);
    case 'rollback': {
      // The version that the stack withdraws is about to be deleted, provisioned concurrency and all. Failing
      // would leave the stack stuck half-way, so what cannot be done does not keep it.
      const held = known(facts.held);
      const [first] = held && !overdue ? stray(state, held, now) : [];
      return first === undefined ? answer('SUCCESS') : { do: 'release', version: first };
    }
    case 'forward':
      if (phase === 'GATING' || phase === 'WARMING') return undefined;
      if (phase === 'PROMOTING' && state.promote === 'now') return undefined;
      return answer(isOpen(phase) || phase === 'DONE' || phase === 'BAKING' ? 'SUCCESS' : 'FAILED');
  }
}

const UNDONE = 'provisioned concurrency could not be changed in time';
