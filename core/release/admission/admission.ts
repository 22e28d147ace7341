import type { AliasState, StackState } from '../../ports/aws.ts';
import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { VersionRef } from '../document/parts-contract.ts';
import type { AliasRequest, Waiting } from '../document/request-contract.ts';
import { made } from '../state/alias-target.ts';
import { next, unhold } from '../state/next.ts';
import { blank, noted, REMEMBERED } from '../state/noted.ts';
import { endTime, isPending, isWatched } from '../state/predicates.ts';
import { telling } from '../state/tick-schedule.ts';
import {
  eachVersion,
  measured,
  rebatched,
  rewatched,
  rewindowed,
  settle,
  triedAgain,
} from '../state/transitions.ts';
import { comingWith, forward, prolonged } from './forward.ts';
import { goneOf, isOvertaken, undoes } from './operation.ts';
import { refusedBefore } from './refusal.ts';
import { endedBy, givenUp, restored, UNREAD, withdrawn } from './withdraw.ts';

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
    if (base !== undefined && !undoes(base, asked)) {
      const settings = isOvertaken(base, asked) ? base.settings : asked.settings;
      return write(found, changed(base, { ...asked, settings }, 'rollback', now));
    }
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
  const refusal = refusedBefore(base, asked, alias);
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
  // A function that was removed and made again begins a document anew; requests of before come late all the
  // same.
  const others = found?.requests.filter((id) => !release.requests.includes(id)) ?? [];
  const requests = [...others, ...release.requests].slice(-REMEMBERED);
  return {
    do: 'write',
    next: { ...release, requests, schedule: { ...release.schedule, told: telling(release) } },
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

/** A move that was made but not yet noted is noted first: what is live is live. */
function settled(found: Release, alias: AliasState | undefined, now: number): Release {
  return found.intent !== undefined && made(alias, found.intent) ? settle(found, found.intent, now) : found;
}

/**
 * Settings and capacity of what is there.
 *
 * @param kind `rollback`: of a stack that rolls back, and would be stuck half-way if capacity or schedule
 * could fail it
 */
function changed(found: Release, asked: AliasRequest, kind: 'settings' | 'rollback', now: number): Release {
  const base = eachVersion(found, (ref) => (ref.version === asked.version ? comingWith(ref, asked) : ref));
  const { stable } = base;
  const live = stable?.version === asked.version ? { stable: measured(stable, asked.settings, stable) } : {};
  // While a candidate is on its way they are the candidate's.
  const follow = kind === 'rollback' ? rewatched : rewindowed;
  const watch = isPending(base) ? {} : follow(base, asked.settings, now);
  const batches = kind === 'rollback' ? rebatched(base) : {};
  const noting = { ...noted(base, asked, kind, now), ...prolonged(base, asked) };
  const changes = { ...noting, ...triedAgain(base), ...batches, ...live, ...watch };
  // A release that stands still because alarms may not act any more goes on to its end once none would.
  return base.phase === 'HELD' && base.held.by === 'limit' && watch.watch && !isWatched(watch, now)
    ? unhold(base, { ...changes, reason: undefined }, now)
    : next(base, changes, now);
}
