import { INIT_SECONDS } from '../../../../core/capacity/environments/init.ts';
import type { Model } from '../../declaration/model.ts';
import type { Problem } from '../../problems/errors.ts';

/**
 * Lambda's limit of an image, all layers unpacked:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const IMAGE_BYTES = 10 * 1024 ** 3;
/** Base, ONNX Runtime and host, at most. AWS's base has about half of it. */
const BESIDE_BYTES = 1024 ** 3;

/** @param bytes of an artifact */
export function imageProblems(bytes: number, key: string): readonly Problem[] {
  if (bytes <= IMAGE_BYTES - BESIDE_BYTES) return [];
  return [
    {
      code: 'MODELS_ARTIFACT_SIZE',
      key,
      message: `The artifact has ${Math.round(bytes / 1e6)} MB; Lambda takes images of ${IMAGE_BYTES / 1024 ** 3} GB, the base and ONNX Runtime included.`,
      fix: 'Quantise the model (float16 halves it, int8 quarters it), or export a smaller one.',
    },
  ];
}

/**
 * Bytes a second that a start reads of an image: what a function gets from S3 (600 Mbit/s), since nobody has
 * published what it gets of an image that is not in Lambda's caches. Not measured on AWS by us.
 */
const READ = 75e6;

/** @returns for people: what a start may take longer for than Lambda waits on demand */
export function startNotice({ concurrency }: Model, bytes: number): string | undefined {
  const seconds = 0.5 + bytes / READ;
  if (seconds <= INIT_SECONDS || concurrency?.provisioned !== undefined) return undefined;
  return `a start may read the model’s ${Math.round(bytes / 1e6)} MB for about ${seconds.toFixed(0)} s where Lambda has not cached the image, and on demand Lambda stops a start after ${INIT_SECONDS} s and tries once more within the request’s time: write \`concurrency.provisioned\`, whose instances have minutes.`;
}
