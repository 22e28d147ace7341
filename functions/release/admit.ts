import type { AliasState, StackState } from '../shared/aws/ports.ts';
import type { Phase, Release, Request, Settings, VersionRef } from './contract.ts';
import { intend, iso, next, PATIENCE, refOf, remember, settle } from './steps.ts';
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
  readonly fingerprint: string;
  readonly settings: Settings;
  /** Milliseconds that the worker may take to answer. */
  readonly patience: number;
  readonly schedule: { readonly group: string; readonly name: string };
};

export type Facts = { readonly alias: AliasState | undefined; readonly stack: StackState };

/** `write`: the document to go on with, and whether the one found is another release's, to be archived. */
export type Admission =
  | { readonly do: 'write'; readonly next: Release; readonly archive: boolean }
  /** Seen before: carry on with what is there. */
  | { readonly do: 'repeat' }
  /** Out of its time: nobody waits for it, and following it could release what a stack has withdrawn. */
  | { readonly do: 'stale'; readonly reason: string };

/** Ids remembered against late and repeated delivery. Lambda keeps an event for six hours at most. */
const REMEMBERED = 50;

/** What a request makes of the document found. Pure; the alias is not touched before the result is written. */
export function admit(found: Release | undefined, asked: Asked, facts: Facts, clock: number): Admission {
  if (found?.requests.includes(asked.id)) return { do: 'repeat' };
  // CloudFormation only sends requests while an operation runs.
  if (facts.stack === 'done' || facts.stack === 'gone') {
    return { do: 'stale', reason: `request ${asked.id} came when no operation of its stack was running` };
  }
  const now = Math.max(clock, found ? Date.parse(found.updatedAt) : 0);
  const first = asked.type === 'Create' || found?.functionName !== asked.functionName;
  const base = first || found === undefined ? undefined : settled(found, facts.alias, now);
  if (
    asked.type === 'Update' &&
    (facts.stack === 'rollingBack' || Number(asked.version) < (base?.highest ?? 0))
  ) {
    return {
      do: 'write',
      next: withdrawn(base ?? blank(asked, now), asked, facts, now),
      archive: first && found !== undefined,
    };
  }
  const admitted = forward(base, asked, facts, now);
  return { do: 'write', next: admitted, archive: found !== undefined && found.release !== admitted.release };
}

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
    phase: 'PROMOTING',
    model: asked.model,
    functionName: asked.functionName,
    alias: asked.alias,
    stack: asked.stack,
    settings: asked.settings,
    steps: [],
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

/**
 * The stack goes back to an older version: all traffic on stable before we answer, whatever the phase. Versions above
 * the one asked for are about to be deleted, so stable is the latest that was live and is not above it.
 */
function withdrawn(base: Release, asked: Asked, facts: Facts, now: number): Release {
  const highest = Number(asked.version);
  const known = [base.stable, ...base.lives].filter((ref) => ref !== undefined);
  const stable =
    known.find(({ version }) => Number(version) <= highest) ??
    (facts.alias !== undefined && Number(facts.alias.version) <= highest
      ? { version: facts.alias.version }
      : { version: asked.version, fingerprint: asked.fingerprint });
  return next(
    base,
    {
      ...noted(base, asked, 'rollback', now),
      phase: 'ABORTED',
      stable,
      lives: remember(
        base.lives.filter(({ version }) => Number(version) <= highest),
        stable,
      ),
      intent: intend(base, whole(stable.version), 'ABORTED'),
      reason: `the stack rolled back to version ${asked.version}`,
      deadline: iso(now + PATIENCE),
    },
    now,
  );
}

function forward(base: Release | undefined, asked: Asked, facts: Facts, now: number): Release {
  const candidate: VersionRef = { version: asked.version, fingerprint: asked.fingerprint };
  const from = base ?? blank(asked, now);
  const request = noted(from, asked, 'forward', now);
  if (base?.phase === 'PROMOTING' && base.candidate?.version === asked.version) {
    // The running release's own candidate, asked for again: it goes on as it is.
    return next(base, request, now);
  }
  const stable = stableOf(base, asked, facts.alias);
  if (
    base?.phase === 'DONE' &&
    stable?.version === asked.version &&
    points(facts.alias, whole(asked.version))
  ) {
    // Something else of the resource changed; the version is live already.
    return next(base, { ...request, stable: candidate, reason: undefined }, now);
  }
  const begun = { ...from, release: asked.id, schedule: asked.schedule };
  const same = stable?.version === asked.version;
  const then: Phase = same ? 'DONE' : 'PROMOTING';
  // All traffic on stable before anything else, where it is not so, or where a move given up here might still be made.
  const untidy =
    from.intent !== undefined || (stable !== undefined && !points(facts.alias, whole(stable.version)));
  return next(
    begun,
    {
      ...request,
      phase: 'PROMOTING',
      stable,
      candidate,
      promote:
        stable === undefined || same || stable.fingerprint === asked.fingerprint ? 'now' : 'afterStack',
      intent: stable && (untidy || same) ? intend(begun, whole(stable.version), then) : undefined,
      reason: undefined,
      startedAt: iso(now),
      deadline: iso(now + PATIENCE),
    },
    now,
  );
}

/**
 * Stable is what has 100 % when a release starts. A release that still runs passes its own on; so does a document
 * whose alias is gone, or split by somebody else.
 */
function stableOf(
  base: Release | undefined,
  asked: Asked,
  alias: AliasState | undefined,
): VersionRef | undefined {
  if (asked.type === 'Create') return undefined;
  if (base?.stable !== undefined && (base.phase === 'PROMOTING' || base.intent !== undefined))
    return base.stable;
  if (base?.stable !== undefined && (alias === undefined || Object.keys(alias.weights).length > 0))
    return base.stable;
  if (alias === undefined) return undefined;
  return base === undefined ? { version: alias.version } : refOf(base, alias.version);
}
