import type { Problem } from '../../problems/errors.ts';
import type { ImageDigest } from '../shared/image-digest.ts';

/** A repository of ECR, which SageMaker takes images from. */
export type EcrRepository = { readonly account: string; readonly region: string; readonly name: string };

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
const ECR = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.(?:com|com\.cn|eu)$/;

/**
 * @returns the repository, or why SageMaker could not take an image of it
 * @see https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
 */
export function ecrRepository(
  { host, repository }: Pick<ImageDigest, 'host' | 'repository'>,
  stackRegion: string,
): EcrRepository | { readonly wrong: Pick<Problem, 'value' | 'message' | 'fix'> } {
  const [, account, region] = ECR.exec(host) ?? [];
  const value = `${host}/${repository}`;
  if (account === undefined || region === undefined)
    return {
      wrong: {
        value,
        message: `${value} is no repository of ECR, and SageMaker takes images from there.`,
        fix: `Name one of ECR in ${stackRegion}, and have the image there.`,
      },
    };
  if (region !== stackRegion)
    return {
      wrong: {
        value,
        message: `${value} is in ${region}; SageMaker takes images of its own region, ${stackRegion}.`,
        fix: `Have the image in ECR in ${stackRegion}, or export with --region ${region}.`,
      },
    };
  return { account, region, name: repository };
}

/**
 * SageMaker refuses it when CloudFormation makes the model (`Unsupported manifest media type`):
 * https://github.com/aws/amazon-sagemaker-feedback/issues/180
 *
 * @param mediaType of an image’s manifest
 * @returns why SageMaker could not take it
 */
export const manifestFault = (
  name: string,
  mediaType: string,
): Pick<Problem, 'message' | 'fix'> | undefined =>
  mediaType.startsWith('application/vnd.oci.')
    ? {
        message: `${name} has a manifest of OCI (${mediaType}), and SageMaker takes those of Docker alone.`,
        fix: 'Have the image made and pushed by --push in place of --image: then it has one of Docker’s.',
      }
    : undefined;
