import type { AliasState, StackState } from '../ports/aws.ts';
import { iso } from '../units/time.ts';
import type { Release } from './document/contract.ts';
import type { Phase, VersionRef } from './document/parts-contract.ts';
import type { AliasRequest, Waiting } from './document/request-contract.ts';
import { allTraffic, made, pointsAt } from './state/alias-target.ts';
import { PATIENCE_MS } from './state/durations.ts';
import { become, next, unhold } from './state/next.ts';
import { blank, FRESH_RELEASE, noted, REMEMBERED } from './state/noted.ts';
import { endTime, isPending, isWatched, knownOf, refOf } from './state/predicates.ts';
import {
  eachVersion,
  intend,
  lingering,
  measured,
  rebatched,
  remember,
  rewindowed,
  settle,
  UNWATCHED,
} from './state/transitions.ts';
import { telling } from './tick-schedule.ts';
import { begun, endedBy, givenUp, goneOf, restored, UNREAD, undoes, withdrawn } from './withdraw.ts';

/** What is read before a request is admitted. */
export type BeforeAdmission = {
  readonly alias: AliasState | undefined;
  readonly stack: StackState;
  /** What is recorded of the version that the alias points to, where the document does not tell. */
  readonly recorded?: VersionRef | undefined;
};

/**
 * `write`: the document to go on with, and the one found as it is to be archived where it is another
 * release's.
 */
export type Admission =
  | { readonly do: 'write'; readonly next: Release; readonly archive?: Release }
  /** Seen before: carry on with what is there. */
  | { readonly do: 'repeat' }
  /** Out of its time: nobody waits for it, and following it could release what a stack has withdrawn. */
  | { readonly do: 'stale'; readonly reason: string; readonly next?: Release }
  /** Rolled back before: nothing is changed, and `next` keeps what is to be answered. */
  | { readonly do: 'refuse'; readonly next: Release };

/**
 * What a request makes of the document found. Pure; the alias is not touched before the result is written.
 */
export function admit(
  found: Release | undefined,
  asked: AliasRequest,
  facts: BeforeAdmission,
  clock: number,
): Admission {
  if (found?.requests.includes(asked.id)) return { do: 'repeat' };
  return followed(found, asked, facts, clock);
}

/** @returns undefined where the request goes on waiting for its stack’s status */
export function admitWaiting(
  { waiting: _, ...found }: Release,
  { asked, until }: Waiting,
  facts: BeforeAdmission,
  clock: number,
): Admission | undefined {
  const left = Date.parse(until) - clock;
  if (facts.stack === 'unknown' && left > 0) return undefined;
  // CloudFormation waits no longer because we did.
  return followed(found, { ...asked, patience: Math.max(left, 0) }, facts, clock, left <= 0);
}

/** @param isLate nobody waits for the stack’s status any longer */
function followed(
  found: Release | undefined,
  asked: AliasRequest,
  { alias, stack, recorded }: BeforeAdmission,
  clock: number,
  isLate = false,
): Admission {
  // CloudFormation only sends requests while an operation runs.
  if (stack === 'done' || stack === 'gone') {
    const reason = `request ${asked.id} came when no operation of its stack was running`;
    return { do: 'stale', reason, ...(found && { next: seen(found, asked, clock) }) };
  }
  const now = Math.max(clock, found ? Date.parse(found.updatedAt) : 0);
  if (stack === 'unknown' && !isLate) return write(found, waits(found, asked, now));
  const first = asked.type === 'Create' || found?.functionName !== asked.functionName;
  const base = first || found === undefined ? undefined : settled(found, alias, now);
  if (stack === 'unknown') return unread(found, base, asked, now);
  if (asked.type === 'Update' && stack === 'rollingBack') {
    if (base !== undefined && !undoes(base, asked))
      return write(found, changed(base, asked, 'rollback', now));
    const back = withdrawn(
      base ?? blank(asked, now),
      asked,
      alias && (recorded ?? { version: alias.version }),
      now,
    );
    return write(found, back, base && givenUp(base, back.stable, now));
  }
  if (base !== undefined && leavesAlone(asked))
    return write(found, withoutBatch(changed(base, asked, 'settings', now), asked));
  const refusal = refused(base, asked, alias);
  return refusal === undefined || found === undefined
    ? write(found, withoutBatch(forward(base, asked, alias, recorded, now), asked))
    : refuse(found, asked, refusal, now);
}

/**
 * Where the template has no batch function any more, it goes at the end of the stack's operation, and no
 * version has one that its alias could lead to; one that is made later has other versions under the same
 * numbers. Should the stack roll back, `operation` and `unbatched` have what was found.
 */
function withoutBatch(release: Release, { batch }: AliasRequest): Release {
  const { unbatched: _, ...rest } = release;
  if (batch !== undefined) return rest;
  const had = release.lives.flatMap((ref) =>
    ref.batch === undefined ? [] : [[ref.version, ref.batch] as const],
  );
  return {
    ...eachVersion(rest, plain),
    ...(had.length > 0 && { unbatched: Object.fromEntries(had) }),
  };
}

const plain = ({ batch: _, ...ref }: VersionRef): VersionRef => ref;

/** @param kept what is archived of the document found where another release replaces it */
function write(
  found: Release | undefined,
  release: Release,
  kept: Release | undefined = found && superseded(found, release.updatedAt),
): Admission {
  const archive = found !== undefined && found.release !== release.release ? kept : undefined;
  return {
    do: 'write',
    next: { ...release, schedule: { ...release.schedule, told: telling(release) } },
    ...(archive && { archive }),
  };
}

/** @param at ISO time */
const superseded = (found: Release, at: string): Release =>
  isPending(found) || found.phase === 'HELD'
    ? { ...found, phase: 'SUPERSEDED', endedAt: endTime(found) ?? at }
    : found;

/**
 * Noted, and followed once the stack’s status can be read: whether it rolls back decides what the request
 * means.
 */
function waits(found: Release | undefined, asked: AliasRequest, now: number): Release {
  const base: Release = found ?? blank(asked, now);
  return next(
    base,
    {
      waiting: { asked, until: iso(now + asked.patience) },
      requests: [...base.requests, asked.id].slice(-REMEMBERED),
    },
    now,
  );
}

/**
 * The stack’s status was not to be read in time: what was live gets its traffic back, since nobody can be
 * worse off; all else fails.
 */
function unread(
  found: Release | undefined,
  base: Release | undefined,
  asked: AliasRequest,
  now: number,
): Admission {
  const lives = base === undefined ? [] : [base.stable, ...base.lives, base.operation?.stable];
  if (base !== undefined && lives.some((ref) => ref?.fingerprint === asked.fingerprint)) {
    // Live already: only what it follows changes, and the release that made it live keeps its evidence.
    const isLive = base.stable?.fingerprint === asked.fingerprint && base.stable.version !== goneOf(asked);
    if (isLive && !isPending(base)) return write(found, changed(base, asked, 'rollback', now));
    const next = restored(base, asked, now);
    return write(
      found,
      next,
      isPending(base) ? endedBy(base, UNREAD, now) : superseded(base, next.updatedAt),
    );
  }
  const reason =
    'the status of the stack could not be read in time, so nobody knows whether the stack rolls back; give the release worker ' +
    'cloudformation:DescribeStacks (its log says why AWS refused it), then deploy again';
  return refuse(found ?? blank(asked, now), asked, reason, now);
}

/** Not followed, and not to be taken for anything else when it comes again. */
const seen = (found: Release, { id }: AliasRequest, now: number): Release =>
  next(
    found,
    { requests: [...found.requests.filter((one) => one !== id), id].slice(-REMEMBERED), waiting: undefined },
    now,
  );

/** Not followed, but answered, by whoever gets to it. */
function refuse(found: Release, asked: AliasRequest, reason: string, now: number): Admission {
  const { requests, request } = noted(found, asked, 'refused', now);
  const denied = { requests, request: { ...request, failure: unchanged(reason) }, waiting: undefined };
  // What the operation under way found is needed still: a rollback that failed here may be continued.
  const { operation } = found;
  const kept = operation?.request === found.request?.id && operation && { ...operation, request: asked.id };
  return { do: 'refuse', next: next(found, { ...denied, ...(kept && { operation: kept }) }, now) };
}

/** What a request is answered that was not followed. */
export const unchanged = (reason: string): string => `nothing was changed: ${reason}`;

/** The template's version stays, and only what it follows changes: no new release, and none that ends. */
const leavesAlone = ({ type, before, version, mark, markBefore }: AliasRequest): boolean =>
  type !== 'Create' && before === version && (mark === undefined || mark === markBefore);

function refused(
  base: Release | undefined,
  { fingerprint, version, model, forced, mark = '' }: AliasRequest,
  alias: AliasState | undefined,
): string | undefined {
  const found = base?.refused.find((one) => one.fingerprint === fingerprint);
  if (base === undefined || found === undefined || base.stable?.fingerprint === fingerprint) return undefined;
  // Somebody gave it all traffic: what is live is live. Not where a move of ours is to take it away still.
  const isLive = [version, found.version].some((one) => pointsAt(alias, allTraffic(one)));
  if (isLive && base.intent === undefined) return undefined;
  // Forced before, and on its way since then.
  if (isPending(base) && base.candidate?.fingerprint === fingerprint) return undefined;
  // The mark of an earlier template, which `sls rollback` brings back, knows nothing of what was refused
  // since.
  if (forced && found.at <= mark) return undefined;
  const older = forced ? ` (its --force is older: of ${clock(mark)})` : '';
  return (
    `version ${version} of ${model} is the same as version ${found.version}, which was rolled back on ${clock(found.at)}${older}: ${found.reason}; ` +
    'fix the model, or release it anyway with "sls deploy --force"'
  );
}

/** For people: the message is shown by CloudFormation and by the deploy that fails. */
const clock = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

/** A move that was made but not yet noted is noted first: what is live is live. */
function settled(found: Release, alias: AliasState | undefined, now: number): Release {
  return found.intent !== undefined && made(alias, found.intent) ? settle(found, found.intent, now) : found;
}

/**
 * Settings and capacity of what is there. What AWS refused of them before is tried again.
 *
 * @param kind `rollback`: of a stack that rolls back, and would be stuck half-way if capacity or schedule
 * could fail it
 */
function changed(base: Release, asked: AliasRequest, kind: 'settings' | 'rollback', now: number): Release {
  const tried = base.scaled?.refused === undefined ? {} : { scaled: undefined };
  const { stable } = base;
  const live =
    stable?.version === asked.version
      ? { stable: measured({ ...stable, batch: asked.batch }, asked.settings, stable) }
      : {};
  // While a candidate is on its way they are the candidate's.
  const watch = isPending(base) ? {} : rewindowed(base, asked.settings, now);
  const batches = kind === 'rollback' ? rebatched(base) : {};
  const changes = { ...noted(base, asked, kind, now), ...tried, ...live, ...watch, ...batches };
  // A release that stands still because alarms may not act any more goes on to its end once none would.
  return base.phase === 'HELD' && base.held.by === 'limit' && watch.watch && !isWatched(watch, now)
    ? unhold(base, { ...changes, reason: undefined }, now)
    : next(base, changes, now);
}

/**
 * The watch belongs to the live version: it goes on through releases that come to nothing, and ends with that
 * version.
 */
const watched = (base: Release | undefined, stable: VersionRef | undefined): Partial<typeof UNWATCHED> =>
  base?.stable?.version === stable?.version ? {} : UNWATCHED;

function forward(
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
    return next(base, noted(base, asked, kind, now), now);
  }
  const stable = stableOf(base, asked, alias, recorded);
  const request = noted(from, asked, 'forward', now);
  if (
    base !== undefined &&
    (base.phase === 'DONE' || base.phase === 'BAKING') &&
    stable?.version === asked.version &&
    pointsAt(alias, allTraffic(asked.version))
  ) {
    // Something else of the resource changed; the version is live already. A stack that rolls back takes
    // nothing back then, and the release that made it live keeps its evidence.
    const watch = rewindowed(base, asked.settings, now);
    return next(
      base,
      { ...request, ...watch, stable: candidate, reason: undefined, putBackAt: undefined },
      now,
    );
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
