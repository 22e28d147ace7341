import { isNoStack } from '../../../aws/stack.ts';
import type { Benches } from '../../../core/registry/benches.ts';
import type { Registry } from '../../../core/registry/port.ts';
import { staged } from '../../../core/release/command/text.ts';
import { withStop } from '../../../core/text/stop.ts';
import type { Context } from '../context/context.ts';
import { workerName } from '../plan/release/functions.ts';
import { isProblemError, problemError } from '../problems/errors.ts';
import { aliasTarget } from './alias-target.ts';
import { lacksSeen } from './lacks-look.ts';
import { openRegistry, registryFix } from './open.ts';
import { readStatus, type Sight, sightOf } from './read-status.ts';
import { type SeenRelease, type Status, statusOf } from './status.ts';
import type { Say } from './words/level.ts';
import type { FollowedModel } from './worker/follow.ts';
import { releaseWorker, type Worker } from './worker/worker.ts';

/**
 * What the commands on releases work with: the registry, the worker, and a view of alias, alarms and
 * capacity.
 */
export type Desk = {
  readonly documents: Registry;
  readonly benches: Benches;
  /** ARN of the caller. */
  readonly by: string;
  readonly worker: Worker;
  readonly sight: Sight;
  /** Where a model is served, also one that is declared wrongly or no more. */
  readonly target: (model: string) => Promise<FollowedModel>;
  readonly status: (model: string) => Promise<Status>;
  /** Milliseconds, by AWS's clock. */
  readonly now: () => number;
};

type Given = Pick<Context, 'aws' | 'bucket' | 'plan' | 'service'>;

/**
 * Opens a desk for the work and closes it. Its registry is the one that the deployed worker uses, whatever
 * serverless.yml names by now.
 *
 * @throws ProblemError where nothing is deployed or AWS refuses
 */
export async function atDesk<T>(given: Given, work: (desk: Desk) => Promise<T>): Promise<T> {
  const { aws, plan, service } = given;
  const name = workerName(plan.host);
  const opened: { close: () => void }[] = [];
  try {
    const bucket = await registryOf(given);
    const { documents, benches, by, now, close } = await openRegistry(aws, service, bucket);
    opened.push({ close });
    const worker = releaseWorker(aws, { name, stage: service.stage });
    const sight = sightOf(aws, service.stack);
    opened.push(worker, sight);
    const target = (model: string): Promise<FollowedModel> =>
      aliasTarget(model, plan, service, documents, sight.exists);
    const status = async (model: string): Promise<Status> => {
      const seen = await readStatus(sight, documents, await target(model));
      const lacks = await lacksSeen(aws, { ...service, by }, seen);
      return statusOf(
        withStage({ ...seen, ...lacks }, service.stage),
        now(),
        sayOf(model, service.stage, service.region),
      );
    };
    return await work({ documents, benches, by, worker, sight, target, status, now });
  } catch (error) {
    throw isProblemError(error) ? error : refusedByAws(service, error);
  } finally {
    for (const { close } of opened) close();
  }
}

/** @throws ProblemError `MODELS_NOT_DEPLOYED` where AWS says so; a denied or throttled call does not */
async function registryOf({ bucket, service }: Given): Promise<string> {
  try {
    return await bucket();
  } catch (error) {
    throw isNoStack(error) ? nowhere(service, error) : refusedByAws(service, error);
  }
}

/** What the worker wrote down names no stage. */
function withStage<S extends SeenRelease>(seen: S, stage: string): S {
  const { release } = seen;
  if (typeof release !== 'object' || release.reason === undefined) return seen;
  return { ...seen, release: { ...release, reason: staged(release.reason, stage) } };
}

export const sayOf = (model: string, stage: string, region?: string): Say =>
  Object.assign((verb: string) => `sls models ${verb} --model ${model} --stage ${stage}`, {
    sls: (command: string) => `sls ${command} --stage ${stage}`,
    aws: (command: string) => `aws ${command}${region === undefined ? '' : ` --region ${region}`}`,
  });

const nowhere = ({ stack, region }: Context['service'], cause: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_NOT_DEPLOYED',
        key: 'models',
        message: `There is no ${stack} in ${region} whose registry could be read: ${wordsOf(cause)}`,
        fix: 'Run `sls deploy`, or name another --stage, --region or --aws-profile.',
      },
    ],
    cause,
  );

/** @param stack what is asked, as it is told */
export const refusedByAws = (
  { stack, region }: Pick<Context['service'], 'stack' | 'region'>,
  cause: unknown,
): Error =>
  problemError(
    [
      {
        code: 'MODELS_AWS',
        key: 'models',
        message: `${stack} in ${region} cannot be asked: ${wordsOf(cause)}`,
        fix: registryFix(
          cause,
          'Check credentials, --aws-profile and --region; docs/deploy-policy.md lists what a command needs.',
        ),
      },
    ],
    cause,
  );

function wordsOf(error: unknown): string {
  return withStop(error instanceof Error ? error.message : String(error));
}
