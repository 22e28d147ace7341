import type { Aborted, DoneRelease, RolledBack } from '../document/contract.ts';
import { type Action, STOP, wait } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { keeping, unseen } from '../state/capacity.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { standing } from '../state/predicates.ts';
import { watching } from './baking.ts';

/**
 * DONE, ROLLED_BACK, ABORTED: what is left is put away, and the tick with it, unless the version
 * that stayed live is still watched, or one keeps its instances. An alias that somebody moved is theirs.
 */
export function ended(state: DoneRelease | RolledBack | Aborted, facts: ReleaseFacts, now: number): Action {
  if (facts.stack === 'gone') return STOP;
  const ours = pointsAt(facts.alias, standing(state) ?? null);
  const watched = ours ? watching(state, facts, now) : undefined;
  if (watched !== undefined) return watched;
  // Instances that nobody takes away are paid for, for good.
  if (isUnreadable(facts.held)) return unseen(facts.held);
  const keeps = keeping(state, facts.held, now);
  return keeps === undefined
    ? STOP
    : wait(`version ${keeps} keeps its instances until ${state.watch?.until}`);
}
