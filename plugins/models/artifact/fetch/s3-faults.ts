import { errorName, errorStatus, UNREACHED } from '../../../../core/errors/aws-errors.ts';
import { isProxyRefusal, PROXY_FIX } from '../../network/proxied.ts';

/** What goes wrong where an artifact is read from S3, and what to do about it. */

const CUT_OFF = 'CutOff';

/** A body that ended after so many bytes, without a word. */
export const cutOff = (size: number, bytes: number): Error =>
  Object.assign(new Error(`It ends after ${size} of ${bytes} bytes.`), { name: CUT_OFF });

const isCutOff = (error: unknown): error is Error => error instanceof Error && error.name === CUT_OFF;

/** What the client calls an answer without a body. */
const WORDLESS = 'Unknown';

/** What S3 says of a refusal with 403 beside that: a key that may not be used, an archive, a wrong clock. */
function saidOf(error: unknown): string | undefined {
  if (errorStatus(error) !== 403 || !(error instanceof Error)) return undefined;
  const { name, message } = error;
  const isBare = name === WORDLESS || (name === 'AccessDenied' && !/\bkms:/.test(message));
  return isBare ? undefined : message;
}

/** Why it cannot be read, in a sentence. A HEAD has no body, so the status is all that S3 says. */
export function s3Reason(error: unknown): string {
  const status = errorStatus(error);
  if (status === 403 && saidOf(error) === undefined)
    return 'S3 denies it (403), or it is not there and may not be listed.';
  if (status === 404) return 'There is no such object or bucket (404).';
  if (status === 412) return 'It was overwritten while it was read (412).';
  const name = error instanceof Error ? error.name : 'Error';
  if (status === 400 && name === WORDLESS) return 'S3 refuses it (400), as where credentials have expired.';
  if (status !== undefined && name === WORDLESS) return `S3 answers ${status} without a word why.`;
  if (isProxyRefusal(error) && error instanceof Error) return `S3 cannot be reached: ${error.message}`;
  if (isCutOff(error)) return error.message;
  if (isStalled(error)) return 'Nothing more comes from S3.';
  const code = unreached(error);
  if (code !== undefined) return `S3 cannot be reached (${code}).`;
  const why = error instanceof Error && error.message !== name ? `${name}: ${error.message}` : name;
  return `S3 says ${why.replace(/\.$/, '')}.`;
}

/** What to do about it. */
export function s3Fix(error: unknown): string {
  const status = errorStatus(error);
  const key = /\bkms:\w+/.exec(saidOf(error) ?? '')?.[0];
  if (key !== undefined)
    return `Allow ${key} on the key that it is encrypted with, or use other credentials.`;
  if (errorName(error) === 'InvalidObjectState')
    return 'Restore it first: `aws s3api restore-object`, or copy it to a storage class that is read at once.';
  if (status === 403 && saidOf(error) === undefined)
    return 'Allow s3:GetObject on it and s3:ListBucket on its bucket, or use other credentials.';
  if (status === 412) return 'Retry once nothing writes to it.';
  if (isProxyRefusal(error)) return PROXY_FIX;
  if (unreached(error) !== undefined) return 'Retry once it can be reached from here.';
  return isBrokenOff(error)
    ? 'Retry: the connection to S3 broke off.'
    : 'Check bucket, key, region and credentials.';
}

/** Why nobody was asked; undefined for all else. */
function unreached(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return UNREACHED.has(code) ? code : undefined;
}

/** Ended before its end, by whoever is between. */
export const isBrokenOff = (error: unknown): boolean =>
  isStalled(error) ||
  isCutOff(error) ||
  (error instanceof Error &&
    'code' in error &&
    ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ETIMEDOUT'].includes(String(error.code)));

/** By the client, which has waited for as long as it was told to. */
const isStalled = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
