import { ENV } from '../../../../core/endpoint/contract.ts';
import { REGISTRY_PREFIX } from '../../../../core/release/document/worker-contract.ts';
import { allow, isObject, type Resource, type Statement } from '../../contracts/cloudformation.ts';
import { type FunctionDefinition, type Host, providerRole } from '../../contracts/host.ts';
import type { Built } from '../../contracts/input.ts';
import type { Facts, Model, ServiceOptions } from '../../declaration/model.ts';
import { HANDLER, lambdaName, RUNTIME, roleLogicalId } from '../../declaration/naming.ts';
import { httpEvent, routesOf } from '../../plan/endpoint/routes.ts';
import { roleOf, statementsOf } from '../../plan/iam/role.ts';
import { keyStatements } from '../../plan/iam/s3-arns.ts';
import { layerReference } from './layer.ts';

/** Where files beyond the zip limit are in the registry's bucket, named by content. */
export const FILES_PREFIX = `${REGISTRY_PREFIX}files/`;
/** Which of them are the optimised form of an artifact. */
export const OPTIMISED_PREFIX = `${REGISTRY_PREFIX}optimised/`;

export const nameOf = (model: Model, host: Host): string =>
  typeof model.function.name === 'string'
    ? model.function.name
    : lambdaName(host.service, host.stage, model.name);

/** Does the model bring or get a role of the user's, so that none is made? */
export const hasNamedRole = (model: Model, host: Host): boolean =>
  model.function.role !== undefined || providerRole(host.provider) !== undefined;

/** The model's function, as the framework reads functions. */
export function endpointFunction(
  model: Model,
  models: readonly Model[],
  host: Host,
  options: ServiceOptions,
  built?: Built,
): FunctionDefinition {
  const { environment, events, layers: _layers, ...given } = model.function;
  const routes = routesOf(models).filter((route) => route.function === model.name);
  return {
    ...given,
    name: nameOf(model, host),
    handler: HANDLER,
    runtime: RUNTIME,
    memorySize: model.memory,
    timeout: model.timeout,
    architecture: model.architecture,
    ...(model.concurrency?.reserved !== undefined && { reservedConcurrency: model.concurrency.reserved }),
    versionFunction: true,
    events: [...(Array.isArray(events) ? events : []), ...routes.map(httpEvent)],
    ...(!hasNamedRole(model, host) && { role: roleLogicalId(model.name) }),
    ...(built !== undefined && builtProperties(model, host, options, built)),
    ...(built === undefined && environment !== undefined && { environment }),
  };
}

/** Of every function that runs the model: its zip, layers, environment and /tmp. */
export function builtProperties(
  model: Model,
  host: Host,
  options: ServiceOptions,
  built: Built,
): Readonly<Record<string, unknown>> {
  const { environment, layers } = model.function;
  return {
    package: { individually: true, artifact: built.zip },
    layers: [layerReference(built.layer), ...listOf(layers ?? host.provider.layers)],
    environment: { ...(isObject(environment) && environment), ...environmentOf(built, host, options) },
    ...storageOf(model, built),
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Literals, so that whatever changes the endpoint's behaviour makes a new version. */
function environmentOf(
  { facts, layer }: Built,
  host: Host,
  options: ServiceOptions,
): Readonly<Record<string, unknown>> {
  return {
    [ENV.layer]: layer.sha256,
    ...(facts.remote.length > 0 && {
      [ENV.filesBucket]: options.registry?.bucket ?? host.bucket,
      [ENV.filesPrefix]: FILES_PREFIX,
    }),
  };
}

/** MB of /tmp that every function has. */
const STORAGE = 512;

/** Room in /tmp for files that are fetched at init. */
function storageOf(model: Model, { facts }: Built): Readonly<Record<string, unknown>> {
  const bytes = facts.remote.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes === 0) return {};
  const asked = Number(model.function.ephemeralStorageSize ?? STORAGE);
  return { ephemeralStorageSize: Math.max(asked, STORAGE, Math.ceil(bytes / 1024 ** 2) + 64) };
}

/** What loading the model itself needs, beside what the function's settings do. */
export function ownStatements(
  facts: Facts | undefined,
  host: Host,
  options: ServiceOptions,
): readonly Statement[] {
  if (facts === undefined || facts.remote.length === 0) return [];
  const bucket = options.registry?.bucket ?? host.bucket;
  const objects = facts.remote.map(({ sha256 }) => ({
    'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', bucket, `/${FILES_PREFIX}${sha256}`]],
  }));
  return [allow(['s3:GetObject'], objects), ...keyStatements(bucket, ['kms:Decrypt'])];
}

/** What the model's role must allow: for its own role, or for a person to add to the one that the service names. */
export function endpointStatements(
  model: Model,
  host: Host,
  options: ServiceOptions,
  facts?: Facts,
): readonly Statement[] {
  return statementsOf(model.function, nameOf(model, host), host, ownStatements(facts, host, options));
}

/** The model's own role. */
export function endpointRole(model: Model, host: Host, options: ServiceOptions, facts: Facts): Resource {
  const statements = [
    ...endpointStatements(model, host, options, facts),
    ...(model.iam.statements as readonly Statement[]),
  ];
  return roleOf(model.function, host, statements, model.iam.managedPolicies);
}
