import { isObject } from '../../../core/json/is-object.ts';
import { type Json, kept } from '../contracts/cloudformation.ts';
import { type Host, nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { bucketLogicalId } from '../declaration/naming.ts';
import { batching } from './batch/functions.ts';
import { logGroupOf } from './iam/permissions.ts';

/**
 * What outlives the stack, or its place in the template, since people rely on it: buckets that batch made,
 * and logs of audits. CloudFormation makes neither over one that is there, so who leaves it is told. Pure.
 */

type Resources = Readonly<Record<string, Json>>;

const bucketLine = (bucket: string): string =>
  `The stack leaves the bucket ${bucket}, with what is in it; where \`batch\` names it again, leave \`create\` out.`;

const groupLine = (group: string): string =>
  `The stack leaves the log group ${group}, as \`audit.retention\` asks; a function of that name is deployed again only once the group is deleted.`;

/**
 * Before a deploy: what the deployed template has of that, and the next one has no more.
 *
 * @param resources of the template that is about to be deployed
 * @param deployed resources of the deployed one
 */
export const leftBehind = (resources: Resources, deployed: Resources): readonly string[] =>
  Object.entries(deployed).flatMap(([id, resource]): readonly string[] => {
    if (resource.DeletionPolicy !== kept({}).DeletionPolicy) return [];
    const [line] = lineOf(id, resource);
    return line === undefined || lineOf(id, resources[id]).includes(line) ? [] : [line];
  });

/** By names that are ours, since the service may keep others. */
function lineOf(id: string, resource: Json | undefined): readonly string[] {
  const { BucketName: bucket, LogGroupName: group } = isObject(resource?.Properties)
    ? resource.Properties
    : {};
  if (typeof bucket === 'string') return id === bucketLogicalId(bucket, 'Bucket') ? [bucketLine(bucket)] : [];
  const isOfFunction = id.endsWith('LogGroup') && String(group).startsWith('/aws/lambda/');
  return isOfFunction ? [groupLine(String(group))] : [];
}

/** What `sls remove` tells first, by what is declared. */
export const leftOnRemove = (models: readonly Model[], host: Host): readonly string[] => [
  ...new Set([
    ...batching(models).flatMap(({ batch }) => batch.create.map(bucketLine)),
    ...models.flatMap((model) =>
      model.audit?.retention === undefined
        ? []
        : [groupLine(logGroupOf(model.function, host.provider, nameOf(model, host)))],
    ),
  ]),
];
