import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import { type Action, type Blind, write } from './action.ts';
import { BLIND_MS } from './durations.ts';
import { next } from './next.ts';
import { notice } from './notices.ts';
import { tell } from './transitions.ts';

/**
 * What a decision needs cannot be read. Nobody is exposed to more than before, but somebody must hear of it.
 * Pure.
 */

/** The next note about what is not seen, or that it is seen again; undefined: nothing new. */
export function blinded(state: Release, blind: Blind | undefined, now: number): Action | undefined {
  const so = state.blind;
  if (blind === undefined) return so && write(next(state, { blind: undefined }, now));
  const { subject, why, todo } = blind;
  if (so === undefined)
    return write(next(state, { blind: { since: iso(now), told: false, reason: `${subject}: ${why}` } }, now));
  if (so.told || now - Date.parse(so.since) < BLIND_MS) return undefined;
  const lines = [`Why: ${why}, since ${so.since}.`, `What to do: ${todo}`];
  const text = notice(state, subject, lines, true, now);
  return write(next(state, { ...tell(state, text), blind: { ...so, told: true } }, now));
}
