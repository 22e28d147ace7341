import { isNoStack } from '../../../../aws/stack.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import type { Model } from '../../declaration/model.ts';
import { functionLogicalId } from '../../declaration/naming.ts';
import { type Problem, throwProblems } from '../../problems/errors.ts';
import type { Reach, TemplateResources } from '../ports.ts';

/** What a function is packaged as, which AWS never changes: of a deployed model it stays. */

/**
 * Before anything is uploaded.
 *
 * @param offered the resources of the template that is to be deployed
 * @throws ProblemError `MODELS_PACKAGE_CHANGED` where a model's function would be another kind of package
 */
export async function keepsPackages(
  models: readonly Model[],
  offered: TemplateResources,
  { template }: Pick<Reach, 'template'>,
): Promise<void> {
  const hasImage = models.some(({ name }) => packageIn(offered, functionLogicalId(name))?.kind === 'image');
  const deployed = await template().catch((error: unknown) => {
    // Before a first deploy there is none. Zips alone were deployed by people who may not read it: they still
    // are, and where an image was before, CloudFormation refuses the change.
    if (isNoStack(error) || !hasImage) return {};
    throw error;
  });
  throwProblems(packageProblems(models, offered, deployed));
}

/**
 * A function that gets another name is another one, and may be packaged as it likes. Pure.
 *
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
 */
export const packageProblems = (
  models: readonly Model[],
  offered: TemplateResources,
  deployed: TemplateResources,
): readonly Problem[] =>
  models.flatMap(({ name }): Problem[] => {
    const [before, after] = [deployed, offered].map((of) => packageIn(of, functionLogicalId(name)));
    if (before === undefined || after === undefined) return [];
    if (before.functionName !== after.functionName || before.kind === after.kind) return [];
    return [
      {
        code: 'MODELS_PACKAGE_CHANGED',
        key: `models.${name}.package`,
        value: after.kind,
        message: `is ${after.kind}, and the deployed function ${after.functionName} is packaged as ${before.kind}, which AWS never changes.`,
        fix: `Write \`package: ${before.kind}\`; or give the model another name, which is a new endpoint beside its removal; or leave the model out of one deploy, and declare it again in the next.`,
      },
    ];
  });

function packageIn(resources: TemplateResources, id: string) {
  const { Properties: properties } = resources[id] ?? {};
  if (!isObject(properties)) return undefined;
  const { FunctionName: functionName, PackageType: type } = properties;
  return { functionName: String(functionName), kind: type === 'Image' ? 'image' : 'zip' };
}
