import { isObject } from '../../../core/json/is-object.ts';
import type { Alarm } from '../contracts/alarm.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Compiled, Functions, Known, Resources } from '../contracts/feature.ts';
import type { Host } from '../contracts/host.ts';
import { nameOf } from '../contracts/host.ts';
import type { Built, Endpoint, PlanInput } from '../contracts/input.ts';
import type { Model, ServiceOptions } from '../declaration/model.ts';
import { aliasLogicalId, batchKey, functionLogicalId } from '../declaration/naming.ts';
import type { Problem } from '../problems/errors.ts';
import { FEATURES } from './features.ts';
import { foldOf, kindsOf } from './fold.ts';

/** What the features add, folded: nothing here knows one of them. */

/**
 * Functions to add to the service, by key: seen by `sls info`, `print`, `invoke`, `package`, `deploy`,
 * `remove`.
 */
export function planFunctions(input: PlanInput): Functions {
  if (input.models.length === 0) return {};
  return Object.assign({}, ...FEATURES.map(({ functions }) => functions?.(input)));
}

/** Resources to add to the stack, beside what the framework makes of the functions. */
export function planResources(input: PlanInput, endpoints: readonly Endpoint[]): Resources {
  if (input.models.length === 0) return {};
  const known: Known = new Map(endpoints.map(({ model, facts }) => [model.name, facts]));
  const fold = foldOf(FEATURES, input.host, known);
  return Object.assign({}, ...FEATURES.map(({ resources }) => resources?.(input, endpoints, fold)));
}

/** The changed ones among the framework's own resources. */
export const planChanges = (input: PlanInput, compiled: Compiled, endpoints: readonly Endpoint[]): Compiled =>
  Object.assign({}, ...FEATURES.map(({ changes }) => changes?.(input, compiled, endpoints)));

/** Kinds of the models' alarms that follow from declarations alone. */
export const ALARM_KINDS = kindsOf(FEATURES);

/** The alarms of a model. Those of drift follow from reference data, once these have been read. */
export const alarmsOf = (model: Model, host: Host, known: Known = new Map()): readonly Alarm[] =>
  foldOf(FEATURES, host, known).alarms(model);

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
    ...(built.layer && { layer: built.layer }),
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

/**
 * What makes a version behave as it does, of a compiled `AWS::Lambda::Function`: all but code (its identity
 * stands for it), tags and reserved concurrency.
 */
export function versionedProperties({ Properties }: Json): Json {
  const {
    Code: _code,
    Tags: _tags,
    ReservedConcurrentExecutions: _reserved,
    ...versioned
  } = isObject(Properties) ? Properties : {};
  return versioned;
}

/**
 * The policy that a role named by the service needs for models; undefined where every function has its own
 * role.
 */
export function neededPolicy(input: PlanInput): Json | undefined {
  if (input.models.length === 0) return undefined;
  const statements = FEATURES.flatMap(({ statements }) => statements?.(input) ?? []);
  return statements.length === 0 ? undefined : { Version: '2012-10-17', Statement: statements };
}

/** Services that the trust policy of such a role must name. */
export const neededTrust = (input: PlanInput): readonly string[] => [
  ...new Set(['lambda.amazonaws.com', ...FEATURES.flatMap(({ trusted }) => trusted?.(input) ?? [])]),
];

/** What can be told from the declarations and the service alone. */
export const planProblems = (
  models: readonly Model[],
  host: Host,
  options: ServiceOptions = {},
): readonly Problem[] => FEATURES.flatMap(({ problems }) => problems?.(models, host, options) ?? []);
