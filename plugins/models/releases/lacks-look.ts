import { hangingOn } from '../../../aws/lambda/functions.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Problem } from '../problems/errors.ts';
import { isSuspect, type Lacks, lacksProblem, type Suspect } from './alias/lacks.ts';
import { type Alias, carriedBy, missingOf } from './alias/permissions.ts';
import { readStack, type StackPlace } from './alias/read-stack.ts';
import type { SeenRelease } from './status.ts';

/**
 * Reads what hangs on an alias that somebody deleted, and what of it is there, with the caller's own
 * permissions.
 */

/** Never throws: what cannot be read is no failure of whoever asks. */
async function lacksOf(aws: AwsConfig, place: StackPlace, alias: Alias): Promise<Lacks> {
  try {
    const carried = carriedBy(await readStack(aws, place), alias);
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
    const found = lacksProblem(lacks, release, { stage: place.stage, region: place.region, now: Date.now() });
    if (typeof found === 'string') lines.push(found);
    else if (found !== undefined) problems.push(found);
  }
  return { problems, lines };
}
