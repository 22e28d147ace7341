import { errorName, errorStatus, isThrottled, UNREACHED } from '../../../core/errors/aws-errors.ts';
import { isProxyRefusal, PROXY_FIX } from '../network/proxied.ts';

/**
 * What a person can do about a call of AWS: where AWS did not hear it, is throttled, or fails by itself,
 * other credentials are no help.
 *
 * @param error of the call; the SDK has tried again by then
 * @param otherwise where AWS refuses
 */
export function awsFix(error: unknown, otherwise: string): string {
  if (isThrottled(error)) return 'Try again in a moment: others call AWS in this account and region, too.';
  if (isProxyRefusal(error)) return PROXY_FIX;
  const status = errorStatus(error) ?? 0;
  if (status >= 500) return `Try again in a moment: AWS failed by itself (HTTP ${status}).`;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  // By the client, without a code: nobody lets it in, or it has waited for as long as it was told to.
  const isLate = errorName(error) === 'TimeoutError';
  return isLate || UNREACHED.has(code) || code === 'ETIMEDOUT' || code === 'ENETDOWN'
    ? 'Check the network, --region and AWS_ENDPOINT_URL; where a proxy leads to AWS, name it in HTTPS_PROXY.'
    : otherwise;
}

const RATE = 'Try again more slowly: Lambda takes ten requests a second for each unit of its concurrency.';

/** By Lambda's reason: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
const THROTTLED: Readonly<Record<string, string>> = {
  ReservedFunctionConcurrentInvocationLimitExceeded:
    'Try again, or raise `concurrency.reserved`: all that is reserved for it is in use.',
  ConcurrentInvocationLimitExceeded:
    'Try again, or have the account’s limit raised: the concurrency of the account is used up; `concurrency.reserved` keeps some for it.',
  ReservedFunctionInvocationRateLimitExceeded: RATE,
  FunctionInvocationRateLimitExceeded: RATE,
  CallerRateLimitExceeded: 'Try again in a moment: others call Lambda in this account and region, too.',
};

/** What a person can do about an invocation that Lambda has turned away with 429. */
export function throttleFix(error: Error): string {
  const reason = 'Reason' in error ? String(error.Reason) : '';
  return (
    (Object.hasOwn(THROTTLED, reason) ? THROTTLED[reason] : undefined) ??
    'Try again: the concurrency of the function or of the account is used up; `concurrency.reserved` keeps some for it.'
  );
}
