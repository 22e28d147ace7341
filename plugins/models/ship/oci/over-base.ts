import { type Problem, problemError } from '../../problems/errors.ts';
import { inDockersWords, strangeLayer } from './documents.ts';
import type { BaseImage, NamedLayer } from './image.ts';
import { writeFolder } from './layer.ts';

/** What hosts ask of an image that is laid over somebody's base. */

/**
 * Our layers, and below them the folder that they lie in, where the base has none: Lambda refuses an image
 * with a file or a folder whose own folder is in no layer (`MissingParentDirectory`), which all other hosts
 * make by themselves. https://github.com/bazel-contrib/tar.bzl/issues/76
 */
export const layersOver = async (
  { node }: Pick<BaseImage, 'node'>,
  layers: readonly NamedLayer[],
): Promise<readonly NamedLayer[]> =>
  node.hasOpt ? layers : [{ ...(await writeFolder('opt')), name: 'folder' }, ...layers];

/**
 * Lambda takes images of either specification, and refuses a layer that Docker's does not have
 * (`UnsupportedImageLayerDetected`), in the middle of a deploy.
 * https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
 *
 * @param key YAML path to blame
 * @param who takes the image
 * @throws ProblemError `MODELS_IMAGE_BASE`
 */
export function mustHaveDockerLayers(
  { reference, manifest }: Pick<BaseImage, 'reference' | 'manifest'>,
  key: string,
  who: 'Lambda' | 'SageMaker',
): void {
  const type = strangeLayer(manifest);
  if (type === undefined) return;
  const problem: Problem = {
    code: 'MODELS_IMAGE_BASE',
    key,
    value: reference,
    message: `${reference} has a layer of the media type ${type}, which a manifest of Docker’s does not have: ${who} takes no such image.`,
    fix: 'Name an image whose layers are packed with gzip.',
  };
  throw problemError([problem]);
}

/**
 * The base for SageMaker, which refuses manifests of OCI when CloudFormation makes the model (`Unsupported
 * manifest media type`): https://github.com/aws/amazon-sagemaker-feedback/issues/180. What is laid over it is
 * of Docker’s specification then.
 *
 * @throws ProblemError `MODELS_IMAGE_BASE`
 */
export function baseForSageMaker<Base extends Pick<BaseImage, 'reference' | 'manifest'>>(
  base: Base,
  key: string,
): Base {
  const docker = { ...base, manifest: inDockersWords(base.manifest) };
  mustHaveDockerLayers(docker, key, 'SageMaker');
  return docker;
}
