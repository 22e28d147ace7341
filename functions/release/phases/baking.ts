import { type Action, wait, write } from '../actions.ts';
import { alarmed } from '../alarm.ts';
import { tidy } from '../capacity.ts';
import type { Release } from '../contract.ts';
import { type Facts, isUnreadable } from '../facts.ts';
import { notice } from '../notices.ts';
import { iso, isWatched, next, standing, tell } from '../steps.ts';
import { points } from '../target.ts';
import { foreign } from './hold.ts';

/** Milliseconds: a call that is throttled once is nobody's business. */
const PATIENT = 15 * 60_000;

/** BAKING: the new version has all traffic, and an alarm may bring the last good one back. */
export function baking(state: Release, facts: Facts, now: number): Action {
  if (facts.stack === 'gone') return { do: 'stop', prune: [] };
  if (!points(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  return watching(state, facts, now) ?? write(next(state, { phase: 'DONE' }, now));
}

/** Of a live version, whatever became of later ones; undefined: the watch is over, and all is put away. */
export function watching(state: Release, facts: Facts, now: number): Action | undefined {
  const answer = alarmed(state, facts, now);
  if (answer !== undefined) return write(answer);
  const capacity = facts.held && tidy(state, facts.held, now);
  if (capacity !== undefined) return capacity;
  if (!isWatched(state, now)) return undefined;
  if (isUnreadable(facts.alarms)) return blind(state, facts.alarms.unreadable, now);
  if (state.blind !== undefined) return write(next(state, { blind: undefined }, now));
  return wait(`version ${state.stable?.version} is watched until ${state.watch?.until}`);
}

/** Whether an alarm is on cannot be told: a bad version would stay live without a word, so somebody hears of it. */
function blind(state: Release, reason: string, now: number): Action {
  const so = state.blind ?? { since: iso(now), told: false };
  const why = `version ${state.stable?.version} is not watched: alarms cannot be read since ${so.since}: ${reason}`;
  if (state.blind === undefined) return write(next(state, { blind: so }, now));
  if (so.told || now - Date.parse(so.since) < PATIENT) return wait(why);
  const lines = [
    `Why: ${reason}.`,
    'What to do: give the release worker cloudwatch:DescribeAlarms again, and look at the alarms of the model yourself until then.',
  ];
  const text = notice(state, 'alarms cannot be read, so nothing would be rolled back', lines, true, now);
  return write(next(state, { ...tell(state, text), blind: { ...so, told: true } }, now));
}
