import type { Baking } from '../document/contract.ts';
import { type Action, STOP, wait, write } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { become } from '../state/next.ts';
import { isWatched, standing } from '../state/predicates.ts';
import type { WatchedRelease } from '../state/transitions.ts';
import { alarmed } from './alarm.ts';
import { foreign } from './hold.ts';

/** BAKING: the new version has all traffic, and an alarm may bring the last good one back. */
export function baking(state: Baking, facts: ReleaseFacts, now: number): Action {
  if (facts.stack === 'gone') return STOP;
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  return watching(state, facts, now) ?? write(become(state, 'DONE', {}, now));
}

/** What the watch of a live version asks for, whatever became of later ones; undefined: it is over. */
export function watching(state: WatchedRelease, facts: ReleaseFacts, now: number): Action | undefined {
  const answer = alarmed(state, facts, now);
  if (answer !== undefined) return write(answer);
  if (!isWatched(state, now)) return undefined;
  const version = `version ${state.stable?.version}`;
  // Whether an alarm is on cannot be told: a bad version would stay live without a word.
  if (isUnreadable(facts.alarms))
    return wait(`${version} is not watched: alarms cannot be read: ${facts.alarms.unreadable}`, {
      subject: 'alarms cannot be read, so nothing would be rolled back',
      why: facts.alarms.unreadable,
      todo: 'give the release worker cloudwatch:DescribeAlarms again, and look at the alarms of the model yourself until then.',
    });
  return wait(`${version} is watched until ${state.watch?.until}`);
}
