import type { AgentOptions, ClientRequest, Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { createRequire } from 'node:module';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Agent, AgentConnectOpts } from 'agent-base';

/**
 * Out of a network that lets nobody ask others but by a proxy: that of `HTTPS_PROXY`, else of `HTTP_PROXY`,
 * which the framework takes for both; hosts of `NO_PROXY` are asked directly, and so is this machine, which
 * no proxy can reach.
 */

/** Loaded where a proxy is named: each command of the framework loads this file. */
const load = createRequire(import.meta.url);

const NAMES = ['https_proxy', 'http_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);

/** @returns the proxy by which this address is asked; undefined: none */
export function proxyFor({ protocol, host, hostname, port }: URL): string | undefined {
  if (!NAMES.some((name) => process.env[name])) return undefined;
  if (/^(.+\.)?localhost$|^127\.|^\[::1\]$/.test(hostname)) return undefined;
  const { getProxyForUrl }: { getProxyForUrl: (url: Partial<URL>) => string } = load('proxy-from-env');
  const at = { host, port: port || (protocol === 'https:' ? '443' : '80') };
  const by = [protocol, 'http:'].map((scheme) => getProxyForUrl({ ...at, protocol: scheme }));
  return by.find((proxy) => proxy !== '' && !isOfOthers(proxy));
}

/**
 * ALL_PROXY is SOCKS where other programs are to go by it; the framework does not read it, and goes directly.
 */
const isOfOthers = (proxy: string): boolean =>
  !IS_HTTP.test(proxy) && [process.env.all_proxy, process.env.ALL_PROXY].includes(proxy);

const IS_HTTP = /^https?:\/\//;

/** A host that nothing excepts by its name. */
const ANYBODY = new URL('https://a-host.invalid');

type Scheme = 'http' | 'https';

const shared = new Map<Scheme | undefined, Agent>();

/**
 * For requests of Node's own.
 * @param options of connections; absent: all such requests share them
 * @param scheme where requests do not name their protocol
 * @returns undefined where no proxy is named: Node's own agent, or what the client makes, is as good
 */
export function proxied(options?: AgentOptions, scheme?: Scheme): Agent | undefined {
  if (proxyFor(ANYBODY) === undefined) return undefined;
  if (options !== undefined) return byAddress(options, scheme);
  const agent = shared.get(scheme) ?? byAddress({ keepAlive: true }, scheme);
  shared.set(scheme, agent);
  return agent;
}

/** The same for clients of the SDK. */
export function clientAgents(options?: AgentOptions): {
  readonly httpAgent?: Agent;
  readonly httpsAgent?: Agent;
} {
  const [httpAgent, httpsAgent] = [proxied(options, 'http'), proxied(options, 'https')];
  return httpAgent === undefined || httpsAgent === undefined ? {} : { httpAgent, httpsAgent };
}

/** Milliseconds in which a proxy must have led to the host, and between two looks. */
const LEAD_MS = 30_000;
const LOOK_MS = 100;

function byAddress(options: AgentOptions, known?: Scheme): Agent {
  const { Agent: Base }: typeof import('agent-base') = load('agent-base');
  const directly = (scheme: Scheme): HttpAgent => {
    const { Agent }: { Agent: typeof HttpAgent | typeof HttpsAgent } = load(`node:${scheme}`);
    return new Agent(options);
  };
  const direct = new Map<string, HttpAgent>();
  const connect: Agent['connect'] = async (request, asked) => {
    const { host = 'localhost', port, secureEndpoint } = asked;
    const scheme = secureEndpoint ? 'https' : 'http';
    const proxy = proxyFor(new URL(`${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`));
    if (proxy !== undefined) return through(proxy, request, asked);
    const way = direct.get(scheme) ?? directly(scheme);
    direct.set(scheme, way);
    return way;
  };
  // Whoever waits for one of `maxSockets` here would wait for ever: where a connection is made by another
  // agent, or is not made, this one tells nobody that it is free.
  const unbounded = { ...options, maxSockets: Number.POSITIVE_INFINITY };
  return Object.assign(Reflect.construct(Base, [unbounded]) as Agent, {
    connect,
    // A client destroys the agent that it was given, which others use. Connections that nobody uses keep no
    // process, and are closed by whoever is asked.
    destroy: () => {},
    // The SDK's requests do not say it. `agent-base` then looks for Node's module in the stack, where it is
    // not when a connection is free again: it is put where nobody looks for it.
    ...(known !== undefined && { isSecureEndpoint: () => known === 'https' }),
  });
}

/** What has to be put right at the proxy or in the variables: the same in a moment. */
const PROXY_FAULT = 'ProxyFault';
/** A proxy that may lead there in a moment. */
const PROXY_AWAY = 'ProxyAway';

const isNamed = (error: unknown, ...names: readonly string[]): boolean =>
  error instanceof Error && names.includes(error.name);

export const isProxyFault = (error: unknown): boolean => isNamed(error, PROXY_FAULT);
/** Does the proxy lead nowhere, now or ever? */
export const isProxyRefusal = (error: unknown): boolean => isNamed(error, PROXY_FAULT, PROXY_AWAY);

export const PROXY_FIX = 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and what the proxy lets through.';

const proxyFault = (message: string): Error => Object.assign(new Error(message), { name: PROXY_FAULT });

/**
 * A request has no end of its own until it has a connection: a proxy that says nothing would keep it, and one
 * that was given up meanwhile tells nobody.
 */
async function through(proxy: string, request: ClientRequest, asked: AgentConnectOpts): Promise<Duplex> {
  // It may have a password, which is told nowhere.
  if (!IS_HTTP.test(proxy))
    throw proxyFault('The proxy of HTTPS_PROXY or HTTP_PROXY is none of http:// or https://.');
  if (!isAddress(proxy))
    throw proxyFault(
      'The proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is no address: in its user and password, characters as #, % and / are written as %23, %25 and %2F.',
    );
  const { HttpsProxyAgent }: typeof import('https-proxy-agent') = load('https-proxy-agent');
  const ending = new AbortController();
  let looks = LEAD_MS / LOOK_MS;
  const watch = setInterval(() => {
    looks -= 1;
    if (request.destroyed || looks === 0) ending.abort();
  }, LOOK_MS);
  try {
    const way = new HttpsProxyAgent(proxy, { signal: ending.signal });
    let status = 0;
    way.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
      status = statusCode;
    });
    const socket = await way.connect(request, asked);
    if (status === 200) return socket;
    socket.destroy();
    throw refusal(status, asked);
  } catch (error) {
    throw ending.signal.aborted
      ? new Error(`The proxy leads to no ${asked.host} within ${LEAD_MS / 1000} s.`)
      : error;
  } finally {
    clearInterval(watch);
  }
}

/**
 * What a proxy says in place of leading to a host comes without TLS, from anybody on the way: taken for the
 * host’s answer, as `https-proxy-agent` gives it, it could bring a file, or ask for a token elsewhere.
 * https://www.kb.cert.org/vuls/id/905344
 */
function refusal(status: number, { host, port }: AgentConnectOpts): Error {
  const error = proxyFault(`The proxy does not lead to ${host}:${port}: it answers ${status}.`);
  // The SDK asks again what says so.
  return status < 500 ? error : Object.assign(error, { name: PROXY_AWAY, $retryable: {} });
}

function isAddress(proxy: string): boolean {
  if (!URL.canParse(proxy)) return false;
  const { username, password } = new URL(proxy);
  try {
    decodeURIComponent(`${username}:${password}`);
    return true;
  } catch {
    return false;
  }
}
