import { BatchDeleteImageCommand, type ECRClient } from '@aws-sdk/client-ecr';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { ImagePort } from '../../core/ports/aws.ts';

/**
 * Images at ECR. By its tag an image is deleted only with its last one:
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
 */
export function ecrImages(ecr: ECRClient): ImagePort {
  return {
    remove: async (repositoryName, imageTag) => {
      const { failures = [] } = await ecr
        .send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag }] }))
        .catch((error: unknown) => {
          if (errorName(error) === 'RepositoryNotFoundException') return { failures: [] };
          throw error;
        });
      const [failed] = failures.filter(({ failureCode }) => failureCode !== 'ImageNotFound');
      if (failed !== undefined)
        throw new Error(`${repositoryName}:${imageTag} stays: ${failed.failureCode} ${failed.failureReason}`);
    },
  };
}
