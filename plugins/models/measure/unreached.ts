import { tlsFault } from '../../../core/errors/tls-errors.ts';
import { isProxyFault, PROXY_FIX } from '../network/proxied.ts';

/**
 * @returns what to do where an address gave no answer, if that is known: to start a server is no help then
 */
export function unreachedFix(error: unknown): string | undefined {
  if (isProxyFault(error)) return PROXY_FIX;
  const { code = '' } = error as { readonly code?: string };
  return tlsFault(String(code))?.fix;
}
