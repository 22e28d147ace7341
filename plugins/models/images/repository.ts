import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { FoundRepository, RepositoryPort } from '../../../core/ports/aws.ts';
import type { VersionImage } from '../../../core/release/document/history-contract.ts';
import { withStop } from '../../../core/text/stop.ts';
import { awsFix } from '../context/aws-fix.ts';
import { isProblemError, type Problem, problemError } from '../problems/errors.ts';

/** Which image of a package goes where. */
export type ImageUpload = VersionImage & {
  /** Does the service name the repository? Then it is somebody’s, and nothing of it is changed. */
  readonly named: boolean;
};

/** The repository, ready for Lambda to read from. */
export async function repositoryFor(
  model: string,
  { repository: name, named }: ImageUpload,
  repositories: RepositoryPort,
  owner: string,
): Promise<FoundRepository> {
  const key = keyOf(model);
  try {
    const found = await repositories.find(name);
    if (named) {
      if (found !== undefined) return found;
      throw problemError([
        {
          ...problemAt(key, name),
          message: `names ${name}, and ECR has no such repository in this account and region.`,
          fix: 'Make it, or leave `image.repository` out: then the deploy makes one.',
        },
      ]);
    }
    // Another stage or person may have made it since, too.
    const place = found ?? (await repositories.make(name, owner));
    if (place.owner !== owner)
      throw problemError([
        {
          ...problemAt(key, name),
          message: `The repository ${name} is there, and was not made for ${owner}.`,
          fix: `Delete it; or write \`image: {repository: ${name}}\` if the images belong there.`,
        },
      ]);
    await repositories.ready(name, { policy: policyFor(place.arn), lifecycle: LIFECYCLE });
    return place;
  } catch (error) {
    throw isProblemError(error) ? error : unusable(model, name, error);
  }
}

/** What to throw for what ECR refuses of a repository. */
export const unusable = (model: string, name: string, error: unknown): Error =>
  problemError(
    [
      {
        ...problemAt(keyOf(model), name),
        message: `The repository ${name} cannot be used: ${withStop(messageOf(error))}`,
        fix: awsFix(
          error,
          'Check credentials and --aws-profile; docs/deploy-policy.md lists what a deploy needs.',
        ),
      },
    ],
    error,
  );

const keyOf = (model: string): string => `models.${model}.image.repository`;

const problemAt = (key: string, value: string): Pick<Problem, 'code' | 'key' | 'value'> => ({
  code: 'MODELS_IMAGE_PUSH',
  key,
  value,
});

/**
 * Lambda may read the images for functions of this account and region:
 * https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
 *
 * @param arn of the repository
 */
function policyFor(arn: string): object {
  const [, partition, , region, account] = arn.split(':');
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'LambdaECRImageRetrievalPolicy',
        Effect: 'Allow',
        Principal: { Service: 'lambda.amazonaws.com' },
        Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Condition: {
          StringLike: { 'aws:sourceArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
        },
      },
    ],
  };
}

/** Every image of a version has a tag, and the release worker deletes it with its version. */
const LIFECYCLE = {
  rules: [
    {
      rulePriority: 1,
      description: 'what a deploy that was interrupted left',
      selection: { tagStatus: 'untagged', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 7 },
      action: { type: 'expire' },
    },
  ],
};
