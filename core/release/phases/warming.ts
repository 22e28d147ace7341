import type { Promoting, Shifting, Warming } from '../document/contract.ts';
import { type Action, wait, write } from '../state/action.ts';
import { beyond, needed, stray, unseen } from '../state/capacity.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { become } from '../state/next.ts';
import { abort } from '../state/transitions.ts';

/** WARMING: the candidate's provisioned concurrency is READY before any traffic. */
export function warming(state: Warming, { held, limits }: ReleaseFacts, now: number): Action {
  const { candidate } = state;
  if (held === undefined) return write(warm(state, now));
  if (isUnreadable(held)) return unseen(held);
  const [first] = stray(state, held, now);
  // A candidate that was superseded still holds what this one needs.
  if (first !== undefined) return { do: 'release', version: first };
  const instances = needed(state, held);
  if (instances === 0) return write(warm(state, now));
  if (isUnreadable(limits)) return unseen(limits);
  const over = limits && beyond(state, limits, held, now);
  if (over !== undefined) return write(abort(state, over, now));
  const has = held.get(candidate.version);
  if (has === undefined || has.requested < instances)
    return { do: 'provide', version: candidate.version, instances };
  if (has.state === 'failed') {
    const reason = `provisioned concurrency for version ${candidate.version} failed: ${has.reason ?? 'AWS gives no reason'}`;
    return write(abort(state, reason, now));
  }
  if (has.state === 'ready') return write(warm(state, now));
  return wait(`${has.ready} of ${has.requested} instances of version ${candidate.version} are ready`);
}

/** Ready for traffic: step by step, or at once. */
function warm(state: Warming, now: number): Shifting | Promoting {
  const { stable, steps, promote } = state;
  return promote === 'afterStack' && stable !== undefined && steps.length > 0
    ? become(state, 'SHIFTING', { stable, step: 0 }, now)
    : become(state, 'PROMOTING', {}, now);
}
