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
import { ruleFor } from './lifecycle.ts';
import { type ImageUpload, repositoryFor, unusable } from './repository.ts';

/** Images of a package are laid over their bases and brought into their repositories. */

const baseKey = (model: string): string => `models.${model}.image.base`;

/**
 * Brings each image into its repository, under its tag; the repository is made where the service names none.
 * An image that is there already costs some requests.
 *
 * @param wanted by model
 * @param owner service and stage
 * @param isDeployed they were there before: one that is not is told
 * @returns sentences for people: a repository that takes images away each, and an image that was gone
 * @throws ProblemError
 */
export async function uploadImages(
  images: readonly KeptImage[],
  aws: AwsConfig,
  wanted: ReadonlyMap<string, ImageUpload>,
  owner: string,
  progress: (text: string | undefined) => void,
  isDeployed = false,
): Promise<readonly string[]> {
  const ecr = ecrClient(aws);
  const repositories = ecrRepositories(ecr);
  const ready = new Map<string, FoundRepository>();
  const lines = new Map<string, string>();
  const gone: string[] = [];
  try {
    for (const image of images) {
      const to = wanted.get(image.model);
      if (to === undefined) continue;
      progress(`Looking for the image of ${image.model}`);
      const place = ready.get(to.repository) ?? (await repositoryFor(image.model, to, repositories, owner));
      ready.set(to.repository, place);
      // Who may not look is told nothing: the deploy needs no such right.
      const policy = await repositories.lifecycle(to.repository).catch(() => undefined);
      const rule = policy && ruleFor(policy, to.tag);
      if (rule) lines.set(to.repository, expiring(image.model, to.repository, rule));
      const isThere = await repositories.has(to.repository, to.tag).catch((error: unknown) => {
        throw unusable(image.model, to.repository, error);
      });
      if (isThere) continue;
      await push(image, aws, place, to.tag, progress).catch(async (error: unknown) => {
        // Another deploy of the same may have been faster, and a tag is written once.
        if (!(await repositories.has(to.repository, to.tag).catch(() => false))) throw error;
      });
      if (isDeployed) gone.push(backAgain(image.model, to.repository));
    }
    return [...lines.values(), ...gone];
  } finally {
    progress(undefined);
    ecr.destroy();
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-images.html */
const expiring = (model: string, repository: string, rule: string): string =>
  `models.${model}.image.repository: ${repository} takes away images of versions by itself (${rule}), and Lambda fails a version whose image is gone. Let its rules select other tags, or name a repository without them.`;

const backAgain = (model: string, repository: string): string =>
  `The image of ${model} was gone from the repository ${repository}, and is there again: see that nobody deletes there, and no rule.`;

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
