import { isNoStack } from '../../../aws/stack.ts';
import { ownerKey } from '../../../core/batch/owner.ts';
import type { Files } from '../../../core/ports/files.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Model } from '../declaration/model.ts';
import { bucketLogicalId } from '../declaration/naming.ts';
import { type BatchModel, batching } from '../plan/batch/functions.ts';
import type { Problem } from '../problems/errors.ts';

type Reach = { readonly files: (bucket: string) => Pick<Files, 'read'> };

/**
 * Buckets that a deploy would make (`create`), and that are there: `sls remove` left them, or they are
 * somebody's. CloudFormation takes none over. It finds them before it begins, and the framework is told how
 * many there are, neither which nor what to do:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
 *
 * @param deployed reads the resources of the deployed template. Where it cannot be read, or has stacks of
 * which one may have the bucket, or a bucket cannot be looked at, CloudFormation has the word.
 */
export async function bucketsInTheWay(
  models: readonly Model[],
  deployed: () => Promise<Readonly<Record<string, Json>>>,
  reach: Reach,
): Promise<readonly Problem[]> {
  const made = batching(models).flatMap((model) => model.batch.create.map((bucket) => ({ model, bucket })));
  if (made.length === 0) return [];
  const stacked = await deployed().catch((error: unknown) => (isNoStack(error) ? {} : undefined));
  if (stacked === undefined || Object.values(stacked).some(isStack)) return [];
  const added = made.filter(({ bucket }) => !Object.hasOwn(stacked, bucketLogicalId(bucket, 'Bucket')));
  const there = await Promise.all(added.map(({ model, bucket }) => isThere(model, bucket, reach)));
  return added.filter((_, index) => there[index]).map(({ model, bucket }) => inTheWay(model.name, bucket));
}

const isStack = ({ Type }: Json): boolean => Type === 'AWS::CloudFormation::Stack';

/** By the object that a deploy may look for at an output: it needs no permission beside that one. */
async function isThere({ name, batch }: BatchModel, bucket: string, reach: Reach): Promise<boolean> {
  const written = batch.entries.find(({ output }) => output.bucket === bucket);
  const key = ownerKey(name, written ?? { output: { bucket, prefix: '' } });
  return reach
    .files(bucket)
    .read(key)
    .then(
      () => true,
      () => false,
    );
}

const inTheWay = (model: string, bucket: string): Problem => ({
  code: 'MODELS_BATCH',
  key: `models.${model}.batch`,
  value: bucket,
  message: `makes the bucket ${bucket} (\`create\`), which is there already; CloudFormation takes none over.`,
  fix: 'Leave `create` out for it: it is used as it is, with what is in it.',
});
