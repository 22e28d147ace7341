import type { Auth } from '../../../../core/catalog/contract.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Http, Model } from '../../declaration/model.ts';
import { CATALOG, routeLogicalId } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';

/** One route of the HTTP API. */
export type HttpRoute = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Key of the function that answers. */
  readonly function: string;
  readonly auth: Auth;
  readonly throttle: Http['throttle'];
};

/** Models with the same `http.path`. */
export type HttpGroup = { readonly path: string; readonly models: readonly HttpModel[] };

type HttpModel = Model & { readonly http: Http };

export function groupsOf(models: readonly Model[]): readonly HttpGroup[] {
  const open = models.filter((model): model is HttpModel => model.http !== undefined);
  return [...new Set(open.map(({ http }) => http.path))].map((path) => ({
    path,
    models: open.filter(({ http }) => http.path === path),
  }));
}

/** Who may call what belongs to no single model of the group. */
export function commonAuth({ models: [first, ...others] }: HttpGroup): Auth {
  const auth = first?.http.auth ?? 'iam';
  return others.every(({ http }) => JSON.stringify(http.auth) === JSON.stringify(auth)) ? auth : 'iam';
}

/** Every route of these models, the catalog's included: docs/endpoint.md. */
export function routesOf(models: readonly Model[]): readonly HttpRoute[] {
  return groupsOf(models).flatMap((group) => {
    const prefix = group.path === '/' ? '' : group.path;
    const [only, second] = group.models;
    const bare = second === undefined ? only : undefined;
    const route = (
      method: HttpRoute['method'],
      path: string,
      key: string,
      auth: Auth,
      throttle: Http['throttle'],
    ): HttpRoute => ({ method, path: `${prefix}${path}`, function: key, auth, throttle });
    const throttle = group.models
      .map(({ http }) => http.throttle)
      .reduce((a, b) => ({ rate: Math.max(a.rate, b.rate), burst: Math.max(a.burst, b.burst) }));
    const shared = (path: string): HttpRoute => route('GET', path, CATALOG, commonAuth(group), throttle);
    return [
      ...group.models.flatMap(({ name, http }) => {
        const own = (method: HttpRoute['method'], path: string, key: string): HttpRoute =>
          route(method, path, key, http.auth, http.throttle);
        return [
          own('POST', `/v2/models/${name}/infer`, name),
          own('POST', `/models/${name}/invocations`, name),
          ...(bare?.name === name ? [own('POST', '/invocations', name)] : []),
          own('GET', `/v2/models/${name}`, CATALOG),
          own('GET', `/v2/models/${name}/{proxy+}`, CATALOG),
          own('POST', `/v2/models/${name}/versions/{version}/infer`, CATALOG),
          own('GET', `/models/${name}/ping`, CATALOG),
          ...(bare?.name === name ? [own('GET', '/ping', CATALOG)] : []),
        ];
      }),
      ...['/v2', '/v2/health/live', '/v2/health/ready', '/openapi.json', '/docs'].map(shared),
    ];
  });
}

export const routeKey = ({ method, path }: HttpRoute): string => `${method} ${path}`;

/** The framework's event for a route. */
export function httpEvent({ method, path, auth }: HttpRoute): Json {
  const authorizer =
    auth === 'iam' ? { type: 'aws_iam' } : auth === 'none' ? undefined : { name: auth.authorizer };
  return { httpApi: { method, path, ...(authorizer && { authorizer }) } };
}

/**
 * Does the HTTP API belong to another stack? Then its stage is not ours to throttle. A variable may leave the
 * id empty, and then the framework makes one.
 */
export const isExternalApi = ({ provider }: Host): boolean => Boolean(provider.httpApi?.id);

/**
 * Is the API reached by a custom domain alone? Then its own address is a 404, and the framework knows no
 * other: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-disable-default-endpoint.html
 */
export const isDomainAlone = (host: Pick<Host, 'provider'>): boolean =>
  host.provider.httpApi?.disableDefaultEndpoint === true && !host.provider.httpApi.id;

/** As the framework names its own. */
export function apiName({ provider: { httpApi }, service, stage }: Host): string {
  if (httpApi?.name) return String(httpApi.name);
  return httpApi?.shouldStartNameWithService ? `${service}-${stage}` : `${stage}-${service}`;
}

/** Limits of each route, for the framework's stage: `RouteSettings`. */
export function routeSettings(routes: readonly HttpRoute[]): Json {
  return Object.fromEntries(
    routes.map((route) => [
      routeKey(route),
      { ThrottlingRateLimit: route.throttle.rate, ThrottlingBurstLimit: route.throttle.burst },
    ]),
  );
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const ROUTES = 300;

export function routeProblems(models: readonly Model[], host: Host): readonly Problem[] {
  const problems: Problem[] = [];
  const authorizers = Object.keys(host.provider.httpApi?.authorizers ?? {});
  for (const { name, http } of models) {
    if (typeof http?.auth !== 'object' || authorizers.includes(http.auth.authorizer)) continue;
    problems.push({
      code: 'MODELS_AUTHORIZER_UNKNOWN',
      key: `models.${name}.http.auth.authorizer`,
      value: http.auth.authorizer,
      ...unknownAuthorizer(http.auth.authorizer, authorizers, isExternalApi(host)),
    });
  }
  problems.push(...prefixProblems(models));
  const own = routesOf(models);
  problems.push(...idProblems(models));
  const taken = new Map<string, string>();
  // What is the service's own business is no concern of ours: only what models add is told.
  const routes = [
    ...Object.entries(host.functions).flatMap(([name, { events }]) =>
      routesIn(name, events).map((route) => ({ ...route, at: undefined })),
    ),
    ...models.flatMap(({ name, function: { events } }) =>
      routesIn(name, events).map((route) => ({ ...route, at: `models.${name}.function.events` })),
    ),
    ...own.map((route) => ({
      key: routeKey(route),
      name: route.function,
      at: route.function === CATALOG ? 'models' : `models.${route.function}.http.path`,
    })),
  ];
  for (const { key, name, at } of routes) {
    const id = routeLogicalId(key);
    const other = taken.get(id);
    taken.set(id, `${key} of ${name}`);
    if (other === undefined || at === undefined) continue;
    problems.push({
      code: 'MODELS_ROUTE_TAKEN',
      key: at,
      message: `The route ${key} of ${name} cannot be told from ${other}.`,
      fix: 'Give one of them another path.',
    });
  }
  if (taken.size > ROUTES) {
    problems.push({
      code: 'MODELS_LIMIT',
      key: 'models',
      message: `need ${taken.size} HTTP routes together with the service’s own; an API has ${ROUTES}.`,
      fix: 'Split the models over several services.',
    });
  }
  return problems;
}

function unknownAuthorizer(
  name: string,
  known: readonly string[],
  isExternal: boolean,
): Pick<Problem, 'message' | 'fix'> {
  // The framework lets nobody define one beside an `id`, and takes that of a route by its own id.
  if (isExternal)
    return {
      message: `\`${name}\` cannot be defined: the HTTP API belongs to another stack (provider.httpApi.id).`,
      fix: 'Write iam or none; or leave `http` out, and write the route as an `httpApi` event of `function`, whose `authorizer` takes the type and id of one of that API.',
    };
  const message = `\`${name}\` is not in provider.httpApi.authorizers.`;
  const [first] = known;
  const fix =
    first === undefined ? 'Define it there, or write iam or none.' : `Write one of ${known.join(', ')}.`;
  return { message, fix };
}

/** The catalog knows by the longest prefix who is asked: one that lies on others' routes would take them. */
function prefixProblems(models: readonly Model[]): readonly Problem[] {
  const groups = groupsOf(models);
  return groups.flatMap(({ path, models: [first] }) => {
    const above = groups.filter((other) => other.path !== path && `${path}/`.startsWith(slashed(other.path)));
    const hidden = above.flatMap((other) => routesOf(other.models)).find((route) => liesOn(path, route.path));
    if (first === undefined || hidden === undefined) return [];
    return {
      code: 'MODELS_ROUTE_TAKEN' as const,
      key: `models.${first.name}.http.path`,
      value: path,
      message: `The prefix ${path} takes the route ${routeKey(hidden)} away from other models.`,
      fix: `Use a prefix that no route of theirs begins with, for example /${first.name}.`,
    };
  });
}

const slashed = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

/** Is this a path of the route, or the beginning of one? */
function liesOn(prefix: string, route: string): boolean {
  const parts = route.split('/');
  return prefix.split('/').every((part, index) => {
    const own = parts[index] ?? (parts.at(-1) === '{proxy+}' ? part : undefined);
    return own === part || own?.startsWith('{');
  });
}

/** Characters: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const ID = 255;

function idProblems(models: readonly Model[]): readonly Problem[] {
  return models.flatMap((model): Problem[] => {
    const { name, http } = model;
    const longest = Math.max(...routesOf([model]).map((route) => routeLogicalId(routeKey(route)).length));
    if (http === undefined || longest <= ID) return [];
    return [
      {
        code: 'MODELS_LIMIT',
        key: `models.${name}.http.path`,
        value: http.path,
        message: `makes an id of ${longest} characters for a route; CloudFormation takes ${ID}, and a dash counts as four.`,
        fix: `Write a prefix that is shorter by ${longest - ID}.`,
      },
    ];
  });
}

/** Routes of an HTTP API among the events of a function, as the framework reads them. */
function routesIn(name: string, events: unknown): readonly { readonly key: string; readonly name: string }[] {
  if (!Array.isArray(events)) return [];
  return events.filter(isObject).flatMap(({ httpApi }) => {
    const [method, path] = isObject(httpApi)
      ? [httpApi.method, httpApi.path]
      : typeof httpApi === 'string'
        ? httpApi.split(/\s+/)
        : [];
    if (typeof method !== 'string') return [];
    // The route of all that no other one takes.
    if (typeof path !== 'string') return [{ key: method, name }];
    return [{ key: `${method === '*' ? 'ANY' : method.toUpperCase()} ${path}`, name }];
  });
}
