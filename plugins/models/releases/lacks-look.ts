import { hangingOn } from '../../../aws/lambda/functions.ts';
import { stackResources, stackTemplate } from '../../../aws/stack.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import { isObject } from '../../../core/json/is-object.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Json } from '../contracts/cloudformation.ts';
import type { Problem } from '../problems/errors.ts';
import type { DeployedStack, Made } from './alias/intrinsics.ts';
import { isSuspect, type Lacks, lacksProblem, type Suspect } from './alias/lacks.ts';
import { type Alias, carriedBy, missingOf } from './alias/permissions.ts';
import type { SeenRelease } from './status.ts';

/**
 * Reads what hangs on an alias that somebody deleted, and what of it is there, with the caller's own
 * permissions.
 */

/** The service's stack, and the ARN of who asks: account and partition are in it. */
export type StackPlace = { readonly stack: string; readonly region: string; readonly by: string };

/** Never throws: what cannot be read is no failure of whoever asks. */
async function lacksOf(aws: AwsConfig, place: StackPlace, alias: Alias): Promise<Lacks> {
  try {
    const carried = carriedBy(await stackOf(aws, place), alias);
    // Only what the template has is asked for.
    const found = await hangingOn(aws, alias, new Set(carried.map(({ kind }) => kind)));
    return { missing: missingOf(carried, found) };
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}

/** The same for `sls models status`, only where it is worth it. */
export async function lacksSeen(
  aws: AwsConfig,
  place: StackPlace,
  { release, alias, gone }: SeenRelease,
): Promise<Pick<SeenRelease, 'lacks'>> {
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
  place: StackPlace & { readonly stage: string },
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

async function stackOf(aws: AwsConfig, { stack, region, by }: StackPlace): Promise<DeployedStack> {
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
