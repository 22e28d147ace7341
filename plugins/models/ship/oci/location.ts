import { discard, type Reply, registryFault } from './exchange.ts';

/** Where a registry sends on to. @throws RegistryFault for no address of HTTP, or from HTTPS to it */
export function nextOf(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw registryFault('wrong', 'sends on to what is no address');
  const to = new URL(location, from);
  if (!/^https?:$/.test(to.protocol)) throw registryFault('wrong', `sends on to ${to.protocol.slice(0, -1)}`);
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    throw registryFault('wrong', 'sends on from HTTPS to HTTP');
  return to;
}

/** Where an answer, which is not read, says to go on. @throws RegistryFault */
export async function toldLocation(reply: Reply): Promise<URL> {
  await discard(reply);
  const { location } = reply.headers;
  if (location === undefined)
    throw registryFault('wrong', `answers ${reply.status} without saying where to go on`);
  return nextOf(reply.url, location);
}
