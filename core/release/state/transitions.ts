import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type {
  AliasTarget,
  HeldBy,
  Intent,
  Notice,
  Phase,
  VersionRef,
  WeightShift,
} from '../document/parts-contract.ts';
import type { Settings } from '../document/settings-contract.ts';
import { allTraffic } from './alias-target.ts';
import { GOES_OFF_MS } from './durations.ts';
import { gaveUp } from './notices.ts';
import { behavesAlike, endTime, isEnd, isPending, isWatched, lastGood, weightOf } from './predicates.ts';

/** The moves of a state document: each takes one and returns the next, a `rev` on. All pure. */

/** Last known good ones to remember; more than two only so that a rollback of the stack finds its version. */
const LIVES = 5;

/** Notices that wait for their topic: what happens again and again must not grow the document. */
const NOTICES = 20;

export type Changes = { readonly [key in keyof Release]?: Release[key] | undefined };

/**
 * The document with these changes (undefined removes a key), a `rev` on; its time never goes back, whatever a
 * worker's clock does.
 */
export function next(state: Release, changes: Changes, now: number): Release {
  const updatedAt = iso(Math.max(now, Date.parse(state.updatedAt)));
  const merged = { ...state, ...changes, rev: state.rev + 1, updatedAt };
  // What is noted of a release that is over is no end of it.
  const comes = isEnd(merged.phase ?? state.phase) && (!isEnd(state.phase) || 'endedAt' in changes);
  if (comes && endTime(merged) === undefined) merged.endedAt = updatedAt;
  return Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== undefined),
  ) as unknown as Release;
}

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
  const { candidate, reversal } = state;
  if (candidate !== undefined && intent.after.version === candidate.version && isPending(state))
    return promoted(state, candidate, intent, now);
  const changes: Changes = { intent: undefined, phase: intent.then };
  const half = reversal && intent.after.weights[reversal.to.version];
  if (intent.then === 'REVERSING' && reversal && half !== undefined)
    return next(
      state,
      { ...changes, reversal: { ...reversal, half: { asked: intent.at, at: iso(now) } } },
      now,
    );
  if (candidate === undefined) return next(state, changes, now);
  const { steps = [], step = 0 } = state;
  // As the step says it: a share times 100 is not always the percent that it was made of.
  const weight = intent.after.weights[candidate.version] === undefined ? 0 : (steps[step]?.weight ?? 0);
  if (weight === (state.shifts.at(-1)?.weight ?? 0)) return next(state, changes, now);
  const shift: WeightShift = { asked: intent.at, at: iso(now), step, weight };
  return next(state, { ...changes, shifts: [...state.shifts, shift] }, now);
}

/** What ends with a live version's watch. */
export const UNWATCHED: Changes = { watch: undefined, quietUntil: undefined, blind: undefined };

/**
 * A candidate that had a weight is withdrawn: alarms look back on what it did, and say nothing of the live
 * version until that is out of their sight. One that is still on then is the live version's.
 */
export function lingering(state: Release, now: number): Pick<Changes, 'quietUntil'> {
  const until = iso(now + GOES_OFF_MS);
  if (state.watch === undefined || weightOf(state) === 0 || until < (state.quietUntil ?? '')) return {};
  return { quietUntil: until };
}

/**
 * The watch under another `rollbackWindow`: shorter or longer from where it began, over at once where that
 * time has passed. A watch that is over stays over. A release that stands still because alarms may not act
 * any more (`limit`) goes on to its end.
 */
export function rewindowed(
  state: Pick<Release, 'watch' | 'phase' | 'held'>,
  { rollbackWindow }: Pick<Settings, 'rollbackWindow'>,
  now: number,
): Changes {
  const { watch, phase, held } = state;
  if (watch === undefined || !isWatched(state, now)) return {};
  const until = Date.parse(watch.since) + rollbackWindow * 1000;
  const limited = phase === 'HELD' && held?.by === 'limit' && until <= now;
  return {
    watch: { ...watch, until: iso(Math.max(until, now)) },
    ...(limited && { phase: held.from, held: undefined, reason: undefined }),
  };
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

/** The candidate has 100 %. What behaves as the version before it is watched no longer than that one. */
function promoted(state: Release, candidate: VersionRef, { then }: Intent, now: number): Release {
  const { settings } = state;
  const until = iso(now + settings.rollbackWindow * 1000);
  const lives = remember(state.lives, candidate);
  const before = lastGood({ ...state, stable: candidate, lives });
  const keeps = settings.strategy === 'blueGreen' && before !== undefined ? { keeps: before.version } : {};
  const watch = then === 'BAKING' ? { watch: { since: iso(now), until, ...keeps } } : {};
  const watched = behavesAlike(state.stable, candidate)
    ? rewindowed(state, settings, now)
    : { ...UNWATCHED, ...watch };
  return next(
    state,
    {
      intent: undefined,
      candidate: undefined,
      held: undefined,
      step: undefined,
      phase: then,
      promotedAt: iso(now),
      stable: candidate,
      lives,
      // Whoever released it all the same was right, or knows why.
      refused: state.refused.filter(({ fingerprint }) => fingerprint !== candidate.fingerprint),
      ...(state.stable?.version !== candidate.version && claimed(candidate.version)),
      ...watched,
    },
    now,
  );
}

/**
 * Gives a release up: all traffic back on stable, whatever the alias says now, and with a new revision, so
 * that a slower worker cannot make the move that is given up here. Without a stable version there is nothing
 * to move to: the stack that could not make it deletes the alias. Before any move there is nothing to take
 * back.
 */
export function abort(state: Release, reason: string, now: number): Release {
  const untouched = state.intent === undefined && (state.phase === 'GATING' || state.phase === 'WARMING');
  const intent =
    state.stable && !untouched ? intend(state, allTraffic(state.stable.version), 'ABORTED', now) : undefined;
  // A deploy that waits shows the reason itself.
  const told = state.request?.url === undefined ? tell(state, gaveUp(state, reason, now)) : {};
  return next(
    state,
    { ...told, ...lingering(state, now), phase: 'ABORTED', intent, held: undefined, reason },
    now,
  );
}

/** Stands still until somebody decides. */
export function hold(state: Release, by: HeldBy, reason: string, notice: Notice, now: number): Release {
  const from = state.phase === 'HELD' && state.held ? state.held.from : state.phase;
  const held = { from, by, at: iso(now), pagedAt: iso(now) };
  const changes: Changes = { phase: 'HELD', held, intent: undefined, promotedBy: undefined, reason };
  return next(state, { ...tell(state, notice), ...changes }, now);
}

/** The outbox with one notice more. */
export const tell = (
  state: Pick<Release, 'notices'>,
  ...notices: readonly Notice[]
): Pick<Release, 'notices'> => ({
  notices: [...state.notices, ...notices].slice(-NOTICES),
});

/** The stack returns to a template with a batch function: what the deploy without one took from `lives`. */
export function rebatched({ lives, unbatched }: Release): Changes {
  if (unbatched === undefined) return {};
  return {
    unbatched: undefined,
    lives: lives.map((ref) => {
      const batch = ref.batch ?? unbatched[ref.version];
      return batch === undefined ? ref : { ...ref, batch };
    }),
  };
}

/** `live` first, then the ones before it. */
export function remember(lives: readonly VersionRef[], live: VersionRef): readonly VersionRef[] {
  return [live, ...lives.filter(({ version }) => version !== live.version)].slice(0, LIVES);
}
