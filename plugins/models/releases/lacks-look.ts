import {
  CloudFormationClient,
  GetTemplateCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import {
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { errorName, messageOf } from '../../../core/ports/errors.ts';
import type { Problem } from '../declaration/errors.ts';
import { isObject, type Json } from '../plan/cloudformation.ts';
import type { AwsConfig } from '../ship/context.ts';
import type { Made, Stack } from './intrinsics.ts';
import { isSuspect, type Lacks, lacksProblem, type Suspect } from './lacks.ts';
import { type Alias, type Carried, carriedBy, type Found, missingOf } from './permissions.ts';
import type { Seen } from './status.ts';

/** Reads what hangs on an alias that somebody deleted, and what of it is there, with the caller's own permissions. */

/** The service's stack, and the ARN of who asks: account and partition are in it. */
export type Place = { readonly stack: string; readonly region: string; readonly by: string };

/** Never throws: what cannot be read is no failure of whoever asks. */
export async function lacksOf(aws: AwsConfig, place: Place, alias: Alias): Promise<Lacks> {
  const cloudFormation = new CloudFormationClient(aws);
  const lambda = new LambdaClient(aws);
  try {
    const carried = carriedBy(await stackOf(cloudFormation, place), alias);
    return { missing: missingOf(carried, await foundOf(lambda, alias, carried)) };
  } catch (error) {
    return { unreadable: messageOf(error) };
  } finally {
    cloudFormation.destroy();
    lambda.destroy();
  }
}

/** The same for `sls models status`, only where it is worth it. */
export async function lacksSeen(
  aws: AwsConfig,
  place: Place,
  { release, alias, gone }: Seen,
): Promise<Pick<Seen, 'lacks'>> {
  if (typeof release !== 'object' || gone || !isSuspect(release, alias)) return {};
  return { lacks: await lacksOf(aws, place, release) };
}

export type Lacking = { readonly problems: readonly Problem[]; readonly lines: readonly string[] };

/**
 * At the end of a deploy: what aliases that somebody deleted, or made, lack.
 *
 * @param releases the suspects among them
 * @returns problems to throw, and lines to show where it could not be checked
 */
export async function missingOfAlias(
  aws: AwsConfig,
  place: Place & { readonly stage: string },
  releases: Iterable<Suspect>,
): Promise<Lacking> {
  const problems: Problem[] = [];
  const lines: string[] = [];
  for (const release of releases) {
    const lacks = await lacksOf(aws, place, release);
    const found = lacksProblem(lacks, release, { stage: place.stage, now: Date.now() });
    if (typeof found === 'string') lines.push(found);
    else if (found !== undefined) problems.push(found);
  }
  return { problems, lines };
}

/** After all transforms: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html */
async function stackOf(cloudFormation: CloudFormationClient, { stack, region, by }: Place): Promise<Stack> {
  const { TemplateBody = '' } = await cloudFormation.send(
    new GetTemplateCommand({ StackName: stack, TemplateStage: 'Processed' }),
  );
  const declared = (JSON.parse(TemplateBody) as { readonly Resources?: Json }).Resources ?? {};
  const resources = new Map<string, Made>();
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stack }))
    for (const {
      LogicalResourceId: id = '',
      PhysicalResourceId: physical,
      ResourceType: type = '',
    } of page.StackResourceSummaries ?? []) {
      const one = declared[id];
      const properties = isObject(one) && isObject(one.Properties) ? one.Properties : {};
      if (physical !== undefined && isObject(one)) resources.set(id, { type, physical, properties });
    }
  const [, partition = 'aws', , , account = ''] = by.split(':');
  return { name: stack, partition, region, account, resources };
}

/** Asks only for what the template has. */
async function foundOf(lambda: LambdaClient, alias: Alias, carried: readonly Carried[]): Promise<Found> {
  const input = { FunctionName: alias.functionName, Qualifier: alias.alias };
  const has = (kind: Carried['kind']): boolean => carried.some((one) => one.kind === kind);
  const [policy, url, invoke] = await Promise.all([
    has('permission') ? there(lambda.send(new GetPolicyCommand(input))) : undefined,
    has('url') ? there(lambda.send(new GetFunctionUrlConfigCommand(input))) : undefined,
    has('invoke') ? there(lambda.send(new GetFunctionEventInvokeConfigCommand(input))) : undefined,
  ]);
  const { Statement = [] } = JSON.parse(policy?.Policy ?? '{}') as {
    readonly Statement?: readonly { readonly Sid?: string }[];
  };
  return {
    statements: new Set(Statement.flatMap(({ Sid }) => (Sid === undefined ? [] : [Sid]))),
    url: url !== undefined,
    invoke: invoke !== undefined,
  };
}

/** @returns undefined where there is no such thing */
const there = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (errorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  });
