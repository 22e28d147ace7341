import { callerOf } from '../../../aws/caller.ts';
import { awsClock } from '../../../aws/clients/clock.ts';
import { s3Client } from '../../../aws/clients/s3.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import { isElsewhere } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import { type Benches, benchesIn } from '../../../core/registry/benches.ts';
import { isMalformed, type Malformed } from '../../../core/registry/document.ts';
import type { Registry } from '../../../core/registry/port.ts';
import { registry } from '../../../core/registry/registry.ts';
import { REGISTRY_PREFIX } from '../../../core/release/document/worker-contract.ts';
import { awsFix } from '../context/aws-fix.ts';
import { lambdaName } from '../declaration/naming.ts';
import { withoutWeights } from './words/aws-cli.ts';

/** Key prefix of a service and stage in a registry. */
export const registryScope = (account: string, region: string, service: string, stage: string): string =>
  `${REGISTRY_PREFIX}${account}/${region}/${service}/${stage}/`;

export type OpenedRegistry = {
  readonly documents: Registry;
  readonly benches: Benches;
  /** ARN of the caller. */
  readonly by: string;
  /** Milliseconds, by AWS's clock once it has answered: the documents' times are by that. */
  readonly now: () => number;
  readonly close: () => void;
};

/** The registry's documents of a service and stage, with the caller's own permissions. */
export async function openRegistry(
  aws: AwsConfig,
  { name, stage, region }: { readonly name: string; readonly stage: string; readonly region: string },
  bucket: string,
): Promise<OpenedRegistry> {
  const { account, arn } = await callerOf(aws);
  const s3 = s3Client(aws);
  const objects = bucketObjects(s3, bucket);
  const scope = registryScope(account, region, name, stage);
  const documents = registry(objects, scope);
  const damagedAt = (model: string) => (error: unknown) => {
    if (!isMalformed(error)) throw error;
    const { functionName = lambdaName(name, stage, model) } = error;
    throw Object.assign(error, { damaged: { bucket, region, stage, functionName } });
  };
  return {
    documents: {
      ...documents,
      release: (model) => documents.release(model).catch(damagedAt(model)),
    },
    benches: benchesIn(objects, scope),
    by: arn,
    now: awsClock(s3),
    close: () => s3.destroy(),
  };
}

/** Where a damaged document lies, and what it was about. */
type Damaged = {
  readonly bucket: string;
  readonly region: string;
  readonly stage: string;
  readonly functionName: string;
};

const isDamaged = (error: unknown): error is Malformed & { readonly damaged: Damaged } =>
  isMalformed(error) && 'damaged' in error;

/**
 * What a person can do where the registry, or AWS, cannot be used. A damaged document is never deleted as a
 * first step: without it nobody takes the weight of a candidate away.
 */
export function registryFix(error: unknown, otherwise: string): string {
  if (isElsewhere(error))
    return 'Its bucket is in another region. Functions of this one read it: name a bucket of this region in `custom.models.registry`.';
  if (!isDamaged(error)) return awsFix(error, otherwise);
  const { key, damaged } = error;
  const { bucket, region, stage, functionName } = damaged;
  const object = `s3://${bucket}/${key}`;
  return [
    `Put an earlier version of ${object} back: \`aws s3api list-object-versions --bucket ${bucket} --prefix ${key} --region ${region}\` lists those that a bucket with versioning keeps, \`aws s3api copy-object --bucket ${bucket} --key ${key} --copy-source '${bucket}/${key}?versionId=<id>' --region ${region}\` puts one back.`,
    `Without one, take the weight away first: \`aws ${withoutWeights(functionName)} --region ${region}\`;`,
    `then move the object aside: \`aws s3 mv ${object} ${object}.damaged --region ${region}\`;`,
    `then \`sls deploy --stage ${stage}\`, which goes on from where the alias is and knows no refusals and no last good version.`,
  ].join(' ');
}
