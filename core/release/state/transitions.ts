import { iso } from '../../units/time.ts';
import type {
  Aborted,
  Baking,
  DoneRelease,
  HeldRelease,
  Open,
  Pending,
  Release,
  Reversing,
  RolledBack,
} from '../document/contract.ts';
import type {
  AliasTarget,
  HeldBy,
  Intent,
  LiveWatch,
  Notice,
  Phase,
  VersionRef,
} from '../document/parts-contract.ts';
import type { Settings } from '../document/settings-contract.ts';
import { allTraffic } from './alias-target.ts';
import { LINGERS_MS } from './durations.ts';
import { become, type Changes, heldAs, next } from './next.ts';
import { gaveUp } from './notices.ts';
import { behavesAlike, isPending, isWatched, lastGood, weightOf } from './predicates.ts';

/** The moves of a state document: each takes one and returns the next, a `rev` on. All pure. */

/** Last known good ones to remember; more than two only so that a rollback of the stack finds its version. */
const LIVES = 5;

/** Notices that wait for their topic: what happens again and again must not grow the document. */
const NOTICES = 20;

/** An intent in the document that `next` makes of `state`. */
export function intend(
  state: Pick<Release, 'release' | 'rev'>,
  after: AliasTarget,
  then: Phase,
  now: number,
  before?: Intent['before'],
): Intent {
  const token = `${state.release}#${state.rev + 1}`;
  return { token, ...(before !== undefined && { before }), after, then, at: iso(now) };
}

/** The intended move was made. */
export function settle(state: Release, intent: Intent, now: number): Release {
  if (isPending(state) && intent.after.version === state.candidate.version)
    return promoted(state, intent, now);
  const half = state.phase === 'REVERSING' ? intent.after.weights[state.reversal.to.version] : undefined;
  if (state.phase === 'REVERSING' && half !== undefined)
    return next(
      state,
      { intent: undefined, reversal: { ...state.reversal, half: { asked: intent.at, at: iso(now) } } },
      now,
    );
  const changes = { intent: undefined, ...shifted(state, intent, now) };
  return state.phase === 'SHIFTING' && intent.then === 'JUDGING' && state.basis !== undefined
    ? become(state, 'JUDGING', { ...changes, basis: state.basis }, now)
    : next(state, changes, now);
}

/** The candidate has another weight than before. */
function shifted(state: Release, intent: Intent, now: number): Pick<Changes, 'shifts'> {
  const { candidate, shifts, steps = [], step = 0 } = state;
  if (candidate === undefined) return {};
  // As the step says it: a share times 100 is not always the percent that it was made of.
  const weight = intent.after.weights[candidate.version] === undefined ? 0 : (steps[step]?.weight ?? 0);
  if (weight === (shifts.at(-1)?.weight ?? 0)) return {};
  return { shifts: [...shifts, { asked: intent.at, at: iso(now), step, weight }] };
}

/** What ends with a live version's watch. */
export const UNWATCHED = { watch: undefined, quietUntil: undefined, blind: undefined };

/**
 * A candidate that had a weight is withdrawn: alarms look back on what it did, and say nothing of the live
 * version until that is out of their sight. One that is still on then is the live version's.
 */
export function lingering(state: Release, now: number): Pick<Changes, 'quietUntil'> {
  const until = iso(now + LINGERS_MS);
  if (state.watch === undefined || weightOf(state) === 0 || until < (state.quietUntil ?? '')) return {};
  return { quietUntil: until };
}

/**
 * The watch under another `rollbackWindow`: shorter or longer from where it began, over at once where that
 * time has passed. A watch that is over stays over.
 */
export function rewindowed(
  state: Pick<Release, 'watch'>,
  { rollbackWindow }: Pick<Settings, 'rollbackWindow'>,
  now: number,
): { readonly watch?: LiveWatch } {
  const { watch } = state;
  if (watch === undefined || !isWatched(state, now)) return {};
  const until = Date.parse(watch.since) + rollbackWindow * 1000;
  return { watch: { ...watch, until: iso(Math.max(until, now)) } };
}

/**
 * The watch once a stack is back at a template with this `rollbackWindow`. What the settings of the deploy
 * that failed ended goes on, since no deploy that fails ends a watch.
 */
export function rewatched(
  state: Pick<Release, 'watch' | 'settings'>,
  before: Pick<Settings, 'rollbackWindow'>,
  now: number,
): { readonly watch?: LiveWatch } {
  const { watch, settings } = state;
  if (watch === undefined || isWatched(state, now)) return rewindowed(state, before, now);
  const endOf = (seconds: number): number => Date.parse(watch.since) + seconds * 1000;
  const isEnded = endOf(settings.rollbackWindow) <= Date.parse(watch.until);
  const until = endOf(before.rollbackWindow);
  return isEnded && until > now ? { watch: { ...watch, until: iso(until) } } : {};
}

/**
 * A version with what it is released and measured by.
 *
 * @param known what is recorded of this very version: how it counts is in its own zip, and no later request
 * changes that
 */
export function measured(
  {
    version,
    fingerprint,
    source,
    batch,
  }: Pick<VersionRef, 'version' | 'fingerprint'> & {
    readonly source?: string | undefined;
    readonly batch?: VersionRef['batch'] | undefined;
  },
  { gate, p95, signals, ...counting }: Settings,
  known?: VersionRef,
): VersionRef {
  const { rejected, drift } = known ?? counting;
  return {
    version,
    ...(fingerprint !== undefined && { fingerprint }),
    ...(source !== undefined && { source }),
    ...(batch !== undefined && { batch }),
    ...(gate !== undefined && { gate }),
    ...(p95 !== undefined && { p95 }),
    ...(signals !== undefined && { signals }),
    ...(rejected && { rejected }),
    ...(drift !== undefined && { drift }),
  };
}

/**
 * Provisioned concurrency on this version, if there is any, is ours; what it scales by is still to be told.
 * Also where none is asked for any more: a candidate may have been warmed by settings that another deploy
 * replaced.
 */
export const claimed = (version: string): Pick<Changes, 'scaled'> => ({ scaled: { version, key: '' } });

/** What AWS refused of instances is asked for again with each request: who makes it may have seen to that. */
export const triedAgain = ({ scaled }: Pick<Release, 'scaled'>): Pick<Changes, 'scaled'> =>
  scaled?.refused === undefined ? {} : { scaled: undefined };

/** The candidate has 100 %. What behaves as the version before it is watched no longer than that one. */
function promoted(state: Pending, { then }: Intent, now: number): Baking | DoneRelease {
  const { settings, candidate } = state;
  const lives = remember(state.lives, candidate);
  const changes = {
    intent: undefined,
    candidate: undefined,
    held: undefined,
    step: undefined,
    promotedAt: iso(now),
    stable: candidate,
    lives,
    // Whoever released it all the same was right, or knows why.
    refused: state.refused.filter(({ fingerprint }) => fingerprint !== candidate.fingerprint),
    ...(state.stable?.version !== candidate.version && claimed(candidate.version)),
  };
  const ends = behavesAlike(state.stable, candidate) ? rewindowed(state, settings, now) : UNWATCHED;
  const before = lastGood({ stable: candidate, lives, refused: state.refused });
  const keeps = settings.strategy === 'blueGreen' && before !== undefined ? { keeps: before.version } : {};
  const until = iso(now + settings.rollbackWindow * 1000);
  const watch = ends === UNWATCHED ? { since: iso(now), until, ...keeps } : (ends.watch ?? state.watch);
  return then === 'BAKING' && watch !== undefined
    ? become(state, 'BAKING', { ...changes, ...ends, watch }, now)
    : become(state, 'DONE', { ...changes, ...ends }, now);
}

/**
 * Gives a release up: all traffic back on stable, whatever the alias says now, and with a new revision, so
 * that a slower worker cannot make the move that is given up here. Without a stable version there is nothing
 * to move to: the stack that could not make it deletes the alias. Before any move there is nothing to take
 * back.
 */
export function abort(state: Open | Aborted, reason: string, now: number): Aborted {
  const untouched = state.intent === undefined && (state.phase === 'GATING' || state.phase === 'WARMING');
  const intent =
    state.stable && !untouched ? intend(state, allTraffic(state.stable.version), 'ABORTED', now) : undefined;
  // A deploy that waits shows the reason itself.
  const told = state.request?.url === undefined ? tell(state, gaveUp(state, reason, now)) : {};
  return become(state, 'ABORTED', { ...told, ...lingering(state, now), intent, reason }, now);
}

/** Where an alarm may find a live version. */
export type WatchedRelease = Baking | DoneRelease | RolledBack | Aborted;

/** The test of two versions is over, and the live one keeps all traffic: on from where the alarm found it. */
export function acquitted(state: Reversing, changes: Changes<WatchedRelease>, now: number): WatchedRelease {
  const over = { ...changes, reversal: undefined };
  switch (state.reversal.from) {
    case 'BAKING':
      return become(state, 'BAKING', { ...over, candidate: undefined }, now);
    case 'DONE':
      return become(state, 'DONE', { ...over, candidate: undefined }, now);
    case 'ROLLED_BACK':
      return become(state, 'ROLLED_BACK', over, now);
    case 'ABORTED':
      return become(state, 'ABORTED', over, now);
  }
}

/** Stands still until somebody decides. */
export const hold = (state: Release, by: HeldBy, reason: string, notice: Notice, now: number): HeldRelease =>
  heldAs(state, by, reason, tell(state, notice), now);

/** The document with every version that it goes by changed. */
export function eachVersion<S extends Release>(state: S, change: (ref: VersionRef) => VersionRef): S {
  const { stable, candidate, reversal, lives } = state;
  return {
    ...state,
    ...(stable && { stable: change(stable) }),
    ...(candidate && { candidate: change(candidate) }),
    ...(reversal && { reversal: { ...reversal, to: change(reversal.to) } }),
    lives: lives.map(change),
  };
}

/** The outbox with one notice more. */
export const tell = (
  state: Pick<Release, 'notices'>,
  ...notices: readonly Notice[]
): Pick<Release, 'notices'> => ({
  notices: [...state.notices, ...notices].slice(-NOTICES),
});

/**
 * The stack returns to a template with a batch function: what the deploy without one took from `lives`, and
 * from the live version.
 */
export function rebatched({
  stable,
  lives,
  unbatched,
}: Release): Pick<Changes, 'lives' | 'unbatched'> & { readonly stable?: VersionRef } {
  if (unbatched === undefined) return {};
  const back = (ref: VersionRef): VersionRef => {
    const batch = ref.batch ?? unbatched[ref.version];
    return batch === undefined ? ref : { ...ref, batch };
  };
  return { unbatched: undefined, lives: lives.map(back), ...(stable && { stable: back(stable) }) };
}

/** `live` first, then the ones before it. */
export function remember(lives: readonly VersionRef[], live: VersionRef): readonly VersionRef[] {
  return [live, ...lives.filter(({ version }) => version !== live.version)].slice(0, LIVES);
}
