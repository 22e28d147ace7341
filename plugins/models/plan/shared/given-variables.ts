import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { Model } from '../../declaration/model.ts';

const NAME = 'NODE_PATH';

/** Has a model’s function a variable of the service’s, its own or the provider’s? */
export const isGiven = (name: string, model: Model, host: Host): boolean =>
  givenOf(name, model, host) !== undefined;

/** As the framework merges them. */
function givenOf(name: string, { function: own }: Model, { provider }: Host): unknown {
  const all = [own.environment, provider.environment].filter(isObject);
  return all.find((one) => Object.hasOwn(one, name))?.[name];
}

/**
 * A function’s own NODE_PATH takes the place of the one by which ONNX Runtime and the SDK are found, in a zip
 * as in an image: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 * So what it lacks goes before it, and the modules of the service are found as before.
 *
 * @param needed folders, in their order
 * @returns nothing where the service says nothing, or names them all
 */
export function nodePath(needed: readonly string[], model: Model, host: Host): Json {
  const given = givenOf(NAME, model, host);
  if (given === undefined || given === null) return {};
  // Known to CloudFormation alone.
  if (typeof given === 'object')
    return { [NAME]: { 'Fn::Join': ['', [...needed.map((folder) => `${folder}:`), given]] } };
  const folders = String(given).split(':');
  const named = folders.map((folder) => folder.replace(/\/+$/, ''));
  const missing = needed.filter((folder) => !named.includes(folder));
  return missing.length === 0 ? {} : { [NAME]: [...missing, ...folders].filter(Boolean).join(':') };
}
