import { ecrClient } from '../../../../aws/clients/ecr.ts';
import { ecrImages } from '../../../../aws/ecr/images.ts';
import { ecrRepositories } from '../../../../aws/ecr/repositories.ts';
import { deployedRegistry } from '../../../../aws/lambda/deployed-registry.ts';
import { messageOf } from '../../../../core/errors/aws-errors.ts';
import type { ImagePort, RepositoryPort } from '../../../../core/ports/aws.ts';
import type { AwsConfig } from '../../../../core/ports/config.ts';
import type { Registry } from '../../../../core/registry/port.ts';
import type { VersionImage } from '../../../../core/release/document/history-contract.ts';
import { withStop } from '../../../../core/text/stop.ts';
import { type Host, makerOf } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';
import { workerName } from '../../plan/release/functions.ts';
import { problemError } from '../../problems/errors.ts';
import { targetOf } from '../../targets/targets.ts';
import { atRegistry } from '../deploy-context.ts';
import { openRegistry } from '../open.ts';
import type { Reach } from '../ports.ts';

/** What `sls remove` does about images: known before the stack goes, deleted once no function needs them. */

/**
 * Images of a service, by repository. `tags` absent: the repository is ours, and goes with all that is in it.
 */
export type ServiceImages = readonly { readonly repository: string; readonly tags?: readonly string[] }[];

/**
 * In a repository that the service names are images of others, too: of ours, the registry has the tags. It
 * also knows whether versions before were in one that a deploy made, which is ours as a whole.
 *
 * @param read works with the registry; undefined where there is none
 */
export async function serviceImages(
  models: readonly Model[],
  host: Host,
  read: <T>(
    work: (documents: Pick<Registry, 'records' | 'recorded'>) => Promise<T>,
  ) => Promise<T | undefined>,
): Promise<ServiceImages> {
  const found = new Map<string, Set<string> | undefined>();
  for (const model of models) {
    const repository = targetOf(model).repository?.(model, host);
    if (repository === undefined) continue;
    if (model.image?.repository === undefined) {
      found.set(repository, undefined);
      continue;
    }
    const tags = found.get(repository) ?? new Set<string>();
    const { image: _, ...plain } = model;
    const made = targetOf(model).repository?.(plain, host);
    for (const image of (await read((documents) => imagesOf(model.name, documents))) ?? []) {
      if (image.repository === repository) tags.add(image.tag);
      else if (image.repository === made) found.set(made, undefined);
    }
    if (!found.has(repository) || found.get(repository) !== undefined) found.set(repository, tags);
  }
  return [...found].map(([repository, tags]) => ({ repository, ...(tags && { tags: [...tags] }) }));
}

async function imagesOf(
  model: string,
  documents: Pick<Registry, 'records' | 'recorded'>,
): Promise<readonly VersionImage[]> {
  const images: VersionImage[] = [];
  for (const name of await documents.records(model)) {
    const image = (await documents.recorded(model, name))?.image;
    if (image !== undefined) images.push(image);
  }
  return images;
}

/**
 * The same, with the caller’s own permissions. @param bucket of the registry that is declared, if there is
 * one
 */
export const imagesToRemove = (
  aws: AwsConfig,
  models: readonly Model[],
  host: Host,
  bucket: string | undefined,
): Promise<ServiceImages> =>
  serviceImages(models, host, async (work) => {
    const deployed = await deployedRegistry(aws, workerName(host));
    const { service: name, stage, region } = host;
    const reach: Pick<Reach, 'bucket' | 'registry'> = {
      bucket: async () => deployed ?? bucket,
      registry: async (at, inside) => {
        const opened = await openRegistry(aws, { name, stage, region }, at);
        return inside(opened).finally(opened.close);
      },
    };
    return atRegistry({ reach }, ({ documents }) => work(documents));
  });

/**
 * Once the stack is gone. A repository that no deploy of this service and stage made stays as it is.
 *
 * @throws ProblemError `MODELS_AWS`
 */
export async function removeImages(
  images: ServiceImages,
  host: Host,
  ports: { readonly repositories: RepositoryPort; readonly images: ImagePort },
): Promise<void> {
  for (const { repository, tags } of images) {
    try {
      if (tags === undefined) {
        const found = await ports.repositories.find(repository);
        if (found?.owner === makerOf(host)) await ports.repositories.remove(repository);
      } else for (const tag of tags) await ports.images.remove(repository, tag);
    } catch (error) {
      throw problemError(
        [
          {
            code: 'MODELS_AWS',
            key: 'models',
            value: repository,
            message: `The stack is gone, but images in the repository ${repository} are left: ${withStop(messageOf(error))}`,
            fix:
              tags === undefined
                ? `Delete it: \`aws ecr delete-repository --force --repository-name ${repository} --region ${host.region}\`.`
                : `Delete them: ${tags.join(', ')}.`,
          },
        ],
        error,
      );
    }
  }
}

/** With the caller’s own permissions. */
export async function removeServiceImages(aws: AwsConfig, images: ServiceImages, host: Host): Promise<void> {
  if (images.length === 0) return;
  const ecr = ecrClient(aws);
  try {
    await removeImages(images, host, { repositories: ecrRepositories(ecr), images: ecrImages(ecr) });
  } finally {
    ecr.destroy();
  }
}
