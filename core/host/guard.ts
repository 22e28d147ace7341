/**
 * A server on this machine can be reached by every web page that its browser opens. What may call is decided
 * here.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
export type CallerHeaders = {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | string[] | undefined;
};

/**
 * Pure.
 * @returns why a caller is refused, or undefined when it may go on: a program, or a page from this very
 * server. A foreign name in `Host` is DNS rebinding; a foreign `Origin` or `Sec-Fetch-Site` is another page
 * using the browser's way to this machine.
 */
export function guardRefusal(headers: CallerHeaders, port: number): string | undefined {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  // Clients leave out the port where it is HTTP's own.
  if (port === 80) hosts.push('127.0.0.1', 'localhost');
  const { host, origin } = headers;
  if (host === undefined || !hosts.includes(host.toLowerCase())) {
    return `Host must be ${hosts.join(' or ')}.`;
  }
  if (origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
    return 'Pages of other origins may not call this server.';
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'Pages of other origins may not call this server.';
  }
  return undefined;
}
