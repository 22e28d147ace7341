import { textIn } from '../../../../core/json/fields.ts';
import type { RegistryLogin } from './docker-login.ts';
import {
  exchange,
  type RegistryLimits,
  registryFault,
  registryFaultOf,
  repeatedly,
  wholeBody,
} from './exchange.ts';

/** What a registry asks for in `WWW-Authenticate`. */
export type Challenge = { readonly scheme: string; readonly parameters: Readonly<Record<string, string>> };

/**
 * https://www.rfc-editor.org/rfc/rfc9110#name-authentication-parameters, the first challenge of the header
 */
export function challengeOf(header: string | undefined): Challenge | undefined {
  const [, scheme, rest = ''] = /^\s*([\w-]+)(?:\s+(.*))?$/s.exec(header ?? '') ?? [];
  if (scheme === undefined) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, name = '', quoted, plain = ''] of rest.matchAll(
    /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g,
  ))
    parameters[name.toLowerCase()] = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
  return { scheme: scheme.toLowerCase(), parameters };
}

/** As large as a token's answer may be. */
const TOKEN_BYTES = 1024 * 1024;

/**
 * What to send in `Authorization` to who asks so: a name and password themselves (Basic), or the token that
 * another server gives for them, or for nobody.
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md and oauth.md
 *
 * @param registry its address: who asks is told to nobody but its own site
 * @param scope `repository:models:pull,push`
 * @returns undefined where nothing that we have would help
 * @throws RegistryFault
 */
export async function authorizationFor(
  challenge: Challenge,
  registry: URL,
  scope: string,
  login: RegistryLogin | undefined,
  limits: RegistryLimits,
): Promise<string | undefined> {
  const { scheme, parameters } = challenge;
  if (scheme === 'basic') return login !== undefined && 'password' in login ? basicOf(login) : undefined;
  if (scheme !== 'bearer') throw registryFault('refused', `asks for ${scheme}, which nobody here speaks`);
  const { realm, service } = parameters;
  const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw registryFault('wrong', 'asks for a token of a server that it does not name');
  if (login !== undefined && !isSameSite(registry, url))
    throw registryFault(
      'refused',
      `asks for a token of ${url.host}, which is not of its own site and is not told who asks`,
    );
  return repeatedly(limits, async () => {
    const reply = await exchange(tokenQuestion(url, service, scope, login), limits);
    if (reply.status !== 200) {
      const fault = await registryFaultOf(reply);
      throw registryFault(fault.kind, `gives no token: ${url.host} ${fault.message}`, fault);
    }
    const bytes = await wholeBody(reply, TOKEN_BYTES);
    let answer: unknown;
    try {
      answer = JSON.parse(bytes.toString());
    } catch {
      throw registryFault('wrong', `gives no token: ${url.host} answers what is no JSON`);
    }
    const token = textIn(answer, 'token') ?? textIn(answer, 'access_token');
    if (token === undefined) throw registryFault('wrong', `gives no token: ${url.host} answers without one`);
    return `Bearer ${token}`;
  });
}

function tokenQuestion(
  url: URL,
  service: string | undefined,
  scope: string,
  login: RegistryLogin | undefined,
) {
  if (login !== undefined && 'identityToken' in login) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'serverless-models',
      refresh_token: login.identityToken,
      scope,
      ...(service !== undefined && { service }),
    });
    const payload = { bytes: Buffer.from(form.toString()), type: 'application/x-www-form-urlencoded' };
    return { method: 'POST', url, payload } as const;
  }
  const asked = new URL(url);
  if (service !== undefined) asked.searchParams.set('service', service);
  asked.searchParams.set('scope', scope);
  const headers = login === undefined ? {} : { authorization: basicOf(login) };
  return { method: 'GET', url: asked, headers } as const;
}

const basicOf = ({ username, password }: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * `registry-1.docker.io` and `auth.docker.io` are of one site, as are a host and a part of it. Never from
 * HTTPS to HTTP.
 */
export function isSameSite(one: URL, other: URL): boolean {
  if (one.protocol === 'https:' && other.protocol !== 'https:') return false;
  if (one.host === other.host) return true;
  const [a, b] = [one.hostname, other.hostname];
  if (isAddress(a) || isAddress(b)) return false;
  if (a.endsWith(`.${b}`) || b.endsWith(`.${a}`))
    return Math.min(a.split('.').length, b.split('.').length) > 1;
  const parent = a.slice(a.indexOf('.') + 1);
  return parent.includes('.') && parent === b.slice(b.indexOf('.') + 1);
}

const isAddress = (host: string): boolean => host.startsWith('[') || /^[\d.]+$/.test(host);
