import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  PutLifecyclePolicyCommand,
  type Repository,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { FoundRepository, RepositoryPort } from '../../core/ports/aws.ts';

/** The tag that tells who made a repository. */
const OWNER = 'serverless-models';

/**
 * Milliseconds after which a repository that was just made is asked for again: other calls may not know it
 * yet. https://github.com/hashicorp/terraform-provider-aws/issues/3849
 */
const MADE = [500, 1000, 2000, 4000, 8000];

const wait = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Repositories of images, as who deploys sees to them. */
export function ecrRepositories(
  ecr: ECRClient,
  pause: (milliseconds: number) => Promise<unknown> = wait,
): RepositoryPort {
  const find: RepositoryPort['find'] = async (repositoryName) => {
    const asked = ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
    const repository = (await absent(asked, 'RepositoryNotFoundException'))?.repositories?.[0];
    if (repository === undefined) return undefined;
    const { tags = [] } = await ecr.send(
      new ListTagsForResourceCommand({ resourceArn: repository.repositoryArn }),
    );
    const owner = tags.find(({ Key }) => Key === OWNER)?.Value;
    return { ...found(repository), ...(owner !== undefined && { owner }) };
  };
  const lifecycle: RepositoryPort['lifecycle'] = async (repositoryName) => {
    const asked = ecr.send(new GetLifecyclePolicyCommand({ repositoryName }));
    return (await absent(asked, 'LifecyclePolicyNotFoundException'))?.lifecyclePolicyText;
  };
  return {
    find,
    lifecycle,
    make: async (repositoryName, owner) => {
      let fault: unknown;
      await ecr
        .send(
          new CreateRepositoryCommand({
            repositoryName,
            // A tag follows from all that is in an image.
            imageTagMutability: 'IMMUTABLE',
            tags: [{ Key: OWNER, Value: owner }],
          }),
        )
        .catch((error: unknown) => {
          // By another deploy at this moment, or by this one, whose answer was lost.
          if (errorName(error) !== 'RepositoryAlreadyExistsException') throw error;
          fault = error;
        });
      for (const milliseconds of MADE) {
        const there = await find(repositoryName);
        if (there !== undefined) return fault === undefined ? { ...there, owner } : there;
        await pause(milliseconds);
      }
      throw fault ?? new Error('ECR has made it, and does not know it yet: deploy again');
    },
    ready: async (repositoryName, { policy, lifecycle: rules }) => {
      const asked = ecr.send(new GetRepositoryPolicyCommand({ repositoryName }));
      if ((await absent(asked, 'RepositoryPolicyNotFoundException')) === undefined)
        await ecr.send(
          new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(policy) }),
        );
      if ((await lifecycle(repositoryName)) === undefined)
        await ecr.send(
          new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: JSON.stringify(rules) }),
        );
    },
    has: async (repositoryName, imageTag) =>
      (await absent(
        ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] })),
        'ImageNotFoundException',
      )) !== undefined,
    remove: async (repositoryName) => {
      await absent(
        ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true })),
        'RepositoryNotFoundException',
      );
    },
  };
}

const found = ({ repositoryArn = '', repositoryUri = '' }: Repository): FoundRepository => ({
  arn: repositoryArn,
  uri: repositoryUri,
});

/** @returns undefined where AWS answers that there is none */
const absent = <T>(asked: Promise<T>, name: string): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (errorName(error) === name) return undefined;
    throw error;
  });
