import type { Problem } from '../declaration/errors.ts';
import type { Model, ServiceOptions } from '../declaration/model.ts';
import {
  aliasLogicalId,
  batchKey,
  CATALOG,
  DASHBOARD,
  DRIFT,
  functionLogicalId,
  layerLogicalId,
  roleLogicalId,
} from '../declaration/naming.ts';
import {
  type Built,
  endpointFunction,
  endpointRole,
  endpointStatements,
  hasNamedRole,
  nameOf,
} from '../targets/lambda-zip/endpoint.ts';
import { layerOf } from '../targets/lambda-zip/layer.ts';
import { auditProblems } from './audit.ts';
import { batchFunctions, batching, batchRole, batchStatements } from './batch/functions.ts';
import { machineStatements } from './batch/machine.ts';
import { batchResources } from './batch/resources.ts';
import { catalogFunction, catalogRole, catalogStatements } from './catalog.ts';
import { isObject, type Json, type Output, type Resource } from './cloudformation.ts';
import {
  drifting,
  monitorFunction,
  monitorProblems,
  monitorRole,
  monitorStatements,
} from './drift/monitor.ts';
import { type FunctionDefinition, type Host, providerRole } from './host.ts';
import type { Endpoint, PlanInput } from './input.ts';
import { nameProblems } from './names.ts';
import { releaseFunctions, releaseResources, releaseStatements, tickStatement } from './release/functions.ts';
import { routeProblems } from './routes.ts';
import { alertProblems } from './watch/alerts.ts';
import { dashboardOf } from './watch/dashboard.ts';

/** Functions to add to the service, by key: seen by `sls info`, `print`, `invoke`, `package`, `deploy`, `remove`. */
export function planFunctions(input: PlanInput): Readonly<Record<string, FunctionDefinition>> {
  const { models, host, options, built, zips } = input;
  if (models.length === 0) return {};
  const catalog = catalogFunction(models, host, zips.get(CATALOG));
  const monitor = monitorFunction(models, host, options, zips.get(DRIFT));
  return {
    ...Object.fromEntries(
      models.map((model) => [
        model.name,
        endpointFunction(model, models, host, options, built.get(model.name)),
      ]),
    ),
    ...batchFunctions(models, host, options, built),
    ...(catalog && { [CATALOG]: catalog }),
    ...releaseFunctions(input),
    ...(monitor && { [DRIFT]: monitor }),
  };
}

/** Resources and outputs to add to the stack, beside what the framework makes of the functions. */
export function planResources(
  input: PlanInput,
  endpoints: readonly Endpoint[],
): {
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, Output>>;
} {
  const { models, host, options } = input;
  if (models.length === 0) return { resources: {}, outputs: {} };
  const layers = new Map(endpoints.map(({ layer }) => [layer.architecture, layer]));
  const hasCatalog = catalogFunction(models, host) !== undefined;
  const release = releaseResources(input, endpoints);
  return {
    resources: {
      ...Object.fromEntries(
        [...layers].map(([architecture, layer]) => [layerLogicalId(architecture), layerOf(host, layer)]),
      ),
      ...Object.fromEntries(
        endpoints
          .filter(({ model }) => !hasNamedRole(model, host))
          .map(({ model, facts }) => [roleLogicalId(model.name), endpointRole(model, host, options, facts)]),
      ),
      ...Object.fromEntries(
        endpoints.flatMap(({ model, facts }) =>
          batching([model])
            .filter(() => !hasNamedRole(model, host))
            .map((one) => [roleLogicalId(batchKey(one.name)), batchRole(one, host, options, facts)]),
        ),
      ),
      ...batchResources(models, host),
      ...(hasCatalog &&
        providerRole(host.provider) === undefined && { [roleLogicalId(CATALOG)]: catalogRole(models, host) }),
      ...(drifting(models).length > 0 &&
        providerRole(host.provider) === undefined && {
          [roleLogicalId(DRIFT)]: monitorRole(models, host, options),
        }),
      ...release.resources,
      ...(options.dashboard && {
        [DASHBOARD]: dashboardOf(
          models,
          host,
          new Map(endpoints.map(({ model, facts }) => [model.name, facts])),
        ),
      }),
    },
    outputs: release.outputs,
  };
}

/** The model's endpoint, from what the framework compiled. */
export function endpointOf(
  model: Model,
  host: Host,
  built: Built,
  versions: { readonly endpoint: string; readonly batch: string | undefined },
  fingerprint: string,
): Endpoint {
  return {
    model,
    facts: built.facts,
    layer: built.layer,
    functionName: nameOf(model, host),
    functionLogicalId: functionLogicalId(model.name),
    versionLogicalId: versions.endpoint,
    aliasLogicalId: aliasLogicalId(model.name),
    fingerprint,
    ...(versions.batch !== undefined && {
      batch: {
        functionLogicalId: functionLogicalId(batchKey(model.name)),
        versionLogicalId: versions.batch,
      },
    }),
  };
}

/** What makes a version behave as it does, of a compiled `AWS::Lambda::Function`: all but code (its identity stands for it), tags and reserved concurrency. */
export function versionedProperties({ Properties }: Json): Json {
  const {
    Code: _code,
    Tags: _tags,
    ReservedConcurrentExecutions: _reserved,
    ...versioned
  } = isObject(Properties) ? Properties : {};
  return versioned;
}

/** The policy that a role named by the service needs for models; undefined where every function has its own role. */
export function neededPolicy(input: PlanInput): Json | undefined {
  const { models, host, options, built } = input;
  const statements: Json[] = models
    .filter((model) => hasNamedRole(model, host))
    .flatMap((model) => [
      ...endpointStatements(model, host, options, built.get(model.name)?.facts),
      ...batching([model]).flatMap((one) =>
        batchStatements(one, host, options, built.get(model.name)?.facts),
      ),
      ...(model.iam.statements as readonly Json[]),
    ]);
  if (models.length > 0 && providerRole(host.provider) !== undefined) {
    if (catalogFunction(models, host) !== undefined) statements.push(...catalogStatements(models, host));
    statements.push(...releaseStatements(input), tickStatement(host));
    statements.push(...batching(models).flatMap((model) => machineStatements(model, host)));
    if (drifting(models).length > 0)
      statements.push(...(monitorStatements(models, host, options) as readonly Json[]));
  }
  return statements.length === 0 ? undefined : { Version: '2012-10-17', Statement: statements };
}

/** What can be told from the declarations and the service alone. */
export function planProblems(
  models: readonly Model[],
  host: Host,
  options: ServiceOptions = {},
): readonly Problem[] {
  return [
    ...nameProblems(models, host),
    ...routeProblems(models, host),
    ...alertProblems(options, host),
    ...auditProblems(models, host),
    ...monitorProblems(models, host),
  ];
}
