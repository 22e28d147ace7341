import { textIn } from '../../../../core/json/fields.ts';
import { registryFaultOf } from './answered-fault.ts';
import type { Challenge } from './challenges.ts';
import type { RegistryLogin } from './docker-login.ts';
import { exchange, type RegistryLimits, registryFault, wholeBody } from './exchange.ts';

/** As large as a token's answer may be. */
const TOKEN_BYTES = 1024 * 1024;

/** Names and passwords: for a registry, and for a server of tokens elsewhere, by its host. */
export type Logins = {
  readonly login: () => Promise<RegistryLogin | undefined>;
  readonly tokenLogin: (host: string) => Promise<RegistryLogin | undefined>;
};

/**
 * What to send in `Authorization` to who asks so: the token that another server gives for a name and
 * password, or for nobody; else these themselves (Basic).
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md and oauth.md
 *
 * @param registry its address: who asks is told to nobody but its own site
 * @param scopes `repository:models:pull,push` each
 * @returns undefined where nothing that we have would help
 * @throws RegistryFault
 */
export async function authorizationFor(
  challenges: readonly Challenge[],
  registry: URL,
  scopes: readonly string[],
  { login, tokenLogin }: Logins,
  limits: RegistryLimits,
): Promise<string | undefined> {
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer === undefined) {
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw unspoken(challenges);
    const own = await login();
    return own !== undefined && 'password' in own ? basicOf(own) : undefined;
  }
  const { realm, service, scope } = bearer.parameters;
  const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw registryFault('wrong', 'asks for a token of a server that it does not name');
  const own = await login();
  const who =
    own === undefined || isSameSite(registry, url)
      ? own
      : await ofAnotherSite(url, isDowngrade(registry, url) ? undefined : tokenLogin);
  // A token of another site is for the registry to use: for our own scopes alone, not for what it would like.
  const wanted = who === own ? withNamed(scopes, scope) : scopes;
  const reply = await exchange(tokenQuestion(url, service, wanted, who), limits);
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
}

const unspoken = (challenges: readonly Challenge[]): Error =>
  registryFault(
    'refused',
    `asks for ${challenges.map(({ scheme }) => scheme).join(', ')}, which nobody here speaks`,
  );

/** @throws RegistryFault for a server that no name and password are kept for */
async function ofAnotherSite({ host }: URL, tokenLogin: Logins['tokenLogin'] | undefined) {
  const found = await tokenLogin?.(host);
  if (found !== undefined) return found;
  throw registryFault(
    'refused',
    `asks for a token of ${host}, which is not of its own site and is not told who asks`,
    tokenLogin && {
      fix: `Where it may be told, name that server under \`auths\` of Docker’s config.json, too: \`crane auth login ${host}\` writes it there.`,
    },
  );
}

/**
 * Our own scopes, and those that the registry names: behind a proxy or a mirror a repository may have another
 * name than it is asked by. https://distribution.github.io/distribution/spec/auth/token/
 */
function withNamed(scopes: readonly string[], named = ''): readonly string[] {
  const resources = scopes.map(resourceOf);
  return [...scopes, ...named.split(' ').filter((one) => one !== '' && !resources.includes(resourceOf(one)))];
}

/** Without what is done to it. */
const resourceOf = (scope: string): string => scope.replace(/:[^:]*$/, '');

/** Scopes stand beside each other in a form, and have a parameter each in an address. */
function tokenQuestion(
  url: URL,
  service: string | undefined,
  scopes: readonly string[],
  login: RegistryLogin | undefined,
) {
  if (login !== undefined && 'identityToken' in login) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'serverless-models',
      refresh_token: login.identityToken,
      scope: scopes.join(' '),
      ...(service !== undefined && { service }),
    });
    const payload = { bytes: Buffer.from(form.toString()), type: 'application/x-www-form-urlencoded' };
    const secrets = [login.identityToken, encodeURIComponent(login.identityToken)];
    return { method: 'POST', url, payload, secrets } as const;
  }
  const asked = new URL(url);
  if (service !== undefined) asked.searchParams.set('service', service);
  asked.searchParams.delete('scope');
  for (const scope of scopes) asked.searchParams.append('scope', scope);
  const headers = login === undefined ? {} : { authorization: basicOf(login) };
  return { method: 'GET', url: asked, headers } as const;
}

const basicOf = ({ username, password }: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

/**
 * The same host, or one that is a part of the other, as `registry.gitlab.com` is of `gitlab.com`. Hosts
 * beside each other may have two owners, as in `co.uk` and `azurecr.io`; those of Docker Hub have one. Never
 * from HTTPS to HTTP.
 */
export function isSameSite(one: URL, other: URL): boolean {
  if (isDowngrade(one, other)) return false;
  if (one.host === other.host) return true;
  const [a, b] = [one.hostname, other.hostname];
  if (isAddress(a) || isAddress(b)) return false;
  // `com` and `localhost` are of nobody.
  if (!a.includes('.') || !b.includes('.')) return false;
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`) || (isOfDockerHub(a) && isOfDockerHub(b));
}

const isDowngrade = (one: URL, other: URL): boolean =>
  one.protocol === 'https:' && other.protocol !== 'https:';

const isOfDockerHub = (host: string): boolean => host.endsWith('.docker.io');

const isAddress = (host: string): boolean => host.startsWith('[') || /^[\d.]+$/.test(host);
