import { type Action, wait, write } from '../actions.ts';
import { alarmed } from '../alarm.ts';
import { tidy } from '../capacity.ts';
import type { Release } from '../contract.ts';
import { type Facts, isUnreadable } from '../facts.ts';
import { next, standing } from '../steps.ts';
import { points } from '../target.ts';
import { foreign } from './held.ts';

/** BAKING: the new version has all traffic, and an alarm may bring the last good one back. */
export function baking(state: Release, facts: Facts, now: number): Action {
  if (facts.stack === 'gone') return { do: 'stop', prune: [] };
  if (!points(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  const answer = alarmed(state, facts, now);
  if (answer !== undefined) return write(answer);
  const capacity = facts.held && tidy(state, facts.held, now);
  if (capacity !== undefined) return capacity;
  if (now >= Date.parse(state.bakeUntil ?? state.updatedAt))
    return write(next(state, { phase: 'DONE' }, now));
  if (isUnreadable(facts.alarms))
    return wait(
      `version ${state.stable?.version} is not watched: alarms cannot be read: ${facts.alarms.unreadable}`,
    );
  return wait(`version ${state.stable?.version} is watched until ${state.bakeUntil}`);
}
