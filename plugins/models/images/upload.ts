import { ecrClient } from '../../../aws/clients/ecr.ts';
import { ecrRepositories } from '../../../aws/ecr/repositories.ts';
import type { FoundRepository } from '../../../core/ports/aws.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { KeptImage } from '../contracts/kept-image.ts';
import { fetchBase } from '../ship/oci/base.ts';
import { imageOf, type OwnConfig } from '../ship/oci/image.ts';
import { layersOver, mustHaveDockerLayers } from '../ship/oci/over-base.ts';
import { openToPush, pushImage } from '../ship/oci/push.ts';
import { readReference } from '../ship/oci/reference.ts';
import { type ImageUpload, repositoryFor, unusable } from './repository.ts';

/** Images of a package are laid over their bases and brought into their repositories. */

const baseKey = (model: string): string => `models.${model}.image.base`;

/**
 * Brings each image into its repository, under its tag; the repository is made where the service names none.
 * An image that is there already costs some requests.
 *
 * @param wanted by model
 * @param owner service and stage
 * @throws ProblemError
 */
export async function uploadImages(
  images: readonly KeptImage[],
  aws: AwsConfig,
  wanted: ReadonlyMap<string, ImageUpload>,
  owner: string,
  progress: (text: string | undefined) => void,
): Promise<void> {
  const ecr = ecrClient(aws);
  const repositories = ecrRepositories(ecr);
  const ready = new Map<string, FoundRepository>();
  try {
    for (const image of images) {
      const to = wanted.get(image.model);
      if (to === undefined) continue;
      progress(`Looking for the image of ${image.model}`);
      const place = ready.get(to.repository) ?? (await repositoryFor(image.model, to, repositories, owner));
      ready.set(to.repository, place);
      const isThere = await repositories.has(to.repository, to.tag).catch((error: unknown) => {
        throw unusable(image.model, to.repository, error);
      });
      if (isThere) continue;
      await push(image, aws, place, to.tag, progress).catch(async (error: unknown) => {
        // Another deploy of the same may have been faster, and a tag is written once.
        if (!(await repositories.has(to.repository, to.tag).catch(() => false))) throw error;
      });
    }
  } finally {
    progress(undefined);
    ecr.destroy();
  }
}

async function push(
  { model, architecture, base, layers, config }: KeptImage,
  aws: AwsConfig,
  { uri }: FoundRepository,
  tag: string,
  progress: (text: string | undefined) => void,
): Promise<void> {
  const place = readReference(uri);
  if ('wrong' in place) throw new Error(`ECR’s address of a repository, ${uri}, ${place.wrong}`);
  // First: who may not push need not fetch a base of hundreds of megabytes.
  const registry = await openToPush(place, aws, 'models');
  const key = baseKey(model);
  const under = await fetchBase({ declared: base, architecture, key, aws, progress });
  mustHaveDockerLayers(under, key, 'Lambda');
  const own = config as unknown as OwnConfig;
  const [, ...rest] = own.entrypoint;
  const whole = imageOf({
    base: under,
    layers: await layersOver(under, layers),
    config: { ...own, entrypoint: [under.node.path, ...rest] },
  });
  await pushImage(registry, whole, place, { tags: [tag], progress });
}
