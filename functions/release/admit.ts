import type { AliasState, StackState } from '../shared/aws/ports.ts';
import type { Settings } from './contract.ts';
import type { Phase, Release, Request, VersionRef } from './document/contract.ts';
import { telling } from './pace.ts';
import {
  type Changes,
  claimed,
  intend,
  iso,
  isPending,
  knownOf,
  lingering,
  measured,
  next,
  PATIENCE,
  refOf,
  remember,
  settle,
  UNWATCHED,
} from './steps.ts';
import { made, points, whole } from './target.ts';

/** A Create or Update of the custom resource, read. */
export type Asked = {
  readonly type: 'Create' | 'Update';
  readonly id: string;
  readonly url: string;
  readonly logicalId: string;
  readonly stack: string;
  readonly functionName: string;
  readonly alias: string;
  readonly model: string;
  readonly version: string;
  /** The version that the template asked for before. */
  readonly before?: string;
  readonly fingerprint: string;
  /** The batch function's version that belongs to it. */
  readonly batch?: VersionRef['batch'] | undefined;
  readonly settings: Settings;
  /** By `sls deploy --force`: what was refused may go again. */
  readonly forced: boolean;
  /** Milliseconds that the worker may take to answer. */
  readonly patience: number;
  readonly schedule: { readonly group: string; readonly name: string };
};

/** What is read before a request is admitted. */
export type Found = { readonly alias: AliasState | undefined; readonly stack: StackState };

/** `write`: the document to go on with, and whether the one found is another release's, to be archived. */
export type Admission =
  | { readonly do: 'write'; readonly next: Release; readonly archive: boolean }
  /** Seen before: carry on with what is there. */
  | { readonly do: 'repeat' }
  /** Out of its time: nobody waits for it, and following it could release what a stack has withdrawn. */
  | { readonly do: 'stale'; readonly reason: string; readonly next?: Release }
  /** Rolled back before: nothing is changed, and `next` keeps what is to be answered. */
  | { readonly do: 'refuse'; readonly next: Release };

/** Ids remembered against late and repeated delivery. Lambda keeps an event for six hours at most. */
const REMEMBERED = 50;

/** What a request makes of the document found. Pure; the alias is not touched before the result is written. */
export function admit(found: Release | undefined, asked: Asked, facts: Found, clock: number): Admission {
  if (found?.requests.includes(asked.id)) return { do: 'repeat' };
  // CloudFormation only sends requests while an operation runs.
  if (facts.stack === 'done' || facts.stack === 'gone') {
    const reason = `request ${asked.id} came when no operation of its stack was running`;
    return { do: 'stale', reason, ...(found && { next: seen(found, asked, clock) }) };
  }
  const now = Math.max(clock, found ? Date.parse(found.updatedAt) : 0);
  const first = asked.type === 'Create' || found?.functionName !== asked.functionName;
  const base = first || found === undefined ? undefined : settled(found, facts.alias, now);
  const write = (release: Release): Admission => ({
    do: 'write',
    next: { ...release, schedule: { ...release.schedule, told: telling(release) } },
    archive: found !== undefined && found.release !== release.release,
  });
  const back =
    asked.type === 'Update' &&
    (facts.stack === 'rollingBack' || Number(asked.version) < (base?.highest ?? 0));
  if (base !== undefined && leavesAlone(base, asked, back, facts.stack === 'rollingBack'))
    return write(changed(base, asked, now));
  if (back)
    return {
      do: 'write',
      next: withdrawn(base ?? blank(asked, now), asked, facts, now),
      archive: first && found !== undefined,
    };
  const refusal = asked.forced ? undefined : refused(base, asked);
  return refusal === undefined || found === undefined
    ? write(forward(base, asked, facts, now))
    : { do: 'refuse', next: next(found, denied(found, asked, refusal, now), now) };
}

/** Not followed, and not to be taken for anything else when it comes again. */
const seen = (found: Release, { id }: Asked, now: number): Release =>
  next(found, { requests: [...found.requests, id].slice(-REMEMBERED) }, now);

/** Not followed, but answered, by whoever gets to it. */
function denied(found: Release, asked: Asked, reason: string, now: number): Changes {
  const { requests, request } = noted(found, asked, 'refused', now);
  return { requests, request: { ...request, failure: unchanged(reason) } };
}

/** What a request is answered that was not followed. */
export const unchanged = (reason: string): string => `nothing was changed: ${reason}`;

/**
 * The template's version stays, and only what it follows changes: no new release, and none that ends. So does a stack that
 * rolls back from a request that never reached us or was refused. A stack that rolls back the very request that began the
 * release, by force and with the same version, withdraws it.
 */
function leavesAlone(base: Release, asked: Asked, back: boolean, rollingBack: boolean): boolean {
  if (asked.type === 'Create') return false;
  // A stack that goes back brings the mark of an earlier force with it; nobody forces now.
  if (asked.forced && !rollingBack) return false;
  if (asked.before === asked.version) return !rollingBack || base.request?.id !== base.release;
  return back && Number(asked.version) === base.highest;
}

function refused(base: Release | undefined, { fingerprint, version, model }: Asked): string | undefined {
  const found = base?.refused.find((one) => one.fingerprint === fingerprint);
  if (found === undefined || base?.stable?.fingerprint === fingerprint) return undefined;
  return (
    `version ${version} of ${model} is the same as version ${found.version}, which was rolled back on ${clock(found.at)}: ${found.reason}; ` +
    'mend the model, or release it all the same with "sls deploy --force"'
  );
}

/** For people: the message is shown by CloudFormation and by the deploy that fails. */
const clock = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;

/** A move that was made but not yet noted is noted first: what is live is live. */
function settled(found: Release, alias: AliasState | undefined, now: number): Release {
  return found.intent !== undefined && made(alias, found.intent) ? settle(found, found.intent, now) : found;
}

/** A document before anything happened. */
function blank(asked: Asked, now: number): Release {
  return {
    schema: 1,
    rev: 0,
    release: asked.id,
    phase: 'GATING',
    model: asked.model,
    functionName: asked.functionName,
    alias: asked.alias,
    stack: asked.stack,
    settings: asked.settings,
    shifts: [],
    judgements: [],
    refused: [],
    rollbacks: [],
    notices: [],
    promote: 'now',
    highest: 0,
    lives: [],
    requests: [],
    schedule: asked.schedule,
    startedAt: iso(now),
    updatedAt: iso(now),
    deadline: iso(now + PATIENCE),
  };
}

/** The parts that every request changes. */
function noted(
  base: Pick<Release, 'requests' | 'highest'>,
  asked: Asked,
  kind: Request['kind'],
  now: number,
) {
  return {
    stack: asked.stack,
    settings: asked.settings,
    highest: Math.max(base.highest, Number(asked.version)),
    requests: [...base.requests, asked.id].slice(-REMEMBERED),
    request: {
      id: asked.id,
      kind,
      logicalId: asked.logicalId,
      url: asked.url,
      answerBy: iso(now + asked.patience),
    },
  };
}

/** Settings and capacity of what is there. What AWS refused of them before is tried again. */
function changed(base: Release, asked: Asked, now: number): Release {
  const tried = base.scaled?.refused === undefined ? {} : { scaled: undefined };
  const { stable } = base;
  const live =
    stable?.version === asked.version
      ? { stable: measured({ ...stable, batch: asked.batch }, asked.settings, stable) }
      : {};
  return next(base, { ...noted(base, asked, 'settings', now), ...tried, ...live }, now);
}

/**
 * The stack goes back to an older version: all traffic on stable before we answer, whatever the phase. Versions above
 * the one asked for are about to be deleted, so stable is the latest that was live and is not above it.
 */
function withdrawn(base: Release, asked: Asked, facts: Found, now: number): Release {
  const highest = Number(asked.version);
  const known = [base.stable, ...base.lives].filter((ref) => ref !== undefined);
  const stable =
    known.find(({ version }) => Number(version) <= highest) ??
    (facts.alias !== undefined && Number(facts.alias.version) <= highest
      ? { version: facts.alias.version }
      : {
          version: asked.version,
          fingerprint: asked.fingerprint,
          ...(asked.batch && { batch: asked.batch }),
        });
  // A release that gave up by itself is why the stack goes back: that is kept, with its gate.
  const why =
    base.phase === 'ABORTED' && base.reason !== undefined ? `${base.reason.replace(/\.$/, '')}; ` : '';
  // And so is a verdict on a candidate that the stack gave up for something else, such as another model's gate.
  const gate = why !== '' || (isPending(base) && base.gate?.verdict !== undefined) ? base.gate : undefined;
  return next(
    base,
    {
      ...noted(base, asked, 'rollback', now),
      ...FRESH,
      ...lingering(base, now),
      ...watched(base, stable),
      gate,
      ...(stable.version !== base.stable?.version && claimed(stable.version)),
      phase: 'ABORTED',
      stable,
      lives: remember(
        base.lives.filter(({ version }) => Number(version) <= highest),
        stable,
      ),
      intent: intend(base, whole(stable.version), 'ABORTED', now),
      reason: `${why}the stack rolled back to version ${asked.version}`,
      deadline: iso(now + PATIENCE),
    },
    now,
  );
}

/** What belongs to one release and not to the next. */
const FRESH: Changes = {
  steps: undefined,
  step: undefined,
  shifts: [],
  gate: undefined,
  judgements: [],
  basis: undefined,
  held: undefined,
  promotedAt: undefined,
  reversal: undefined,
  deployment: undefined,
};

/** The watch belongs to the live version: it goes on through releases that come to nothing, and ends with that version. */
const watched = (base: Release | undefined, stable: VersionRef | undefined): Changes =>
  base?.stable?.version === stable?.version ? {} : UNWATCHED;

function forward(base: Release | undefined, asked: Asked, facts: Found, now: number): Release {
  // What a version counts by is in its own zip: a later request for the like of it does not change that.
  const candidate = measured(asked, asked.settings, knownOf(base, asked.version));
  const from = base ?? blank(asked, now);
  const refused = from.refused.filter(({ fingerprint }) => fingerprint !== asked.fingerprint);
  if (base !== undefined && isPending(base) && base.held?.by !== 'foreign' && isSame(base.candidate, asked)) {
    // The running release's own candidate, or its like, asked for again: it goes on as it is.
    const kind = base.phase === 'GATING' || base.phase === 'WARMING' ? 'forward' : 'settings';
    return next(base, { ...noted(base, asked, kind, now), refused }, now);
  }
  const request = noted(from, asked, 'forward', now);
  const stable = stableOf(base, asked, facts.alias);
  if (
    base !== undefined &&
    (base.phase === 'DONE' || base.phase === 'BAKING') &&
    stable?.version === asked.version &&
    points(facts.alias, whole(asked.version))
  ) {
    // Something else of the resource changed; the version is live already.
    return next(base, { ...request, stable: candidate, reason: undefined }, now);
  }
  const begun = { ...from, release: asked.id, schedule: asked.schedule };
  const same = stable?.version === asked.version;
  const alike = stable !== undefined && (same || stable.fingerprint === asked.fingerprint);
  const then: Phase = same ? 'DONE' : alike ? 'WARMING' : 'GATING';
  // All traffic on stable before anything else, where it is not so, or where a move given up here might still be made.
  const untidy =
    from.intent !== undefined || (stable !== undefined && !points(facts.alias, whole(stable.version)));
  return next(
    begun,
    {
      ...request,
      ...FRESH,
      ...(base && lingering(base, now)),
      ...watched(base, stable),
      ...(alike && { steps: [] }),
      refused,
      phase: then === 'DONE' ? 'PROMOTING' : then,
      stable,
      candidate,
      promote: stable === undefined || alike ? 'now' : 'afterStack',
      intent: stable && (untidy || same) ? intend(begun, whole(stable.version), then, now) : undefined,
      reason: undefined,
      startedAt: iso(now),
      deadline: iso(now + PATIENCE),
    },
    now,
  );
}

const isSame = (candidate: VersionRef | undefined, { version, fingerprint }: Asked): boolean =>
  candidate !== undefined && (candidate.version === version || candidate.fingerprint === fingerprint);

/**
 * Stable is what has 100 % when a release starts. A release that still runs passes its own on, and so does one with a
 * move under way, whose stable is where it goes; so does a document whose alias is gone, or split by somebody else.
 */
function stableOf(
  base: Release | undefined,
  asked: Asked,
  alias: AliasState | undefined,
): VersionRef | undefined {
  if (asked.type === 'Create') return undefined;
  const foreign = base?.held?.by === 'foreign';
  if (base?.stable !== undefined && !foreign && (isPending(base) || base.intent !== undefined))
    return base.stable;
  if (base?.stable !== undefined && (alias === undefined || Object.keys(alias.weights).length > 0))
    return base.stable;
  if (alias === undefined) return undefined;
  return base === undefined ? { version: alias.version } : refOf(base, alias.version);
}
