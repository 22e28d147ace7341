import type { Problem } from '../../problems/errors.ts';
import type { ImageDigest } from '../shared/image-digest.ts';

/** A repository of ECR, which SageMaker takes images from. */
export type EcrRepository = { readonly account: string; readonly region: string; readonly name: string };

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html */
const ECR = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.(?:com|com\.cn|eu)$/;

/**
 * @returns the repository, or why SageMaker could not take the image
 * @see https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
 */
export function ecrRepository(
  { host, repository }: ImageDigest,
  stackRegion: string,
): EcrRepository | Problem {
  const [, account, region] = ECR.exec(host) ?? [];
  const place = `${host}/${repository}`;
  const wrong = (message: string, fix: string): Problem => ({
    code: 'MODELS_USAGE',
    key: '--image',
    value: place,
    message,
    fix,
  });
  if (account === undefined || region === undefined)
    return wrong(
      `${place} is no repository of ECR, and SageMaker takes images from there.`,
      `Push the image to ECR in ${stackRegion}, and name it by its digest there.`,
    );
  if (region !== stackRegion)
    return wrong(
      `${place} is in ${region}; SageMaker takes images of its own region, ${stackRegion}.`,
      `Push the image to ECR in ${stackRegion}, or export with --region ${region}.`,
    );
  return { account, region, name: repository };
}
