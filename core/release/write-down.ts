import type { AliasState } from '../ports/aws.ts';
import type { FoundRelease } from '../registry/port.ts';
import { type Admission, unchanged } from './admission/admission.ts';
import { recordEnd } from './deploy-record.ts';
import type { Release } from './document/contract.ts';
import type { VersionRef } from './document/parts-contract.ts';
import type { AliasRequest, StackRequest } from './document/request-contract.ts';
import { nameAndMessage, untilAgain } from './failures.ts';
import { scheduleTicks, type World } from './ports.ts';
import { become, next } from './state/next.ts';
import { noted } from './state/noted.ts';
import { isUnderWay, refOf } from './state/predicates.ts';
import { abort } from './state/transitions.ts';

/** What an admission makes of the registry: the document before anything is touched, then its tick. */

/** Taken on: the release is run on from here. */
export type Kept = 'run';

/** @returns `changed` where another worker got on: read again */
export async function keep(
  world: World,
  admission: Extract<Admission, { do: 'write' | 'refuse' }>,
  found: FoundRelease | undefined,
): Promise<Kept | 'changed'> {
  const { next: to } = admission;
  if (admission.do === 'refuse')
    return (await world.registry.move(to, found?.etag)) === 'changed' ? 'changed' : 'run';
  const { archive } = admission;
  if (archive !== undefined) {
    await world.registry.archive({ model: to.model, release: archive });
    // Nobody ticks it any more who could tell its deploy.
    const { deployment, phase } = archive;
    if (deployment !== undefined && deployment.told !== phase) await recordEnd(world, deployment.id, archive);
  }
  if ((await world.registry.move(to, found?.etag)) === 'changed') return 'changed';
  return tickable(world, to, found?.release);
}

/**
 * What is recorded of the version that the alias points to, where the document does not tell: somebody else
 * made it live, or the document is gone. Without it the like of what is live would be released anew.
 */
export async function recordedAt(
  world: World,
  { model, functionName }: AliasRequest,
  alias: AliasState | undefined,
  release: Release | undefined,
): Promise<VersionRef | undefined> {
  if (alias === undefined) return undefined;
  const known = release?.functionName === functionName ? refOf(release, alias.version) : undefined;
  if (known?.fingerprint !== undefined) return undefined;
  const record = await world.registry.known(model, alias.version);
  if (record?.functionName !== functionName) return undefined;
  const { version, fingerprint, source } = record;
  return { version, fingerprint, source };
}

/**
 * Schedules the tick; where that cannot be, the request is refused and the document is as `before` again.
 *
 * @param before undefined: there was none. `unknown`: another worker wrote the request down, and died
 */
export async function tickable(
  world: World,
  written: Release,
  before: Release | 'unknown' | undefined,
): Promise<Kept> {
  for (let failures = 1; ; failures += 1) {
    try {
      await scheduleTicks(world, written);
      return 'run';
    } catch (error) {
      // A rollback must get through with or without a tick; Lambda's own retries stand behind it.
      if (written.request?.kind === 'rollback') return 'run';
      const pause = untilAgain(error, failures);
      if (pause === undefined) {
        await takeBack(world, written, before, nameAndMessage(error));
        return 'run';
      }
      await world.pause(pause);
    }
  }
}

/**
 * The document as it was, with the request in it as refused: late repetitions must not revive it, and the
 * stack's rollback, which follows, finds nothing to undo. Without a document before, the release ends. Where
 * nobody knows what was before, the release that the request began is given up; a weight that it took over
 * goes with it. One that ran already goes on.
 */
async function takeBack(
  world: World,
  written: Release,
  before: Release | 'unknown' | undefined,
  why: string,
): Promise<void> {
  const found = await world.registry.release(written.model);
  const { waiting } = written;
  const request = waiting ? noted(written, waiting.asked, 'refused', world.clock()).request : written.request;
  // Somebody ticked it on meanwhile, or answered it.
  if (found?.release?.rev !== written.rev || request === undefined) return;
  const kept = {
    request: { ...request, kind: 'refused' as const, failure: unchanged(why) },
    requests: written.requests,
    highest: written.highest,
    waiting: undefined,
  };
  await world.registry.move(takenBack(written, before, kept, world.clock()), found.etag);
}

const UNTICKED = 'the tick could not be scheduled';

function takenBack(
  written: Release,
  before: Release | 'unknown' | undefined,
  kept: Pick<Release, 'requests' | 'highest'> & {
    readonly request: StackRequest;
    readonly waiting: undefined;
  },
  now: number,
): Release {
  if (before === undefined)
    return become(written, 'ABORTED', { intent: undefined, held: undefined, reason: UNTICKED, ...kept }, now);
  if (before !== 'unknown') return next({ ...before, rev: written.rev }, kept, now);
  const isBegun = written.release === kept.request.id && isUnderWay(written);
  return next<Release>(isBegun ? abort(written, UNTICKED, now) : written, kept, now);
}
