import { iso } from '../../units/time.ts';
import type { Aborted, Release } from '../document/contract.ts';
import type { LiveWatch, Phase, VersionRef } from '../document/parts-contract.ts';
import type { AliasRequest, Operation } from '../document/request-contract.ts';
import { deadline } from '../phases/gating.ts';
import { allTraffic } from '../state/alias-target.ts';
import { PATIENCE_MS } from '../state/durations.ts';
import { become, holdIn } from '../state/next.ts';
import { FRESH_RELEASE, noted } from '../state/noted.ts';
import { behavesAlike, isPending, knownOf, refOf } from '../state/predicates.ts';
import {
  claimed,
  intend,
  lingering,
  measured,
  rebatched,
  remember,
  UNWATCHED,
} from '../state/transitions.ts';
import { goneOf } from './operation.ts';

/**
 * A stack that rolls back: what the operation found is restored. CloudFormation’s own status says that it
 * rolls back; which numbers Lambda gave to versions says nothing. Pure.
 */

/**
 * The document after the request of a stack that rolls back: all traffic on what was live before the
 * operation’s first request, whatever the phase; a release that the operation took the place of begins anew
 * if its template is back.
 */
export function withdrawn(
  base: Release,
  asked: AliasRequest,
  alias: VersionRef | undefined,
  now: number,
): Release {
  const operation =
    base.operation !== undefined && base.operation.request === base.request?.id ? base.operation : undefined;
  const gone = goneOf(asked);
  const stable = returnsTo(base, operation, gone, asked, alias);
  const back = operation?.superseded;
  const isRefused = base.refused.some(
    ({ fingerprint, at }) => fingerprint === back?.candidate.fingerprint && at > (operation?.at ?? ''),
  );
  if (back !== undefined && behavesAlike(back.candidate, asked) && !isRefused)
    return anew(base, asked, back, taken(base, asked, operation, stable, gone, now), stable, now);
  // A release that gave up by itself, or that somebody rolled back, is why the stack goes back: that is kept,
  // with its gate.
  const isOwn = base.phase === 'ROLLED_BACK' && operation?.at === base.startedAt;
  const isWhy = (base.phase === 'ABORTED' || isOwn) && base.request?.kind !== 'rollback';
  const why = isWhy && base.reason !== undefined ? `${base.reason.replace(/\.$/, '')}; ` : '';
  // And so is a verdict on a candidate that the stack gave up for something else, for example another model's
  // gate.
  const gate = why !== '' || (isPending(base) && base.gate?.verdict !== undefined) ? base.gate : undefined;
  return become(
    base,
    'ABORTED',
    {
      ...taken(base, asked, operation, stable, gone, now),
      gate,
      deployment: base.deployment,
      intent: intend(base, allTraffic(stable.version), 'ABORTED', now),
      reason: `${why}${rolledBack(stable)}`,
    },
    now,
  );
}

const rolledBack = ({ version }: VersionRef): string =>
  `the stack rolled back; version ${version} keeps all traffic`;

/** What a stack that rolls back takes from the document, whatever comes after it. */
function taken(
  base: Release,
  asked: AliasRequest,
  operation: Operation | undefined,
  stable: VersionRef,
  gone: string | undefined,
  now: number,
) {
  return {
    ...noted(base, asked, 'rollback', now),
    ...FRESH_RELEASE,
    ...lingering(base, now),
    ...watchOf(base, operation, stable),
    ...(operation && { operation: { ...operation, request: asked.id } }),
    ...(stable.version !== base.stable?.version && claimed(stable.version)),
    stable,
    unbatched: undefined,
    lives: remember(
      (rebatched(base).lives ?? base.lives).filter(({ version }) => version !== gone),
      stable,
    ),
    deadline: iso(now + PATIENCE_MS),
  };
}

/**
 * The watch belongs to the live version: it goes on through releases that come to nothing, and comes back
 * with that version.
 */
function watchOf(
  base: Release,
  operation: Operation | undefined,
  stable: VersionRef,
): Partial<typeof UNWATCHED> | { readonly watch: LiveWatch } {
  if (base.stable?.version === stable.version) return {};
  const found = operation?.stable?.version === stable.version ? operation.watch : undefined;
  return { ...UNWATCHED, ...(found && { watch: found }) };
}

/**
 * What was live before the operation; of an older worker's document what is, or was, live. Never what goes
 * with the stack, nor what was rolled back meanwhile.
 */
function returnsTo(
  base: Release,
  operation: Operation | undefined,
  gone: string | undefined,
  asked: AliasRequest,
  alias: VersionRef | undefined,
): VersionRef {
  const known = [operation?.stable, base.stable, ...base.lives].filter(
    (ref) => ref !== undefined && ref.version !== gone,
  );
  const since = operation?.at ?? '';
  const good = known.find(
    (ref) => !base.refused.some(({ fingerprint, at }) => fingerprint === ref?.fingerprint && at > since),
  );
  const [first] = known;
  if (operation !== undefined && good !== undefined) return good;
  if (first !== undefined) return first;
  if (alias !== undefined && alias.version !== gone)
    return alias.fingerprint === undefined ? refOf(base, alias.version) : alias;
  const { version, fingerprint, batch, source } = asked;
  return { version, fingerprint, ...(batch && { batch }), ...(source !== undefined && { source }) };
}

/**
 * The release that the failed operation took the place of, from its first step. Its gate's verdict stands,
 * since the version is the same; its instances are started again. What a person or want of data held is held,
 * without weight.
 */
function anew(
  base: Release,
  asked: AliasRequest,
  { candidate, gate, steps, held, reason, deployment }: NonNullable<Operation['superseded']>,
  changes: ReturnType<typeof taken>,
  stable: VersionRef,
  now: number,
): Release {
  const released = { release: asked.id, rev: base.rev };
  // Whoever plans the steps sets their time; these are planned.
  const passed = gate?.verdict === 'pass' && steps !== undefined;
  const begins = (then: Phase) => ({
    ...changes,
    release: asked.id,
    schedule: asked.schedule,
    candidate: candidate.version === asked.version ? candidate : measured(asked, asked.settings),
    began: { release: asked.id, from: stable.version, to: candidate },
    promote: 'afterStack' as const,
    gate,
    ...(steps && deadline(steps, asked.settings, now)),
    ...(deployment !== undefined && { deployment: { id: deployment } }),
    intent: intend(released, allTraffic(stable.version), then, now),
    reason: `the deploy that took its place failed, so the release begins anew${held && reason !== undefined ? `; it was held: ${reason}` : ''}`,
    startedAt: iso(now),
  });
  if (!passed) return become(base, 'GATING', { ...begins('GATING'), steps }, now);
  if (held === undefined) return become(base, 'WARMING', { ...begins('WARMING'), steps }, now);
  return holdIn(base, 'SHIFTING', held, { ...begins('HELD'), steps, step: 0 }, now);
}

/** The document found, as it is kept: given up with the stack where it still ran. */
export const givenUp = (found: Release, stable: VersionRef | undefined, now: number): Release =>
  !isPending(found) || stable === undefined ? found : endedBy(found, rolledBack(stable), now);

/** A release that still ran, as it is kept: given up for that reason. */
export const endedBy = (found: Release, reason: string, now: number): Aborted =>
  become(found, 'ABORTED', { intent: undefined, held: undefined, reason }, now);

export const UNREAD = 'the status of the stack could not be read';

/**
 * A version that was live before gets all traffic, although nobody could tell whether the stack rolls back:
 * in whichever way it was meant, it is known to serve. That is a release of its own, so that the one before
 * it keeps its evidence.
 */
export function restored(base: Release, asked: AliasRequest, now: number): Release {
  const stable = measured(asked, asked.settings, knownOf(base, asked.version));
  const released = { release: asked.id, rev: base.rev };
  return become(
    base,
    'ABORTED',
    {
      ...taken(base, asked, undefined, stable, goneOf(asked), now),
      release: asked.id,
      schedule: asked.schedule,
      candidate: undefined,
      steps: [],
      began: { release: asked.id, ...(base.stable && { from: base.stable.version }), to: stable },
      intent: intend(released, allTraffic(stable.version), 'ABORTED', now),
      reason: `${UNREAD}; version ${stable.version}, which behaves as one that was live, has all traffic`,
      startedAt: iso(now),
    },
    now,
  );
}
