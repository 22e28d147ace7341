import type { AliasState } from '../../ports/aws.ts';
import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { Phase, VersionRef } from '../document/parts-contract.ts';
import type { AliasRequest } from '../document/request-contract.ts';
import { deadline } from '../phases/gating.ts';
import { weightSince } from '../phases/shifting.ts';
import { allTraffic, pointsAt } from '../state/alias-target.ts';
import { PATIENCE_MS } from '../state/durations.ts';
import { become, next } from '../state/next.ts';
import { blank, FRESH_RELEASE, noted } from '../state/noted.ts';
import { behavesAlike, isPending, knownOf, refOf, standing } from '../state/predicates.ts';
import {
  intend,
  lingering,
  measured,
  remember,
  rewindowed,
  triedAgain,
  UNWATCHED,
} from '../state/transitions.ts';
import { begun } from './operation.ts';

/** A request that a version be released: what it begins, or what goes on. Pure. */

/**
 * The watch belongs to the live version: it goes on through releases that come to nothing, and ends with that
 * version.
 */
const watched = (base: Release | undefined, stable: VersionRef | undefined): Partial<typeof UNWATCHED> =>
  base?.stable?.version === stable?.version ? {} : UNWATCHED;

export function forward(
  base: Release | undefined,
  asked: AliasRequest,
  alias: AliasState | undefined,
  recorded: VersionRef | undefined,
  now: number,
): Release {
  // What a version counts by is in its own zip: a later request for the like of it does not change that.
  const candidate = measured(asked, asked.settings, knownOf(base, asked.version));
  const from = base ?? blank(asked, now);
  if (base !== undefined && isPending(base) && base.held?.by !== 'foreign' && isSame(base.candidate, asked)) {
    // The running release's own candidate, or its like, asked for again: it goes on as it is.
    const kind = base.phase === 'GATING' || base.phase === 'WARMING' ? 'forward' : 'settings';
    return next(
      base,
      {
        ...noted(base, asked, kind, now),
        ...prolonged(base, asked),
        candidate: comingWith(base.candidate, asked),
      },
      now,
    );
  }
  if (
    base?.phase === 'REVERSING' &&
    behavesAlike(base.stable, asked) &&
    pointsAt(alias, standing(base) ?? null)
  ) {
    // The live version, or its like, asked for again: the test that an alarm asked for goes on as it is.
    const live = measured(comingWith(base.stable, asked), asked.settings, base.stable);
    const watch = rewindowed(base, asked.settings, now);
    return next(base, { ...noted(base, asked, 'settings', now), ...watch, stable: live }, now);
  }
  const stable = stableOf(base, asked, alias, recorded);
  const request = { ...noted(from, asked, 'forward', now), ...triedAgain(from) };
  if (
    base !== undefined &&
    (base.phase === 'DONE' || base.phase === 'BAKING') &&
    stable?.version === asked.version &&
    // Not what somebody else made live: the watch, and the way back, are those of the version before it.
    base.stable.version === asked.version &&
    pointsAt(alias, allTraffic(asked.version))
  ) {
    // Something else of the resource changed; the version is live already. A stack that rolls back takes
    // nothing back then, and the release that made it live keeps its evidence.
    const watch = rewindowed(base, asked.settings, now);
    return next(base, { ...request, ...watch, stable: candidate, reason: undefined }, now);
  }
  const released = { release: asked.id, rev: from.rev };
  const same = stable?.version === asked.version;
  const alike = stable !== undefined && (same || stable.fingerprint === asked.fingerprint);
  // All traffic on stable before anything else, where it is not so, or where a move given up here might still
  // be made.
  const untidy =
    from.intent !== undefined || (stable !== undefined && !pointsAt(alias, allTraffic(stable.version)));
  const begins = (then: Phase) => ({
    ...request,
    release: asked.id,
    schedule: asked.schedule,
    operation: begun(base, asked, stable, now),
    ...FRESH_RELEASE,
    ...(base && lingering(base, now)),
    ...watched(base, stable),
    stable,
    // Also what somebody else made live, or the registry forgot.
    ...(stable && { lives: remember(from.lives, stable) }),
    candidate,
    began: { release: asked.id, ...(stable && { from: stable.version }), to: candidate },
    promote: stable === undefined || alike ? ('now' as const) : ('afterStack' as const),
    intent: stable && (untidy || same) ? intend(released, allTraffic(stable.version), then, now) : undefined,
    reason: undefined,
    // There was one of this function, and nothing tells of it: what hung on it may be missing.
    ...(base === undefined &&
      asked.before !== undefined &&
      alias === undefined && { remade: { at: iso(now) } }),
    startedAt: iso(now),
    deadline: iso(now + PATIENCE_MS),
  });
  if (same) return become(from, 'PROMOTING', { ...begins('DONE'), steps: [] }, now);
  if (alike) return become(from, 'WARMING', { ...begins('WARMING'), steps: [] }, now);
  return become(from, 'GATING', begins('GATING'), now);
}

/** The batch function of what is asked for may be another version, or new, also while it is on its way. */
export const comingWith = ({ batch: _, ...ref }: VersionRef, { batch }: AliasRequest): VersionRef => ({
  ...ref,
  ...(batch && { batch }),
});

/**
 * The step that is judged, and those after it, have all the time that the settings give them by now: else a
 * release that waits as it was told would be taken for a dead one. Before a step its deadline is set when its
 * weight is raised.
 */
export function prolonged(base: Release, { settings }: AliasRequest): Partial<Pick<Release, 'deadline'>> {
  if (base.phase !== 'JUDGING') return {};
  const given = deadline(base.steps.slice(base.step), settings, Date.parse(weightSince(base)));
  return given.deadline > base.deadline ? given : {};
}

const isSame = (candidate: VersionRef | undefined, { version, fingerprint }: AliasRequest): boolean =>
  candidate !== undefined && (candidate.version === version || candidate.fingerprint === fingerprint);

/**
 * Stable is what has 100 % when a release starts. A release that still runs passes its own on, and so does
 * one with a move under way, whose stable is where it goes; so does a document whose alias is gone, or split
 * by somebody else.
 */
function stableOf(
  base: Release | undefined,
  asked: AliasRequest,
  alias: AliasState | undefined,
  recorded: VersionRef | undefined,
): VersionRef | undefined {
  if (asked.type === 'Create') return undefined;
  const foreign = base?.held?.by === 'foreign';
  if (base?.stable !== undefined && !foreign && (isPending(base) || base.intent !== undefined))
    return base.stable;
  if (base?.stable !== undefined && (alias === undefined || Object.keys(alias.weights).length > 0))
    return base.stable;
  if (alias === undefined) return undefined;
  return recorded ?? (base === undefined ? { version: alias.version } : refOf(base, alias.version));
}
