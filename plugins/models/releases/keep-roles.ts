import { isNoStack } from '../../../aws/stack.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { PlanInput } from '../contracts/input.ts';
import { keptRoles } from '../plan/release/kept-roles.ts';
import type { Reach, TemplateResources } from './ports.ts';

/**
 * What a deploy keeps of the roles that published versions run in.
 *
 * @param resources of the template that is about to be deployed
 */
export async function keepRoles(
  { models, host }: Pick<PlanInput, 'models' | 'host'>,
  resources: TemplateResources,
  { template }: Pick<Reach, 'template'>,
): Promise<ReturnType<typeof keptRoles>> {
  try {
    return keptRoles(models, host, resources, await template());
  } catch (error) {
    if (isNoStack(error)) return { resources: {}, lines: [] };
    const line = `What is deployed cannot be read (${messageOf(error)}). Where the role of a model changes, or what it allows, versions before this one may fail.`;
    return { resources: {}, lines: [line] };
  }
}
