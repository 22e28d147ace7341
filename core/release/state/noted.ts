import { iso } from '../../units/time.ts';
import type { Aborted, Release } from '../document/contract.ts';
import type { BatchVersion } from '../document/parts-contract.ts';
import type { AliasRequest, StackRequest } from '../document/request-contract.ts';
import { PATIENCE_MS } from './durations.ts';

/** What a request writes into the document, whatever it asks for. Pure. */

/** Ids remembered against late and repeated delivery. Lambda keeps an event for six hours at most. */
export const REMEMBERED = 50;

/** Versions whose order is remembered: more than are ever kept published. */
const ORDERED = 50;

/** A document before anything happened. */
export function blank(asked: AliasRequest, now: number): Aborted {
  return {
    schema: 1,
    rev: 0,
    release: asked.id,
    phase: 'ABORTED',
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
    order: [],
    batches: [],
    lives: [],
    requests: [],
    schedule: asked.schedule,
    startedAt: iso(now),
    updatedAt: iso(now),
    deadline: iso(now + PATIENCE_MS),
  };
}

/** The parts that every request changes. */
export function noted(
  base: Pick<Release, 'requests' | 'highest' | 'order' | 'batches' | 'lives'>,
  asked: AliasRequest,
  kind: StackRequest['kind'],
  now: number,
) {
  return {
    stack: asked.stack,
    settings: asked.settings,
    highest: Math.max(base.highest, Number(asked.version)),
    order: [...orderOf(base).filter((version) => version !== asked.version), asked.version].slice(-ORDERED),
    batches: batchesWith(base, asked),
    requests: [...base.requests, asked.id].slice(-REMEMBERED),
    request: {
      id: asked.id,
      kind,
      logicalId: asked.logicalId,
      url: asked.url,
      answerBy: iso(now + asked.patience),
    },
    waiting: undefined,
  };
}

/**
 * The versions that the alias was asked for, the latest last. An older worker kept only the highest number;
 * Lambda counted from 1, and each version of a function of ours was asked for.
 */
export const orderOf = ({ order, highest }: Pick<Release, 'order' | 'highest'>): readonly string[] =>
  order ?? Array.from({ length: highest }, (_, index) => String(index + 1)).slice(-ORDERED);

/**
 * The list with the version that is asked for; without batch the function goes, and one that is made later
 * has other versions under the same numbers. An older worker kept no list: what was live is known.
 */
function batchesWith(
  { batches, lives }: Pick<Release, 'batches' | 'lives'>,
  { batch, version }: AliasRequest,
): readonly BatchVersion[] | undefined {
  if (batch === undefined) return undefined;
  const before: readonly BatchVersion[] =
    batches ?? lives.toReversed().flatMap((ref) => (ref.batch ? [{ ...ref.batch, of: [ref.version] }] : []));
  const isAsked = (one: BatchVersion): boolean =>
    one.functionName === batch.functionName && one.version === batch.version;
  // A deploy that changes the endpoint alone comes with the batch version before: it has both then.
  const came = [...(before.find(isAsked)?.of ?? []).filter((one) => one !== version), version];
  const others = before
    .filter((one) => !isAsked(one))
    .map((one) => ({ ...one, of: one.of.filter((other) => other !== version) }));
  return [...others, { ...batch, of: came.slice(-ORDERED) }].slice(-ORDERED);
}

/** What belongs to one release and not to the next. */
export const FRESH_RELEASE = {
  steps: undefined,
  step: undefined,
  shifts: [],
  gate: undefined,
  judgements: [],
  commands: undefined,
  basis: undefined,
  held: undefined,
  promotedBy: undefined,
  promotedAt: undefined,
  returnedAt: undefined,
  putBackAt: undefined,
  reversal: undefined,
  deployment: undefined,
  endedAt: undefined,
};
