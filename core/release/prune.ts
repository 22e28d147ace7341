import { messageOf } from '../errors/aws-errors.ts';
import type { Release } from './document/contract.ts';
import type { World } from './ports.ts';

/** What nobody needs any more: versions, and the images that no other version runs from. */

/** Deletes versions of the function. What cannot be deleted stays: it costs nothing but storage. */
export async function pruned(world: World, state: Release, versions: readonly string[]): Promise<void> {
  for (const version of versions) {
    try {
      await world.versions.remove(state.functionName, version);
      world.log('removed a version', { functionName: state.functionName, version });
    } catch (error) {
      // Somebody needs it in a way that we do not see.
      world.log('a version could not be removed', { version, reason: messageOf(error) });
      continue;
    }
    try {
      await forget(world, state, version);
    } catch (error) {
      world.log('the image of a version could not be removed', { version, reason: messageOf(error) });
    }
  }
}

/**
 * Deletes the image of a version that is gone: Lambda needs it for as long as the version is there, and fails
 * once it looks for it again (https://docs.aws.amazon.com/lambda/latest/dg/invocation-images.html). Versions
 * that behave alike are of one image, and so is a version of the batch function, which nobody prunes.
 */
async function forget(world: World, state: Release, version: string): Promise<void> {
  const { model, functionName, stable, candidate, lives, unbatched } = state;
  const isBatched = unbatched !== undefined || [stable, candidate, ...lives].some((ref) => ref?.batch);
  if (isBatched) return;
  const image = await imageOf(world, model, functionName, version);
  if (image === undefined) return;
  for (const left of await world.versions.list(functionName)) {
    const other = await imageOf(world, model, functionName, left);
    if (other?.tag === image.tag && other.repository === image.repository) return;
  }
  await world.images.remove(image.repository, image.tag);
  world.log('removed an image', { functionName, version, repository: image.repository, tag: image.tag });
}

/** As recorded; undefined of a version that is no image, or of a function of this name that is gone. */
async function imageOf(world: World, model: string, functionName: string, version: string) {
  const record = await world.registry.known(model, version);
  return record?.functionName === functionName ? record.image : undefined;
}
