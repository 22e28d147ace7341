import { stackResources, stackTemplate } from '../../../../aws/stack.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import type { AwsConfig } from '../../../../core/ports/config.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import type { DeployedStack, Made } from './intrinsics.ts';

/** The service's stack, and the ARN of who asks: account and partition are in it. */
export type StackPlace = { readonly stack: string; readonly region: string; readonly by: string };

/** What is deployed, with the caller's own permissions. @throws what CloudFormation says */
export async function readStack(aws: AwsConfig, { stack, region, by }: StackPlace): Promise<DeployedStack> {
  const template = await stackTemplate(aws, stack);
  const declared = (JSON.parse(template) as { readonly Resources?: Json }).Resources ?? {};
  const resources = new Map<string, Made>();
  for (const { id, physical, type } of await stackResources(aws, stack)) {
    const one = declared[id];
    const properties = isObject(one) && isObject(one.Properties) ? one.Properties : {};
    if (physical !== undefined && isObject(one)) resources.set(id, { type, physical, properties });
  }
  const [, partition = 'aws', , , account = ''] = by.split(':');
  return { name: stack, partition, region, account, resources };
}
