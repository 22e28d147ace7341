import { messageOf } from '../errors/aws-errors.ts';
import { iso } from '../units/time.ts';
import type { Release } from './document/contract.ts';
import type { BatchVersion } from './document/parts-contract.ts';
import type { World } from './ports.ts';

/** What nobody needs any more: versions, and the images that no other version runs from. */

/** Deletes versions of the function. What cannot be deleted stays: it costs nothing but storage. */
export async function pruned(world: World, state: Release, versions: readonly string[]): Promise<void> {
  for (const version of versions) {
    try {
      await world.versions.remove(state.functionName, version);
      world.log('info', 'removed a version', { functionName: state.functionName, version });
    } catch (error) {
      // Somebody needs it in a way that we do not see.
      world.log('warn', 'a version could not be removed', { version, reason: messageOf(error) });
      continue;
    }
    try {
      await forget(world, state, version);
    } catch (error) {
      world.log('warn', 'the image of a version could not be removed', { version, reason: messageOf(error) });
    }
  }
}

/**
 * Deletes versions of the batch function, and the images that no version is left of.
 *
 * @param now milliseconds
 * @returns the document's list without them. What may be in use, or cannot be deleted, is looked at again
 * after a while.
 */
export async function retired(
  world: World,
  state: Release,
  versions: readonly BatchVersion[],
  now: number,
): Promise<readonly BatchVersion[]> {
  const busy = new Map<string, boolean>();
  const left: BatchVersion[] = [];
  for (const one of state.batches ?? []) {
    const isGone = versions.includes(one) && (await wasRetired(world, state, one, busy));
    if (!isGone) left.push(versions.includes(one) ? { ...one, unneeded: iso(now) } : one);
  }
  return left;
}

/** @param busy whether executions of a function's state machine run, as far as that was asked */
async function wasRetired(
  world: World,
  state: Release,
  { functionName, version, of }: BatchVersion,
  busy: Map<string, boolean>,
): Promise<boolean> {
  try {
    // An execution asks the version that its job began with until its last part is written.
    const isBusy = busy.get(functionName) ?? (await world.machines.isBusy(functionName));
    busy.set(functionName, isBusy);
    if (isBusy) return false;
    await world.versions.remove(functionName, version);
    world.log('info', 'removed a version', { functionName, version });
    for (const endpoint of of) await forget(world, state, endpoint);
    return true;
  } catch (error) {
    world.log('warn', 'a version of batch, or its image, could not be removed', {
      functionName,
      version,
      reason: messageOf(error),
    });
    return false;
  }
}

/**
 * Deletes the image of a version that is gone, unless another one of the endpoint or of batch runs from it:
 * Lambda needs an image for as long as such a version is there, and fails once it looks for it again
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-images.html). Versions that behave alike are of
 * one image.
 */
async function forget(world: World, state: Release, version: string): Promise<void> {
  const { model, functionName } = state;
  const image = await imageOf(world, model, functionName, version);
  if (image === undefined) return;
  for (const left of await world.versions.list(functionName)) {
    const other = await imageOf(world, model, functionName, left);
    if (other?.tag === image.tag && other.repository === image.repository) return;
  }
  for (const batch of batchFunctions(state)) {
    const digests = [...(await world.versions.digests(batch)).values()];
    if (digests.length > 0 && (image.digest === undefined || digests.includes(image.digest))) return;
  }
  await world.images.remove(image.repository, image.tag);
  world.log('info', 'removed an image', {
    functionName,
    version,
    repository: image.repository,
    tag: image.tag,
  });
}

/** All that the document knows of: the function of batch may have been named otherwise before. */
function batchFunctions({ stable, candidate, lives, unbatched, batches }: Release): ReadonlySet<string> {
  const refs = [stable, candidate, ...lives].map((ref) => ref?.batch);
  const known = [...refs, ...Object.values(unbatched ?? {}), ...(batches ?? [])];
  return new Set(known.flatMap((one) => one?.functionName ?? []));
}

/** As recorded; undefined of a version that is no image, or of a function of this name that is gone. */
async function imageOf(world: World, model: string, functionName: string, version: string) {
  const record = await world.registry.known(model, version);
  return record?.functionName === functionName ? record.image : undefined;
}
