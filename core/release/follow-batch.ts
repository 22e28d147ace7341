import type { Own, Release } from './document/contract.ts';
import type { Phase, VersionRef } from './document/parts-contract.ts';
import { logAliasWrite, type World } from './ports.ts';
import { allTraffic, pointsAt, say } from './state/alias-target.ts';

/**
 * The version whose batch function scores jobs. What was live before `batch` was declared has none: until the
 * candidate that has one is promoted, and if it never is, it scores them, since its gate has passed, and an
 * alias must be there for the queue. After its rollback, it does so until the next candidate takes traffic.
 */
export const scorer = ({
  stable,
  candidate,
}: Partial<Pick<Own, 'stable' | 'candidate'>>): VersionRef | undefined =>
  stable?.batch === undefined && candidate?.batch !== undefined ? candidate : stable;

/** The candidate is judged, or was: its stack is done. */
const TAKES_TRAFFIC: ReadonlySet<Phase> = new Set(['JUDGING', 'PROMOTING']);

/**
 * The alias of the model's batch function follows what has all of the endpoint's traffic by right: jobs know
 * no weights, and are scored by what was promoted. There is nothing to decide and nothing to remember: where
 * it does not point to the stable version's own, it is moved, by whoever comes next.
 *
 * @returns whether it was moved: by a worker that knows less than another one by now, perhaps
 * @throws Error where the alias cannot be read or moved
 */
export async function followBatch(world: World, release: Release): Promise<boolean> {
  const { stable, alias: name } = release;
  const by = scorer(release);
  if (by?.batch === undefined) return false;
  const { functionName, version } = by.batch;
  const found = await world.aliases.get(functionName, name);
  if (pointsAt(found, allTraffic(version))) return false;
  // Its stack may still roll back, and what it points to has at least passed its gate as well.
  if (found !== undefined && by !== stable && !TAKES_TRAFFIC.has(release.phase)) return false;
  const to = { ...allTraffic(version), description: `serverless-models version ${by.version}` };
  const written =
    found === undefined
      ? await world.aliases.create(functionName, name, to)
      : await world.aliases.update(functionName, name, to, found.revision);
  logAliasWrite(world, 'info', 'moved the alias of batch', {
    functionName,
    alias: name,
    from: say(found),
    to: say(to),
    written,
  });
  // Changed meanwhile: by another tick, which knows as much. Refused: the version is gone, which only a
  // deploy can fix.
  if (typeof written === 'object') throw new Error(`the alias of ${functionName}: ${written.refused}`);
  return written === 'ok';
}
