import type { Release } from '../../../core/release/document/contract.ts';
import { isPending, isWatched } from '../../../core/release/state/predicates.ts';
import type { Context } from '../context/context.ts';
import { type Problem, throwProblems } from '../problems/errors.ts';
import { atRegistry } from './deploy-context.ts';
import { runningOf } from './deployment.ts';
import type { OpenedRegistry } from './open.ts';
import type { Reach } from './ports.ts';
import { ofAnotherStack } from './removed-models.ts';
import { moment } from './words/time.ts';
import type { FollowedModel } from './worker/follow.ts';

/** A registry bucket that is named or changed: the worker would lose the documents that it decides by. */

/**
 * @param targets what is deployed
 * @returns what a person should know where the registry moves; undefined where it stays
 * @throws ProblemError where a release runs, is held or watched: nobody would judge it, or bring anything
 * back
 */
export async function movesRegistry(
  {
    reach,
    service,
  }: Pick<Context, 'service'> & {
    readonly reach: Pick<Reach, 'bucket' | 'deployedBucket' | 'registry' | 'exists' | 'aliases' | 'clock'>;
  },
  targets: readonly FollowedModel[],
): Promise<string | undefined> {
  const [from, named] = await Promise.all([reach.deployedBucket(), reach.bucket()]);
  if (from === undefined || from === named) return undefined;
  const to: To = named ?? UNMADE;
  const read = async ({ documents }: Pick<OpenedRegistry, 'documents'>): Promise<readonly Found[]> => {
    const models = await documents.models();
    const found = await Promise.all(
      models.map(async (model): Promise<readonly Found[]> => {
        const one = await documents.release(model);
        if (one === undefined || !(await reach.exists(one.core.functionName))) return [];
        return [{ model, release: one.release ?? 'newer' }];
      }),
    );
    return found.flat();
  };
  // A bucket that is gone keeps nothing that could be lost.
  const open = (await atRegistry({ reach }, read, from)) ?? [];
  // Another stack has another bucket of its own, which is not what was changed.
  const there = open.flatMap(({ model, release }) =>
    release === 'newer' ? [] : [[model, release] as const],
  );
  throwProblems(await ofAnotherStack(targets, new Map(there), service, reach.aliases));
  throwProblems(
    open.flatMap(({ model, release }) =>
      release === 'newer'
        ? [refusal(model, from, to, NEWER, 'Update the plugin, or keep the bucket.')]
        : problemsOf(release, from, to, service.stage, reach.clock()),
    ),
  );
  return `The registry moves from the bucket ${from} to ${placeOf(to)}: a new history begins there, which knows no refusals and no last good versions.`;
}

/**
 * The stack's own bucket, which the framework makes where `provider.deploymentBucket` names none any more: it
 * has no name before.
 */
const UNMADE = Symbol('unmade');
type To = string | typeof UNMADE;

const placeOf = (to: To): string => (to === UNMADE ? 'a new one of the stack’s own' : to);

/** `newer`: by a plugin that is newer than this one, and nobody here can tell whether it is over. */
type Found = { readonly model: string; readonly release: Release | 'newer' };

const NEWER =
  'a newer version of the plugin released it, and this version cannot tell whether that release is over';

const refusal = (model: string, from: string, to: To, why: string, fix: string): Problem => ({
  code: 'MODELS_RELEASE_REFUSED',
  ...(to === UNMADE
    ? { key: 'provider.deploymentBucket' }
    : { key: 'custom.models.registry.bucket', value: to }),
  message: `moves the registry from ${from} to ${placeOf(to)} while ${model} needs it: ${why}.`,
  fix,
});

/** Why a release keeps its registry where it is. Pure. */
function problemsOf(release: Release, from: string, to: To, stage: string, now: number): readonly Problem[] {
  const { model, stable, watch } = release;
  const running = runningOf(release) ?? (release.phase === 'HELD' ? 'HELD' : undefined);
  const watched = watch !== undefined && isWatched(release, now);
  if (running === undefined && !watched && release.intent === undefined) return [];
  const why =
    running !== undefined
      ? `its release (${running}) would go on, and nobody would judge it`
      : watched
        ? `version ${stable?.version} is watched until ${moment(watch.until, now)}, and no alarm could bring the last good one back`
        : 'its alias is being moved';
  const command = (verb: string): string => `\`sls models ${verb} --model ${model} --stage ${stage}\``;
  // Without a candidate there is nothing to promote.
  const ways = isPending(release) ? ['promote', 'rollback'] : release.phase === 'HELD' ? ['rollback'] : [];
  const fix = [
    ways.length > 0 ? `End the release first: ${ways.map(command).join(' or ')}.` : [],
    `To end the watch, deploy \`release: {rollbackWindow: 0}\` while the registry is still in ${from}. Then change the bucket.`,
  ].flat();
  return [refusal(model, from, to, why, fix.join(' '))];
}
