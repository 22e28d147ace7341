import { isObject } from '../../../core/json/is-object.ts';
import type { Host } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';

/**
 * What a model's `function` opens to everybody: the framework's defaults, not ours, so that it is told. A
 * load balancer asks people by itself, and may be within a network.
 */
export const openedLines = (models: readonly Model[], host: Host): readonly string[] =>
  models.flatMap(({ name, function: { url, events } }) => [
    ...(opensUrl(url)
      ? [
          `models.${name}.function.url: opens a public URL without authentication; write {authorizer: aws_iam} to guard it.`,
        ]
      : []),
    ...(Array.isArray(events) ? events : [])
      .filter(isObject)
      .flatMap(({ httpApi, http }) =>
        [...open('httpApi', httpApi), ...(isWithin(host) ? [] : open('http', http))].map(
          ({ kind, route }) =>
            `models.${name}.function.events: the ${kind} event opens ${route} without authentication; give it an \`authorizer\`, aws_iam for example, to guard it.`,
        ),
      ),
  ]);

/** A function URL of the framework asks nobody who they are unless it is told to. */
const opensUrl = (url: unknown): boolean => url === true || (isObject(url) && url.authorizer !== 'aws_iam');

/** An event by which everybody may ask: a text names method and path alone, or each. */
function open(kind: 'httpApi' | 'http', event: unknown) {
  if (typeof event === 'string') return [{ kind, route: event === '*' ? 'every route' : event }];
  // `private`: of a REST API, whose callers have a key.
  if (!isObject(event) || event.authorizer || event.private === true) return [];
  const { method = '*', path = '*' } = event;
  return [{ kind, route: `${String(method).toUpperCase()} ${String(path)}` }];
}

/** Is the service's REST API private, or does a policy of its own say who may call? */
const isWithin = ({ provider: { endpointType, apiGateway } }: Host): boolean =>
  String(endpointType).toUpperCase() === 'PRIVATE' ||
  (isObject(apiGateway) && Boolean(apiGateway.resourcePolicy));
