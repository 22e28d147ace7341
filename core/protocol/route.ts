/** What a request wants of the endpoint, told by method and path. */
export type EndpointRoute =
  | { readonly kind: 'infer' | 'invocations' | 'metadata' | 'ready'; readonly allow: 'GET' | 'POST' }
  | { readonly kind: 'unknown' };

const UNKNOWN: EndpointRoute = { kind: 'unknown' };
const INFER: EndpointRoute = { kind: 'infer', allow: 'POST' };
const INVOCATIONS: EndpointRoute = { kind: 'invocations', allow: 'POST' };
const METADATA: EndpointRoute = { kind: 'metadata', allow: 'GET' };
const READY: EndpointRoute = { kind: 'ready', allow: 'GET' };

/** Paths by their end, as a stage and `http.path` may stand before it. */
const PROTOCOL = /(?:^|\/)v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/infer|\/ready)?\/?$/;
const SAGEMAKER = /(?:^|\/)models\/([^/]+)\/invocations\/?$/;
const BARE = /(?:^|\/)invocations\/?$/;
const RESERVED = /(?:^|\/)v2(?:\/|$)/;

/**
 * Routes of one model's function. A path that no protocol knows takes an infer request, too: it is one that
 * the user led here by an event of their own, or a function URL's root.
 *
 * @param path decoded, without query
 * @param version the function's own; a path that names another is not ours to answer
 * @param bare the model's bare path, where that looks like another model's
 */
export function routeOf(path: string, model: string, version: string, bare?: string): EndpointRoute {
  if (path.endsWith(`/v2/models/${model}/infer`)) return INFER;
  const protocol = PROTOCOL.exec(path);
  if (protocol !== null) {
    const [, name, asked, action] = protocol;
    if (name !== model || !isOwn(asked, version)) return UNKNOWN;
    return action === '/infer' ? INFER : action === '/ready' ? READY : METADATA;
  }
  if (bare !== undefined && (path === bare || path === `${bare}/`)) return INVOCATIONS;
  const sagemaker = SAGEMAKER.exec(path);
  if (sagemaker !== null) return sagemaker[1] === model ? INVOCATIONS : UNKNOWN;
  if (BARE.test(path)) return INVOCATIONS;
  return RESERVED.test(path) ? UNKNOWN : INFER;
}

/**
 * The bare path of a model whose prefix ends as another model's path begins, `/models/v1` for example.
 *
 * @returns undefined where the path cannot be taken for another's
 */
export function bareBelow(prefix: string, model: string): string | undefined {
  const [, name] = /(?:^|\/)models\/([^/]+)$/.exec(prefix) ?? [];
  return name === undefined || name === model ? undefined : `${prefix}/invocations`;
}

/** `$LATEST` is whatever is there: on a developer's machine it answers for any version. */
function isOwn(asked: string | undefined, version: string): boolean {
  return asked === undefined || asked === 'live' || asked === version || version === '$LATEST';
}
