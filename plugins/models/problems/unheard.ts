/** What a person can do where AWS did not refuse who asks: other credentials are no help then. */

/** What has to be put right at the proxy or in the variables: the same in a moment. */
export const PROXY_FAULT = 'ProxyFault';
/** A proxy that may lead there in a moment. */
export const PROXY_AWAY = 'ProxyAway';

export const PROXY_FIX = 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and what the proxy lets through.';
const AGAIN = 'Try again in a moment: others call AWS in this account and region, too.';
const NETWORK =
  'Check the network and --region; where a proxy leads to AWS, name it in HTTPS_PROXY, and where another address is AWS, it is that of AWS_ENDPOINT_URL.';

/** Node's codes where nobody was found, or nobody lets in. */
const UNREACHED: readonly unknown[] = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ETIMEDOUT'],
];

type Told = {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
};

/**
 * @param error of a call of AWS; the SDK has tried again by then
 * @returns undefined where it may be the credentials
 */
export function unheardFix(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name } = error;
  const { code, $metadata } = error as Told;
  if (
    $metadata?.httpStatusCode === 429 ||
    /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown)/.test(name)
  )
    return AGAIN;
  if (name === PROXY_FAULT || name === PROXY_AWAY) return PROXY_FIX;
  return UNREACHED.includes(code) ? NETWORK : undefined;
}
