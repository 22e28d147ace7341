import { errorName, errorStatus, messageOf } from '../../core/errors/aws-errors.ts';
import { placeInCode } from '../runtime/log.ts';

/**
 * Why a message came to nothing. AWS names actions and resources, and a network its hosts; another error's
 * message could hold what was read.
 */
export function givenUpFor(error: unknown): string {
  const status = errorStatus(error);
  if (status === undefined) return unanswered(error) ?? placeInCode(error);
  const message = messageOf(error);
  // A HEAD is answered without a body, and this is what the client says for want of one.
  if (message !== 'UnknownError') return `${errorName(error)}: ${message}`;
  return status === 403 ? FORBIDDEN : `${status}: AWS refused a request without a word why.`;
}

const FORBIDDEN =
  '403: S3 refused HeadObject, without a word why, for the object or a file below `output`. The role of the batch function needs s3:GetObject there, s3:ListBucket of both buckets (without it S3 refuses what is not there, too), and s3:GetObjectVersion where the input has versions. A policy of the bucket, or the account that owns the object, may refuse it as well.';

/** @returns undefined for what is no call of AWS's client that came to no answer */
function unanswered(error: unknown): string | undefined {
  if (!(error instanceof Error && '$metadata' in error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${code}: ${messageOf(error)}`;
}
