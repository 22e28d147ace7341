import { INIT_SECONDS, initSeconds } from '../../../../core/capacity/environments/init.ts';
import type { Problem } from '../../problems/errors.ts';

/**
 * Lambda's limit for a function and its layers:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const UNZIPPED_BYTES = 250 * 1024 ** 2;
/** /tmp, at most: same page. The rest of it is the user's. */
const TMP_BYTES = 10_000 * 1024 ** 2;

/** @param bytes of an artifact that goes by the bucket */
export function artifactProblems(bytes: number, key: string): readonly Problem[] {
  const megabytes = Math.round(bytes / 1e6);
  const seconds = initSeconds(bytes);
  if (bytes <= TMP_BYTES && seconds <= INIT_SECONDS) return [];
  return [
    {
      code: 'MODELS_ARTIFACT_SIZE',
      key,
      message:
        bytes > TMP_BYTES
          ? `The artifact has ${megabytes} MB, more than Lambda's /tmp holds.`
          : `The artifact has ${megabytes} MB: reading it at start would take about ${seconds.toFixed(1)} s, and Lambda stops a start after ${INIT_SECONDS} s.`,
      fix: 'Quantise the model (float16 halves it, int8 quarters it), or export a smaller one.',
    },
  ];
}
