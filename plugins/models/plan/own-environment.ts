import { isObject } from '../../../core/json/is-object.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { FunctionDefinition, Host } from '../contracts/host.ts';
import { functionLogicalId } from '../declaration/naming.ts';

/**
 * How the SDK calls AWS: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html#EVarSettings
 *
 * What Lambda itself reads is left out, above all `AWS_LAMBDA_EXEC_WRAPPER`: it names a file of a layer,
 * these functions have none of the provider's, and without the file none of them would start.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
 * A profile is left out, too: it is of a machine, and beside it the SDK passes over the credentials that
 * Lambda gives.
 */
const OF_THE_SDK = /^AWS_(?!LAMBDA_|(DEFAULT_)?PROFILE$)/;

/** Catalog, release worker and monitor have no versions, and nothing of a model's own in them. */
const isOfService = ({ versionFunction }: FunctionDefinition): boolean => versionFunction === false;

/**
 * Catalog, release worker and monitor without the variables of `provider.environment`, which the framework
 * gives to every function: they need none of them, the catalog may be public, and passwords may be among
 * them. Variables for the SDK stay. Pure.
 *
 * @param functions as planned, by key
 * @returns the changed resources
 */
export function ownEnvironments(
  resources: Readonly<Record<string, Json>>,
  functions: Readonly<Record<string, FunctionDefinition>>,
  { provider }: Host,
): Readonly<Record<string, Json>> {
  const shared = isObject(provider.environment) ? provider.environment : {};
  return Object.fromEntries(
    Object.entries(functions).flatMap(([key, planned]) => {
      const resource = resources[functionLogicalId(key)];
      const properties = resource?.Properties;
      if (!isOfService(planned) || !isObject(properties) || !isObject(properties.Environment)) return [];
      const own = isObject(planned.environment) ? planned.environment : {};
      const { Variables: variables } = properties.Environment;
      const given = Object.entries(isObject(variables) ? variables : {});
      const kept = given.filter(
        ([name]) => !Object.hasOwn(shared, name) || Object.hasOwn(own, name) || OF_THE_SDK.test(name),
      );
      if (kept.length === given.length) return [];
      const changed = Object.entries(properties).flatMap(([name, value]) => {
        if (name !== 'Environment') return [[name, value]];
        return kept.length === 0 ? [] : [[name, { Variables: Object.fromEntries(kept) }]];
      });
      return [[functionLogicalId(key), { ...resource, Properties: Object.fromEntries(changed) }]];
    }),
  );
}
