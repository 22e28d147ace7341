import type { Release } from './document/contract.ts';
import type { World } from './ports.ts';
import { allTraffic, pointsAt, say } from './state/alias-target.ts';

/**
 * The alias of the model's batch function follows what has all of the endpoint's traffic by right: jobs know
 * no weights, and are scored by what was promoted. There is nothing to decide and nothing to remember: where
 * it does not point to the stable version's own, it is moved, by whoever comes next.
 *
 * @returns whether it was moved: by a worker that knows less than another one by now, perhaps
 * @throws Error where the alias cannot be read or moved
 */
export async function followBatch(
  world: World,
  { stable, candidate, alias: name }: Release,
): Promise<boolean> {
  // What was live before `batch` was declared has no version for jobs: until the candidate that has one is
  // promoted, and if it never is, it scores them, since its gate has passed, and an alias must be there for
  // the queue.
  const batch = stable?.batch ?? candidate?.batch;
  if (batch === undefined) return false;
  const { functionName, version } = batch;
  const found = await world.aliases.get(functionName, name);
  if (pointsAt(found, allTraffic(version)) || (found !== undefined && stable?.batch === undefined))
    return false;
  const to = {
    ...allTraffic(version),
    description: `serverless-models version ${(stable?.batch === undefined ? candidate : stable)?.version}`,
  };
  const written =
    found === undefined
      ? await world.aliases.create(functionName, name, to)
      : await world.aliases.update(functionName, name, to, found.revision);
  world.log('moved the alias of batch', {
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
