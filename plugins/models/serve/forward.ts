import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { requestSigner } from '../../../aws/sign.ts';
import { gatewayAnswer, type HttpAnswer, type HttpRequest } from '../../../core/host/gateway.ts';
import type { AwsConfig, Credentials } from '../../../core/ports/config.ts';
import { proxied } from '../network/proxied.ts';

export type Upstream = {
  /** Scheme, host and perhaps a path, without a slash at its end: the HTTP API's root. */
  readonly base: string;
  readonly region: string;
  readonly credentials: NonNullable<AwsConfig['credentials']>;
};

/**
 * Headers of the connection, or of this machine: cookies of other servers on localhost are nobody else's
 * business, and the page's origin is this server.
 * https://www.rfc-editor.org/rfc/rfc9110#name-connection
 */
const KEPT_HERE = new Set([
  'connection',
  'content-length',
  'cookie',
  'host',
  'keep-alive',
  'origin',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The gateway gives up after 30 s; this is for a network that lost the answer. */
const ANSWER_MS = 60_000;

/** Credentials are renewed so long before they end. */
const RENEW_MS = 5 * 60_000;

/**
 * @returns a function that passes a request on to the HTTP API, signed with Signature Version 4 (service
 * `execute-api`) unless it brings an `Authorization` of its own, and gives the answer back as it came
 */
export function forwarder({
  base,
  region,
  credentials,
}: Upstream): (request: HttpRequest) => Promise<HttpAnswer> {
  const sign = requestSigner('execute-api', region, renewed(credentials));
  return async ({ method, target, headers, body }) => {
    const url = new URL(`${base}${target.startsWith('/') ? target : '/'}`);
    const passed: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined || KEPT_HERE.has(name) || name.startsWith('sec-')) continue;
      passed[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    try {
      const signed =
        headers.authorization === undefined ? await sign(method, url, signedOf(url, passed), body) : {};
      return await send(url, method, { ...passed, ...signed, host: url.host }, body);
    } catch (error) {
      return gatewayAnswer(502, error instanceof Error ? error.message : String(error));
    }
  };
}

/** Only what no hop changes is signed. */
function signedOf(url: URL, headers: Readonly<Record<string, string>>): Record<string, string> {
  const type = headers['content-type'];
  return { host: url.host, ...(type !== undefined && { 'content-type': type }) };
}

function send(
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<HttpAnswer> {
  const open = url.protocol === 'http:' ? httpRequest : httpsRequest;
  const agent = proxied();
  return new Promise((resolve, reject) => {
    const request = open(
      url,
      { method, headers: { ...headers, 'content-length': body.length }, ...(agent && { agent }) },
      (response) => {
        collect(response).then(resolve, reject);
      },
    );
    request.setTimeout(ANSWER_MS, () => request.destroy(new Error('The service did not answer in time.')));
    request.once('error', reject);
    request.end(body);
  });
}

async function collect(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined || KEPT_HERE.has(name)) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status: response.statusCode ?? 502, headers, body: Buffer.concat(chunks) };
}

/** Looking for credentials can start a process or ask a server: not once a request. */
function renewed(find: () => Promise<Credentials>): () => Promise<Credentials> {
  let held: Credentials | undefined;
  return async () => {
    const { expiration } = held ?? {};
    const fresh = expiration === undefined || expiration.getTime() - Date.now() > RENEW_MS;
    if (held === undefined || !fresh) held = await find();
    return held;
  };
}
