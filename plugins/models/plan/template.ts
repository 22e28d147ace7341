import { isObject } from '../../../core/json/is-object.ts';
import { type Json, kept } from '../contracts/cloudformation.ts';
import type { Compiled } from '../contracts/feature.ts';
import type { Host } from '../contracts/host.ts';
import { nameOf } from '../contracts/host.ts';
import type { PlanInput } from '../contracts/input.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS, batchKey, functionLogicalId } from '../declaration/naming.ts';
import type { Problem } from '../problems/errors.ts';
import { targetOf } from '../targets/targets.ts';
import { wrapperProblems } from './endpoint/variables.ts';
import { restoredRole, SHARED_ROLE } from './iam/shared-role.ts';
import { ownEnvironments } from './own-environment.ts';
import { endpointOf, planChanges, planFunctions, planResources, versionedProperties } from './plan.ts';
import { fingerprintText } from './release/fingerprint.ts';
import { limitProblems } from './shared/limits.ts';

/**
 * The framework's template, completed: changed resources and new ones.
 *
 * @param made outputs of the framework's template
 * @param versions logical id of the compiled version by model
 * @param digest of a text: a hash is no business of the plan
 */
export function completed(
  input: PlanInput,
  resources: Compiled,
  made: Readonly<Record<string, unknown>>,
  versions: ReadonlyMap<string, string>,
  digest: (text: string) => string,
): {
  readonly resources: Compiled;
  readonly problems: readonly Problem[];
} {
  const { models, host, built } = input;
  const endpoints = models.flatMap((model) => {
    const own = built.get(model.name);
    const version = versions.get(model.name);
    if (own === undefined || version === undefined) return [];
    const properties = versionedProperties(resources[functionLogicalId(model.name)] ?? {});
    const text = fingerprintText(
      own.facts.identity,
      targetOf(model).identity(own),
      byContent(properties, made),
    );
    const both = { endpoint: version, batch: versions.get(batchKey(model.name)) };
    return [endpointOf(model, host, own, both, digest(text))];
  });
  const added = planResources(input, endpoints);
  const functions = planFunctions(input);
  const role = resources[SHARED_ROLE];
  // The service's own functions have versions with an alias, too: those with provisioned concurrency.
  const ours = [...versions].filter(([key]) => Object.hasOwn(functions, key)).map(([, id]) => id);
  const published = keptVersions(resources, ours);
  const changed = {
    ...published,
    ...planChanges(input, { ...resources, ...published }, endpoints),
    ...ownEnvironments(resources, functions, host),
    ...(role !== undefined && { [SHARED_ROLE]: restoredRole(role, resources, functions, host) }),
    ...openUrls(resources, models),
    ...added,
  };
  const whole = { ...resources, ...changed };
  const problems = [
    ...templateProblems(whole, models, host),
    ...wrapperProblems(whole, models),
    ...limitProblems(whole, models, Object.keys(functions), host),
  ];
  return { resources: changed, problems };
}

/**
 * The second permission that Lambda asks for since October 2025 where a function URL is open to everybody,
 * under the name that osls gives it. Serverless 3.40 writes the first one alone, and each request is a 403.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
 */
const openUrls = (resources: Compiled, models: readonly Model[]): Compiled =>
  Object.fromEntries(
    models.flatMap(({ name }) => {
      const id = functionLogicalId(name).replace(/Function$/, 'PermissionFn');
      const first = resources[`${id}Url`];
      if (first === undefined || resources[id] !== undefined) return [];
      const { FunctionName, Principal } = isObject(first.Properties) ? first.Properties : {};
      const Properties = {
        FunctionName,
        Action: 'lambda:InvokeFunction',
        Principal,
        InvokedViaFunctionUrl: true,
      };
      return [[id, { ...first, Properties }]];
    }),
  );

/**
 * A function's properties with the service's own layers by what is in them: a reference to one stays the same
 * when that changes. The framework tells the hash of each in an output.
 */
export function byContent(properties: Json, outputs: Readonly<Record<string, unknown>>): Json {
  const { Layers: layers, ...rest } = properties;
  if (!Array.isArray(layers)) return properties;
  // An image function has none, and says so only that the framework gives it none of the provider's.
  if (layers.length === 0) return rest;
  const contentOf = (layer: unknown): unknown => {
    const hash = isObject(layer) ? outputs[`${layer.Ref}Hash`] : undefined;
    return isObject(hash) ? hash.Value : layer;
  };
  return { ...properties, Layers: layers.map(contentOf) };
}

/**
 * Logical ids in an order that every run has: the framework compiles functions side by side, and adds what is
 * theirs in the order in which it has read their zips. Another order is a changed template to its own check,
 * and to people.
 *
 * @param raced is it of a function?
 * @returns others as they were, then those of functions by name
 */
export function steadyOrder<T>(
  map: Readonly<Record<string, T>>,
  raced: (id: string, value: T) => boolean,
): readonly string[] {
  const ids = Object.keys(map);
  const isRaced = (id: string): boolean => raced(id, map[id] as T);
  return [...ids.filter((id) => !isRaced(id)), ...ids.filter(isRaced).sort()];
}

export const isRacedResource = (_: string, { Type: type }: Json): boolean =>
  /^AWS::Lambda::/.test(String(type));

/** `<Function>LambdaFunctionQualifiedArn`, `…LambdaFunctionUrl`. */
export const isRacedOutput = (id: string): boolean => /LambdaFunction(QualifiedArn|Url)$/.test(id);

/**
 * The alias may still need a version; and the code of one that a failed deploy left could never be published
 * again.
 */
const keptVersions = (resources: Compiled, versions: readonly string[]): Compiled =>
  Object.fromEntries(
    versions.flatMap((id) => (resources[id] === undefined ? [] : [[id, kept(resources[id])]])),
  );

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const RESOURCES = 500;

/** What shows only once the framework has compiled everything. */
function templateProblems(resources: Compiled, models: readonly Model[], host: Host): readonly Problem[] {
  const problems: Problem[] = [];
  const count = new Set([...Object.keys(resources), ...(host.declared ?? [])]).size;
  if (count > RESOURCES) {
    problems.push({
      code: 'MODELS_LIMIT',
      key: 'models',
      message: `make a stack of ${count} resources together with the service’s own; CloudFormation takes ${RESOURCES}.`,
      fix: 'Split the models over several services.',
    });
  }
  return [...problems, ...bypasses(resources, models, host)];
}

/** Triggers that this framework points at the function itself instead of its alias, past every release. */
function bypasses(resources: Compiled, models: readonly Model[], host: Host): readonly Problem[] {
  return models.flatMap((model) =>
    Object.values(resources).flatMap((resource): Problem[] => {
      if (resource.Type !== 'Custom::S3' && resource.Type !== 'Custom::CognitoUserPool') return [];
      const { FunctionName: target, FunctionQualifier: qualifier } = isObject(resource.Properties)
        ? resource.Properties
        : {};
      if (qualifier === ALIAS || target !== nameOf(model, host)) return [];
      const event = resource.Type === 'Custom::S3' ? 's3' : 'cognitoUserPool';
      return [
        {
          code: 'MODELS_FRAMEWORK',
          key: `models.${model.name}.function.events`,
          message: `has an ${event} event with \`existing: true\`, which this version of the framework points past the alias.`,
          fix: 'Use osls 4, or let EventBridge send the event: an eventBridge event reaches the alias everywhere.',
        },
      ];
    }),
  );
}
