import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Model } from '../../declaration/model.ts';
import { batchKey, functionLogicalId } from '../../declaration/naming.ts';

/**
 * A version keeps where its log goes and what is in it (`logs`), and the framework names versions by all of a
 * function but that, which it adds later. So another log alone would make no version: `live` would go on with
 * the one before, and every deploy would end in an error, since what it offers is not live.
 * https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-lambda/lib/function-hash.ts
 * A deploy that changes it gives the version another name, and the next ones keep that. Where nothing has
 * changed no name does: Lambda publishes nothing twice. Pure.
 */

type Resources = Readonly<Record<string, Json>>;

/** Between the framework's name of a version and the digest of its log. */
const MARK = 'Logs';
const DIGITS = 12;

/**
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 * @param digest of a text
 * @returns logical ids of versions that get another one, and which
 */
export function loggedAnew(
  models: readonly Model[],
  resources: Resources,
  deployed: Resources,
  digest: (text: string) => string,
): ReadonlyMap<string, string> {
  const keys = models.flatMap(({ name, batch }) => (batch === undefined ? [name] : [name, batchKey(name)]));
  return new Map(
    keys.map(functionLogicalId).flatMap((id) => {
      const [next, last] = [versionOf(resources, id), versionOf(deployed, id)];
      if (next === undefined || last === undefined) return [];
      if (last !== next && !last.startsWith(`${next}${MARK}`)) return [];
      const [log, before] = [logOf(resources[id]), logOf(deployed[id])];
      const named = log === before ? last : `${next}${MARK}${digest(log).slice(0, DIGITS)}`;
      return named === next ? [] : [[next, named] as const];
    }),
  );
}

/** A part of the template with other names, wherever they stand. */
export const renamed = <T extends object>(part: T, names: ReadonlyMap<string, string>): T =>
  JSON.parse(
    [...names].reduce(
      (text, [from, to]) => text.replaceAll(JSON.stringify(from), JSON.stringify(to)),
      JSON.stringify(part),
    ),
  );

const propertiesOf = (resource: Json | undefined): Json =>
  isObject(resource?.Properties) ? resource.Properties : {};

/** Logical id of the version of a function; a template has one at most. */
const versionOf = (resources: Resources, id: string): string | undefined =>
  Object.keys(resources).find((one) => {
    const { FunctionName: name } = propertiesOf(resources[one]);
    return resources[one]?.Type === 'AWS::Lambda::Version' && isObject(name) && name.Ref === id;
  });

/** As text, whichever key comes first. */
function logOf(resource: Json | undefined): string {
  const { LoggingConfig: log } = propertiesOf(resource);
  return JSON.stringify(isObject(log) ? Object.entries(log).sort(([a], [b]) => (a < b ? -1 : 1)) : []);
}
