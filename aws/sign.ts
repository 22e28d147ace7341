import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsConfig } from '../core/ports/config.ts';

/**
 * Signs requests with Signature Version 4.
 * @param service for example `execute-api`
 * @returns a function from a request, with the headers that are signed, to these and the signature's own
 */
export function requestSigner(
  service: string,
  region: string,
  credentials: NonNullable<AwsConfig['credentials']>,
): (
  method: string,
  url: URL,
  headers: Record<string, string>,
  body: Uint8Array,
) => Promise<Record<string, string>> {
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  return async (method, url, headers, body) => {
    const query: Record<string, string[]> = Object.create(null);
    for (const [name, value] of url.searchParams) query[name] = [...(query[name] ?? []), value];
    const request = new HttpRequest({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query,
      headers,
      body,
    });
    return (await signer.sign(request)).headers;
  };
}
