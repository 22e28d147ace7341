import type { Aborted, DoneRelease, Release, RolledBack } from '../document/contract.ts';
import { type Action, STOP } from '../state/action.ts';
import { pointsAt } from '../state/alias-target.ts';
import { unseen } from '../state/capacity.ts';
import { isUnreadable, known, type ReleaseFacts } from '../state/facts.ts';
import { orderOf } from '../state/noted.ts';
import { lastGood, standing } from '../state/predicates.ts';
import { watching } from './baking.ts';

/** Published versions to keep. */
const KEEP = 5;

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

/**
 * Asked for before the latest five, and needed by nobody: alias, template, rollback. None while the stack may
 * go back to one. A version that this alias was never asked for is somebody else’s, or of a deploy that has
 * just begun.
 */
export function superfluous(state: Release, { versions, alias, stack }: ReleaseFacts): readonly string[] {
  if (stack !== 'done') return [];
  const { stable, candidate, lives } = state;
  const published = new Set(known(versions) ?? []);
  const needed = new Set([
    stable?.version,
    candidate?.version,
    ...lives.slice(0, 2).map(({ version }) => version),
    lastGood(state)?.version,
    alias?.version,
    ...Object.keys(alias?.weights ?? {}),
  ]);
  return orderOf(state)
    .filter((version) => published.has(version))
    .slice(0, -KEEP)
    .filter((version) => !needed.has(version));
}
