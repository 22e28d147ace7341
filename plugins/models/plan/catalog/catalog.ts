import { CATALOG_ACTIONS, type CatalogManifest } from '../../../../core/catalog/contract.ts';
import { catalogModel } from '../../contracts/catalog-model.ts';
import { allow, arn, type Statement } from '../../contracts/cloudformation.ts';
import type { Feature } from '../../contracts/feature.ts';
import { type FunctionDefinition, type Host, nameOf, providerRole } from '../../contracts/host.ts';
import type { Facts, Model } from '../../declaration/model.ts';
import { CATALOG, HANDLER, lambdaName, RUNTIME, roleLogicalId } from '../../declaration/naming.ts';
import { commonAuth, groupsOf, httpEvent, routesOf } from '../endpoint/routes.ts';
import { roleOf, statementsOf } from '../iam/role.ts';

/**
 * It answers from its bundle in milliseconds; a request for a version waits for the model, at most as long as
 * the gateway.
 */
const SETTINGS = { memorySize: 512, timeout: 29 } as const;

/**
 * The function that answers everything about the models that needs no runtime. Undefined where nothing is
 * open.
 */
function catalogFunction(models: readonly Model[], host: Host, zip?: string): FunctionDefinition | undefined {
  const routes = routesOf(models).filter((route) => route.function === CATALOG);
  if (routes.length === 0) return undefined;
  return {
    name: lambdaName(host.service, host.stage, CATALOG),
    handler: HANDLER,
    runtime: RUNTIME,
    ...SETTINGS,
    versionFunction: false,
    events: routes.map(httpEvent),
    // It calls Lambda only; a VPC or other people's layers would get in its way.
    ...(host.provider.vpc !== undefined && { vpc: false }),
    ...(host.provider.layers !== undefined && { layers: [] }),
    ...(providerRole(host.provider) === undefined && { role: roleLogicalId(CATALOG) }),
    ...(zip !== undefined && { package: { individually: true, artifact: zip } }),
  };
}

/** What the catalog's role must allow: the versions of the models that it serves, and nothing else. */
export function catalogStatements(models: readonly Model[], host: Host): readonly Statement[] {
  const names = groupsOf(models).flatMap((group) => group.models.map((model) => nameOf(model, host)));
  const definition = catalogFunction(models, host) ?? {};
  return statementsOf(definition, lambdaName(host.service, host.stage, CATALOG), host, [
    allow(
      CATALOG_ACTIONS.versions,
      names.map((name) => arn('lambda', `function:${name}:*`)),
    ),
    allow(
      CATALOG_ACTIONS.functions,
      names.map((name) => arn('lambda', `function:${name}`)),
    ),
  ]);
}

/**
 * Undefined where nothing is open.
 * @param versions of this package and of ONNX Runtime in the layer
 */
export function catalogManifest(
  models: readonly Model[],
  host: Host,
  facts: ReadonlyMap<string, Facts>,
  versions: { readonly plugin: string; readonly runtime: string },
): CatalogManifest | undefined {
  const groups = groupsOf(models);
  if (groups.length === 0) return undefined;
  return {
    schema: 1,
    service: `${host.service}-${host.stage}`,
    version: versions.plugin,
    runtime: versions.runtime,
    groups: groups.map((group) => {
      const [only, second] = group.models;
      return {
        path: group.path,
        auth: commonAuth(group),
        models: group.models.flatMap((model) => {
          const found = facts.get(model.name);
          if (found === undefined) return [];
          const own = { name: model.name, function: nameOf(model, host), auth: model.http.auth };
          return [catalogModel(own, model, found)];
        }),
        ...(only !== undefined && second === undefined && { bare: only.name }),
      };
    }),
  };
}

const isOpen = (models: readonly Model[]): boolean => groupsOf(models).length > 0;

/** What answers about the models: protocol metadata, health, OpenAPI, a page. */
export const catalogFeature: Feature = {
  name: 'catalog',
  functions: ({ models, host, zips }) => {
    const definition = catalogFunction(models, host, zips.get(CATALOG));
    return definition === undefined ? {} : { [CATALOG]: definition };
  },
  resources: ({ models, host }) =>
    isOpen(models) && providerRole(host.provider) === undefined
      ? { [roleLogicalId(CATALOG)]: roleOf({}, host, catalogStatements(models, host)) }
      : {},
  statements: ({ models, host }) =>
    isOpen(models) && providerRole(host.provider) !== undefined ? catalogStatements(models, host) : [],
  claims: ({ host }) => [
    {
      what: 'function',
      name: lambdaName(host.service, host.stage, CATALOG),
      functions: [CATALOG],
      resources: [roleLogicalId(CATALOG)],
    },
  ],
};
