import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import { type Action, STOP, wait, write } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { PAGED_EVERY_MS } from '../state/durations.ts';
import { lookIsDue, type ReleaseFacts } from '../state/facts.ts';
import { heldNotice, numbers } from '../state/notices.ts';
import { standing, weightOf } from '../state/predicates.ts';
import { next, tell } from '../state/transitions.ts';
import { foreign, todo } from './hold.ts';
import { judgeMinutes, keptJudgements } from './judging.ts';
import { rollBack } from './rollback.ts';

/**
 * HELD: the weight stands until somebody decides. The candidate is judged meanwhile and rolled back if it
 * fails; somebody is paged once a day. After another's hand on the alias nothing is touched at all.
 */
export function held(state: Release, facts: ReleaseFacts, now: number): Action {
  const { held: so } = state;
  if (so === undefined) return wait('held');
  if (facts.stack === 'gone') return STOP;
  if (now - Date.parse(so.pagedAt) >= PAGED_EVERY_MS) return write(paged(state, now));
  // A missing alias that AWS would make again was made before this is asked.
  if (so.by === 'foreign' || facts.alias === undefined)
    return wait(state.reason ?? 'the alias was moved by somebody else');
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  if (weightOf(state) > 0 && lookIsDue(state, now)) {
    const looked = judgeMinutes(state, facts, now);
    const judged = { judgements: keptJudgements(state, looked) };
    return looked.verdict === 'fail' && !state.settings.dryRun
      ? write(rollBack({ ...state, ...judged }, looked.reason, looked, now))
      : write(next(state, judged, now));
  }
  return wait(state.reason ?? 'held');
}

function paged(state: Release, now: number): Release {
  const text = heldNotice(
    state,
    `still: ${state.reason ?? 'held'}`,
    todo(state, state.held?.by),
    numbers(state.judgements.at(-1)),
    true,
    now,
  );
  const so = state.held && { ...state.held, pagedAt: iso(now) };
  return next(state, { ...tell(state, text), held: so }, now);
}
