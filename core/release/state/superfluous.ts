import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { BatchVersion } from '../document/parts-contract.ts';
import { UNNEEDED_MS } from './durations.ts';
import { known, type ReleaseFacts } from './facts.ts';
import { orderOf } from './noted.ts';
import { lastGood } from './predicates.ts';

/** Published versions that nobody needs any more. Pure. */

/** Versions of a function to keep. */
const KEEP = 5;

/**
 * Asked for before the latest five, and needed by nobody: alias, template, rollback. None while the stack may
 * go back to one. A version that this alias was never asked for is somebody else’s, or of a deploy that has
 * just begun.
 */
export function superfluous(state: Release, { versions, alias, stack }: ReleaseFacts): readonly string[] {
  if (stack !== 'done') return [];
  const { stable, candidate, lives } = state;
  const published = new Set(known(versions) ?? []);
  const needed = new Set([
    stable?.version,
    candidate?.version,
    ...lives.slice(0, 2).map(({ version }) => version),
    lastGood(state)?.version,
    alias?.version,
    ...Object.keys(alias?.weights ?? {}),
  ]);
  return orderOf(state)
    .filter((version) => published.has(version))
    .slice(0, -KEEP)
    .filter((version) => !needed.has(version));
}

/**
 * The list of batch versions, where it is to be changed: since when nobody needs a version, or that somebody
 * does again. None is found to be unneeded while the stack may go back to one.
 */
export function weeded(state: Release, facts: ReleaseFacts, now: number): Release['batches'] {
  const { batches = [] } = state;
  const kept = facts.stack === 'done' ? keptOf(state, facts) : undefined;
  const needed = neededBatches(state, kept);
  const next = batches.map((one) => {
    const { unneeded, ...rest } = one;
    if (needed.has(one)) return unneeded === undefined ? one : rest;
    return unneeded === undefined && kept !== undefined ? { ...one, unneeded: iso(now) } : one;
  });
  return next.some((one, index) => one !== batches[index]) ? next : undefined;
}

/** Batch versions that may be deleted, unless an execution runs from one. */
export const retiring = (
  { batches = [] }: Release,
  stack: ReleaseFacts['stack'],
  now: number,
): readonly BatchVersion[] =>
  stack === 'done'
    ? batches.filter(({ unneeded }) => unneeded !== undefined && now - Date.parse(unneeded) >= UNNEEDED_MS)
    : [];

/** The endpoint's versions that stay; undefined where it is not known which are published. */
function keptOf(state: Release, facts: ReleaseFacts): readonly string[] | undefined {
  const gone = superfluous(state, facts);
  return known(facts.versions)?.filter((version) => !gone.includes(version));
}

/**
 * The latest five of a function, and those of versions that have traffic, may get it, or are published: a
 * person may name one of these, `rollback --to`.
 */
function neededBatches(state: Release, kept: readonly string[] = []): ReadonlySet<BatchVersion> {
  const { stable, candidate, lives, batches = [], unbatched = {} } = state;
  // What is written of the live version among `lives` is from before only its batch function changed.
  const others = lives.filter(({ version }) => version !== stable?.version);
  const refs = [...[stable, candidate, ...others].map((ref) => ref?.batch), ...Object.values(unbatched)];
  const isOf = (one: BatchVersion) =>
    refs.some((ref) => ref?.functionName === one.functionName && ref.version === one.version);
  const latest = batches.filter(({ functionName }) => functionName === batches.at(-1)?.functionName);
  const published = kept.flatMap((version) => batchOfVersion(state, version) ?? []);
  return new Set([...latest.slice(-KEEP), ...batches.filter(isOf), ...published]);
}

/** The batch version that a version of the endpoint came with last. */
export const batchOfVersion = ({ batches = [] }: Release, version: string): BatchVersion | undefined =>
  batches.find(({ of }) => of.includes(version));
