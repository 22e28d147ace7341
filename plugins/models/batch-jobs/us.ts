import { callerOf } from '../../../aws/caller.ts';
import type { Owner } from '../../../core/batch/contract.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Model } from '../declaration/model.ts';
import { cloudOf } from './cloud.ts';
import { bucketsInTheWay } from './made-buckets.ts';
import { type Owners, ownersAfter, ownersBefore } from './owners.ts';

type Service = { readonly region: string; readonly name: string; readonly stage: string };

/** The service and stage that the command is for, in the account of its credentials. */
export async function usOf(aws: AwsConfig, { region, name, stage }: Service): Promise<Owner> {
  const { account } = await callerOf(aws);
  return { schema: 1, account, region, service: name, stage };
}

/** Whose the outputs are, with the caller's own permissions, before a deploy or at its end. */
export async function outputsAt(
  when: 'before' | 'after',
  aws: AwsConfig,
  service: Service,
  models: readonly Model[],
): Promise<Owners> {
  const cloud = cloudOf(aws);
  try {
    const look = when === 'before' ? ownersBefore : ownersAfter;
    return await look(models, cloud, await usOf(aws, service));
  } finally {
    cloud.close();
  }
}

/** Buckets that a deploy would make over others, with the caller's own permissions. */
export async function bucketsAt(
  aws: AwsConfig,
  models: readonly Model[],
  deployed: Parameters<typeof bucketsInTheWay>[1],
): ReturnType<typeof bucketsInTheWay> {
  const cloud = cloudOf(aws);
  try {
    return await bucketsInTheWay(models, deployed, cloud);
  } finally {
    cloud.close();
  }
}
