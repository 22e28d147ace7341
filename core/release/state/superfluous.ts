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
  const published = new Set(known(versions) ?? []);
  const needed = new Set([
    ...standby(state).map((ref) => ref?.version),
    alias?.version,
    ...Object.keys(alias?.weights ?? {}),
  ]);
  return orderOf(state)
    .filter((version) => published.has(version))
    .slice(0, -KEEP)
    .filter((version) => !needed.has(version));
}

/** What has traffic, may get it, or may come back. */
const standby = (state: Release) => [
  state.stable,
  state.candidate,
  ...state.lives.slice(0, 2),
  lastGood(state),
];

/**
 * The list of batch versions, where it is to be changed: since when nobody needs a version, or that somebody
 * does again. While the stack may go back to one, none is found to be unneeded.
 */
export function sorted(state: Release, stack: ReleaseFacts['stack'], now: number): Release['batches'] {
  const { batches = [] } = state;
  const needed = neededBatches(state);
  const next = batches.map((one) => {
    const { unneeded, ...rest } = one;
    if (needed.has(one)) return unneeded === undefined ? one : rest;
    return unneeded === undefined && stack === 'done' ? { ...one, unneeded: iso(now) } : one;
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

/** The latest five of a function, and those of versions that may get traffic. */
function neededBatches(state: Release): ReadonlySet<BatchVersion> {
  const { batches = [], unbatched = {} } = state;
  const latest = batches.at(-1)?.functionName;
  const refs = [...standby(state).map((ref) => ref?.batch), ...Object.values(unbatched)];
  const isOf = (one: BatchVersion) =>
    refs.some((ref) => ref?.functionName === one.functionName && ref.version === one.version);
  const own = batches.filter(({ functionName }) => functionName === latest);
  return new Set([...own.slice(-KEEP), ...batches.filter(isOf)]);
}
