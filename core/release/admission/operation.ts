import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { VersionRef } from '../document/parts-contract.ts';
import type { AliasRequest, Operation } from '../document/request-contract.ts';
import { orderOf } from '../state/noted.ts';
import { behavesAlike, isPending } from '../state/predicates.ts';
import { undoneBefore } from '../state/undone.ts';

/**
 * What the CloudFormation operation under way asked for, and what it found: which of it a stack takes back
 * that rolls back. Pure.
 */

/** The version that a stack which rolls back is about to delete. */
export const goneOf = ({ before, version }: AliasRequest): string | undefined =>
  before !== version ? before : undefined;

/** What a request asks for, to be compared with what another one asked for. */
const asksOf = (version: string, mark: string | undefined): string =>
  mark === undefined ? version : `${version} ${mark}`;

/** What the operation under way found, written with its first request. */
export function begun(
  base: Release | undefined,
  asked: AliasRequest,
  stable: VersionRef | undefined,
  now: number,
): Operation {
  const superseded = supersededBy(base, asked);
  // What belongs to the version that is live goes on with it.
  const same = base?.stable?.version === stable?.version ? base : undefined;
  const undone = same && undoneBefore(same, now);
  return {
    request: asked.id,
    asks: asksOf(asked.version, asked.mark),
    ...(asked.before !== undefined && { before: asksOf(asked.before, asked.markBefore) }),
    at: iso(now),
    ...(stable && { stable }),
    ...(same?.watch !== undefined && { watch: same.watch }),
    ...(undone && { undone }),
    ...(superseded && { superseded }),
  };
}

/**
 * A release that runs, or that a person or want of data holds. One whose alias somebody else moved is over.
 */
function supersededBy(base: Release | undefined, asked: AliasRequest): Operation['superseded'] {
  if (base === undefined || !isPending(base) || base.candidate === undefined) return undefined;
  if (behavesAlike(base.candidate, asked)) return undefined;
  const { candidate, gate, steps, held, reason, deployment } = base;
  if (held !== undefined && held.by !== 'person' && held.by !== 'nodata') return undefined;
  return {
    candidate,
    ...(gate && { gate }),
    ...(steps && { steps }),
    ...(held && { held: { by: held.by, at: held.at, pagedAt: held.pagedAt } }),
    ...(held && reason !== undefined && { reason }),
    ...(deployment && { deployment: deployment.id }),
  };
}

/**
 * Does the stack take back what this document followed? Not what changed settings alone, nor what never
 * reached us or was refused: then all is as it was. Nor does a deploy's own request that comes late: where
 * another resource fails meanwhile, CloudFormation does not wait for it:
 * https://github.com/aws/aws-cdk/issues/26139. A version that goes with the stack always loses its traffic,
 * whoever gave it.
 */
export function undoes(base: Release, asked: AliasRequest): boolean {
  const { operation, request, release, candidate, stable } = base;
  const before = asked.before ?? operation?.asks.split(' ')[0];
  if (before === undefined) return true;
  const undone = asksOf(
    before,
    asked.before === undefined ? operation?.asks.split(' ')[1] : asked.markBefore,
  );
  const asks = asksOf(asked.version, asked.mark);
  if (undone === asks) return false;
  // Nobody returns to what was never asked for.
  const isEarlier = before !== asked.version && orderOf(base).includes(asked.version);
  if (operation !== undefined && operation.request === request?.id)
    return operation.asks === undone && (operation.before === asks || isEarlier);
  if (before !== asked.version)
    return isEarlier && (candidate?.version === before || stable?.version === before);
  // Asked for anew, of a worker that did not note what it found.
  return request?.id === release;
}

/**
 * Is it a deploy's own request that comes when its stack rolls back already, perhaps behind the one that goes
 * back? It asks for what nobody asked for before. No template has its settings any more.
 */
export function isOvertaken(base: Release, { version, before, mark }: AliasRequest): boolean {
  if (before !== version) return !orderOf(base).includes(version);
  const { operation } = base;
  const asks = asksOf(version, mark);
  return (
    mark !== undefined && operation !== undefined && operation.asks !== asks && operation.before !== asks
  );
}
