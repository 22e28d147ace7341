import type { Aborted, DoneRelease, RolledBack } from '../document/contract.ts';
import { type Action, STOP } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { unseen } from '../state/capacity.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { standing } from '../state/predicates.ts';
import { watching } from './baking.ts';

/**
 * DONE, ROLLED_BACK, ABORTED: what is left is put away, and the tick with it, unless the version
 * that stayed live is still watched. An alias that somebody moved meanwhile is theirs.
 */
export function ended(state: DoneRelease | RolledBack | Aborted, facts: ReleaseFacts, now: number): Action {
  const ours = facts.stack !== 'gone' && pointsAt(facts.alias, standing(state) ?? null);
  const watched = ours ? watching(state, facts, now) : undefined;
  // Instances that nobody takes away are paid for, for good.
  const left = facts.stack !== 'gone' && isUnreadable(facts.held) ? unseen(facts.held) : STOP;
  return watched ?? left;
}
