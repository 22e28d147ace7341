import type { EndpointRequest } from './event.ts';

/**
 * What the client's address has before the path that the routes know: the name of a stage, or what a domain
 * maps to the API. Both formats of an HTTP API, and a REST API, have the address whole:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 *
 * @returns for example `/prod`; empty where there is nothing, or where the event does not tell
 */
export function mountOf({ event, path }: Pick<EndpointRequest, 'event' | 'path'>): string {
  const { rawPath, requestContext } = event as Address;
  const whole = rawPath ?? requestContext?.path;
  if (typeof whole !== 'string' || !whole.endsWith(path)) return '';
  const before = whole.slice(0, whole.length - path.length);
  // Two slashes at the beginning would be another host.
  return /^(\/[\w.~$!&'()*+,;=:@-]+)+$/.test(before) ? before : '';
}

/** An event that has a path is an object. */
type Address = { readonly rawPath?: unknown; readonly requestContext?: { readonly path?: unknown } };
