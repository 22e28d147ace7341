import { isObject } from '../../../core/json/is-object.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Model } from '../declaration/model.ts';
import { aliasLogicalId, batchKey, functionLogicalId } from '../declaration/naming.ts';
import { versionedProperties } from './plan.ts';
import { fingerprintText } from './release/fingerprint.ts';

/**
 * The framework names a version by what its function has when that is compiled. Where the log goes and what
 * is in it (`logs`) it adds later, and other plugins may change more. All that is in a version, too:
 * https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-lambda/lib/function-hash.ts
 * So such a change alone would make no version: `live` would go on with the one before, and every deploy
 * would end in an error, since what it offers is not live. A deploy that brings it gives the version another
 * name, and the next ones keep that. Where nothing has changed no name does: Lambda publishes nothing twice.
 * Pure.
 */

type Resources = Readonly<Record<string, Json>>;

/** Between the framework's name of a version and a digest. */
const MARK = 'Anew';
const DIGITS = 12;

/**
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 * @param digest of a text
 * @returns logical ids of versions that get another one, and which
 */
export const namedAnew = (
  models: readonly Model[],
  resources: Resources,
  deployed: Resources,
  digest: (text: string) => string,
): ReadonlyMap<string, string> =>
  new Map(
    models.flatMap(({ name, batch }) => {
      // What `resources.extensions` changes alone is in no fingerprint, and makes no version.
      const differs = fingerprintIn(resources, name) !== fingerprintIn(deployed, name);
      const keys = batch === undefined ? [name] : [name, batchKey(name)];
      return keys.map(functionLogicalId).flatMap((id) => {
        const [next, last] = [versionOf(resources, id), versionOf(deployed, id)];
        if (next === undefined || last === undefined) return [];
        if (last !== next && !last.startsWith(`${next}${MARK}`)) return [];
        const [now, before] = [textOf(resources[id]), textOf(deployed[id])];
        const named = differs && now !== before ? `${next}${MARK}${digest(now).slice(0, DIGITS)}` : last;
        return named === next ? [] : [[next, named] as const];
      });
    }),
  );

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

const fingerprintIn = (resources: Resources, model: string): unknown =>
  propertiesOf(resources[aliasLogicalId(model)]).Fingerprint;

/** Logical id of the version of a function; a template has one at most. */
const versionOf = (resources: Resources, id: string): string | undefined =>
  Object.keys(resources).find((one) => {
    const { FunctionName: name } = propertiesOf(resources[one]);
    return resources[one]?.Type === 'AWS::Lambda::Version' && isObject(name) && name.Ref === id;
  });

/** All of a function that is in its versions, whichever key comes first. */
const textOf = (resource: Json | undefined): string =>
  fingerprintText('', '', versionedProperties(resource ?? {}));
