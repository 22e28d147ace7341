/** The name of an AWS error, for example `ResourceNotFoundException`; undefined for anything else. */
export const errorName = (error: unknown): string | undefined =>
  error instanceof Error ? error.name : undefined;

/** The HTTP status of an AWS error. */
export function errorStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode;
}

/** What an error says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Names of errors by which AWS tells that others, who ask in the account and region, have used up what it
 * answers. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
 */
export const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown)/;

export const isThrottled = (error: unknown): boolean =>
  errorStatus(error) === 429 || THROTTLED.test(errorName(error) ?? '');

/**
 * Milliseconds after which what was denied is asked for again. The deploy that asks may have allowed it a
 * second ago, and IAM takes some until that holds everywhere:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
 */
export const RIGHT_SPREADS: readonly number[] = [2_000, 4_000, 8_000, 8_000];

/**
 * A right that is missing, or a role that the scheduler may not take on yet, for which it has no word of its
 * own: https://github.com/aws/aws-sdk-js-v3/issues/6494
 */
export const isDenied = (error: unknown): boolean =>
  errorStatus(error) === 403 || /to assume the role/.test(messageOf(error));

/**
 * S3's word that a bucket is in another region than the one that it was asked in.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const isElsewhere = (error: unknown): boolean =>
  errorStatus(error) === 301 ||
  errorName(error) === 'PermanentRedirect' ||
  errorName(error) === 'AuthorizationHeaderMalformed';

/** Codes of Node's network where nothing was sent: nobody was found, or lets in. */
export const UNREACHED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
