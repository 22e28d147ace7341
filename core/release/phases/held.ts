import type { HeldRelease } from '../document/contract.ts';
import { type Action, STOP, wait, write } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { PAGED_EVERY_MS } from '../state/durations.ts';
import { lookIsDue, type ReleaseFacts } from '../state/facts.ts';
import { next, pagedAgain } from '../state/next.ts';
import { heldNotice, lastNumbers } from '../state/notices.ts';
import { isPending, standing, weightOf } from '../state/predicates.ts';
import { tell } from '../state/transitions.ts';
import { foreign, todo } from './hold.ts';
import { judgeMinutes, keptJudgements, unlooked, wouldRollBack } from './judging.ts';
import { rollBack } from './rollback.ts';

/**
 * HELD: the weight stands until somebody decides. The candidate is judged meanwhile and rolled back if it
 * fails, which a dry run only tells; somebody is paged once a day. After another's hand on the alias nothing
 * is touched at all.
 */
export function held(state: HeldRelease, facts: ReleaseFacts, now: number): Action {
  const { held: so } = state;
  if (facts.stack === 'gone') return STOP;
  if (now - Date.parse(so.pagedAt) >= PAGED_EVERY_MS) return write(paged(state, now));
  // A missing alias that AWS would make again was made before this is asked.
  if (so.by === 'foreign' || facts.alias === undefined) return wait(state.reason);
  // Where AWS did not take the move, the alias is not where it should be, and nobody moved it.
  if (!pointsAt(facts.alias, standing(state) ?? null))
    return so.by === 'refused' ? wait(state.reason) : foreign(state, facts, now);
  if (isPending(state) && state.stable !== undefined && weightOf(state) > 0 && lookIsDue(state, now)) {
    const looked = judgeMinutes(state, facts, now);
    const judged = { judgements: keptJudgements(state, looked) };
    if (looked.verdict !== 'fail') return write(next(state, judged, now));
    return state.settings.dryRun
      ? write(next(state, { ...judged, ...wouldRollBack(state, state.candidate, looked, now) }, now))
      : write(rollBack({ ...state, ...judged }, state.stable, looked.reason, looked, now));
  }
  return wait(state.reason, weightOf(state) > 0 ? unlooked(state) : undefined);
}

function paged(state: HeldRelease, now: number): HeldRelease {
  const text = heldNotice(
    state,
    `still: ${state.reason}`,
    todo(state, state.held.by),
    // It is held for what is told above, and may have been judged on since.
    lastNumbers(state.judgements.at(-1)),
    true,
    now,
  );
  return pagedAgain(state, tell(state, text), now);
}
