import type { Action } from '../actions.ts';
import { tidy } from '../capacity.ts';
import type { Release } from '../contract.ts';
import type { Facts } from '../facts.ts';
import { lastGood, standing } from '../steps.ts';
import { points } from '../target.ts';
import { watching } from './baking.ts';

/** Published versions to keep. */
const KEEP = 5;

/**
 * DONE, ROLLED_BACK, ABORTED, SUPERSEDED: what is left is put away, and the tick with it, unless the version that stayed
 * live is still watched. An alias that somebody moved meanwhile is theirs.
 */
export function ended(state: Release, facts: Facts, now: number): Action {
  const ours = facts.stack !== 'gone' && points(facts.alias, standing(state) ?? null);
  const action = ours ? watching(state, facts, now) : facts.held && tidy(state, facts.held, now);
  if (action !== undefined) return action;
  return { do: 'stop', prune: facts.stack === 'done' ? superfluous(state, facts) : [] };
}

/** Older than the five newest, and needed by nobody: alias, template, rollback. */
export function superfluous(state: Release, { versions = [], alias }: Facts): readonly string[] {
  const { stable, candidate, lives, highest } = state;
  const needed = new Set([
    stable?.version,
    candidate?.version,
    String(highest),
    ...lives.slice(0, 2).map(({ version }) => version),
    lastGood(state)?.version,
    alias?.version,
    ...Object.keys(alias?.weights ?? {}),
  ]);
  return [...versions]
    .sort((a, b) => Number(b) - Number(a))
    .slice(KEEP)
    .filter((version) => !needed.has(version));
}
