import { S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { REGISTRY_PREFIX } from '../../../functions/release/contract.ts';
import { bucketObjects } from '../../../functions/shared/aws/objects.ts';
import { MALFORMED, type Registry, registry } from '../../../functions/shared/registry.ts';
import type { AwsConfig } from '../ship/context.ts';

/** Key prefix of a service and stage in a registry. */
export const registryScope = (account: string, region: string, service: string, stage: string): string =>
  `${REGISTRY_PREFIX}${account}/${region}/${service}/${stage}/`;

/** Whom the credentials belong to: account, and the ARN that AWS knows the caller by. */
export async function callerOf(aws: AwsConfig): Promise<{ readonly account: string; readonly arn: string }> {
  const client = new STSClient(aws);
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } finally {
    client.destroy();
  }
}

export type Opened = {
  readonly documents: Registry;
  /** ARN of the caller. */
  readonly by: string;
  readonly close: () => void;
};

/** The registry's documents of a service and stage, with the caller's own permissions. */
export async function openRegistry(
  aws: AwsConfig,
  { name, stage, region }: { readonly name: string; readonly stage: string; readonly region: string },
  bucket: string,
): Promise<Opened> {
  const { account, arn } = await callerOf(aws);
  const s3 = new S3Client(aws);
  return {
    documents: registry(bucketObjects(s3, bucket), registryScope(account, region, name, stage)),
    by: arn,
    close: () => s3.destroy(),
  };
}

/** What a person can do where the registry cannot be used. */
export const registryFix = (error: unknown, otherwise: string): string =>
  error instanceof Error && error.name === MALFORMED
    ? 'Put back an earlier version of that object, or delete it: the next deploy then goes on from where the alias is, and knows no refusals.'
    : otherwise;
