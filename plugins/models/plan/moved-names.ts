import { isObject } from '../../../core/json/is-object.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Model } from '../declaration/model.ts';
import { batchKey, CATALOG, DRIFT, functionLogicalId, RELEASE } from '../declaration/naming.ts';
import type { Problem } from '../problems/errors.ts';

type Resources = Readonly<Record<string, Json>>;

/**
 * Names of functions that the deployed stack has under another logical id: a model was renamed, and its
 * `function.name` stayed. CloudFormation makes what is new before it deletes what is old, and Lambda takes a
 * name once, so the deploy would fail in its middle:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
 *
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 */
export function movedNames(
  models: readonly Model[],
  resources: Resources,
  deployed: Resources,
): readonly Problem[] {
  const there = new Map(
    Object.entries(deployed).flatMap(([id, resource]) => {
      const name = nameIn(resource);
      return name === undefined ? [] : [[name, id] as const];
    }),
  );
  return models.flatMap(({ name: model, batch }): readonly Problem[] => {
    const keys = batch === undefined ? [model] : [model, batchKey(model)];
    const [found] = keys.map(functionLogicalId).flatMap((id) => {
      const name = nameIn(resources[id]);
      const other = name === undefined ? undefined : there.get(name);
      return other === undefined || other === id ? [] : [{ name, other }];
    });
    if (found === undefined) return [];
    const { name, other } = found;
    return [
      {
        code: 'MODELS_NAME_TAKEN',
        key: `models.${model}.function.name`,
        value: name,
        message: `makes a function called ${name}, and the deployed stack has it as ${other}: CloudFormation makes the new one before it deletes that, and Lambda takes a name once.`,
        fix: 'Write another name, under which both are there for a moment; or deploy once without either model, which ends the endpoint meanwhile.',
      },
    ];
  });
}

/**
 * Functions of ours beside the models’ own that the deployed stack has under the same name, so that
 * CloudFormation updates them.
 *
 * @returns where each is declared, its logical id and Lambda’s name
 */
export function keptFunctions(
  models: readonly Model[],
  resources: Resources,
  deployed: Resources,
): readonly { readonly key: string; readonly id: string; readonly functionName: string }[] {
  const shared = [RELEASE, DRIFT, CATALOG].map((name) => ['models', name] as const);
  const batches = models
    .filter(({ batch }) => batch !== undefined)
    .map(({ name }) => [`models.${name}.batch`, batchKey(name)] as const);
  return [...shared, ...batches].flatMap(([key, name]) => {
    const id = functionLogicalId(name);
    const [next, now] = [resources, deployed].map((all) => nameIn(all[id]));
    return next !== undefined && next === now ? [{ key, id, functionName: next }] : [];
  });
}

/** A literal one alone can be compared. */
function nameIn(resource: Json | undefined): string | undefined {
  const { FunctionName: name } = isObject(resource?.Properties) ? resource.Properties : {};
  return resource?.Type === 'AWS::Lambda::Function' && typeof name === 'string' ? name : undefined;
}
