import type { AliasTarget, Intent, Phase, Release, VersionRef } from './contract.ts';
import { whole } from './target.ts';

/** The moves of a state document: each takes one and returns the next, a `rev` on. All pure. */

/** A release with nothing to wait for but the stack is dead after this long (milliseconds). */
export const PATIENCE = 60 * 60 * 1000;

/** Last known good ones to remember; more than two only so that a rollback of the stack finds its version. */
const LIVES = 5;

type Changes = { readonly [key in keyof Release]?: Release[key] | undefined };

/** The document with these changes (undefined removes a key), a `rev` on. */
export function next(state: Release, changes: Changes, now: number): Release {
  const merged = { ...state, ...changes, rev: state.rev + 1, updatedAt: iso(now) };
  return Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== undefined),
  ) as unknown as Release;
}

export const iso = (now: number): string => new Date(now).toISOString();

/** An intent in the document that `next` makes of `state`. */
export function intend(
  state: Pick<Release, 'release' | 'rev'>,
  after: AliasTarget,
  then: Phase,
  before?: Intent['before'],
): Intent {
  const token = `${state.release}#${state.rev + 1}`;
  return before === undefined ? { token, after, then } : { token, before, after, then };
}

/** The intended move was made. */
export function settle(state: Release, intent: Intent, now: number): Release {
  if (intent.then !== 'DONE') return next(state, { intent: undefined, phase: intent.then }, now);
  const live = refOf(state, intent.after.version);
  return next(
    state,
    {
      intent: undefined,
      candidate: undefined,
      phase: 'DONE',
      stable: live,
      lives: remember(state.lives, live),
    },
    now,
  );
}

/**
 * Gives a release up: all traffic back on stable, whatever the alias says now, and with a new revision, so that a
 * slower worker cannot make the move that is given up here. Without a stable version there is nothing to move to:
 * the stack that could not make it deletes the alias.
 */
export function abort(state: Release, reason: string, now: number): Release {
  const intent = state.stable && intend(state, whole(state.stable.version), 'ABORTED');
  return next(state, { phase: 'ABORTED', intent, reason }, now);
}

/** Stands still until somebody decides: the alias is not where we put it. */
export function hold(state: Release, reason: string, now: number): Release {
  return next(state, { phase: 'HELD', intent: undefined, reason }, now);
}

/** All that is known of a version. */
export function refOf(state: Pick<Release, 'stable' | 'candidate' | 'lives'>, version: string): VersionRef {
  const known = [state.candidate, state.stable, ...state.lives].find((ref) => ref?.version === version);
  return known ?? { version };
}

/** `live` first, then the ones before it. */
export function remember(lives: readonly VersionRef[], live: VersionRef): readonly VersionRef[] {
  return [live, ...lives.filter(({ version }) => version !== live.version)].slice(0, LIVES);
}
