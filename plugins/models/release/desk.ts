import type { Registry } from '../../../functions/shared/registry.ts';
import type { Context } from '../commands/command.ts';
import { isProblemError, problemError } from '../errors.ts';
import type { Model } from '../model.ts';
import { releaseTargets, workerName } from '../plan/alias.ts';
import type { Say } from './advice.ts';
import type { Target } from './follow.ts';
import { lacksSeen } from './lacks-look.ts';
import { look, type Sight, sightOf } from './look.ts';
import { openRegistry, registryFix } from './open.ts';
import { type Status, statusOf } from './status.ts';
import { releaseWorker, type Worker } from './worker.ts';

/** What the commands on releases work with: the registry, the worker, and a view of alias, alarms and capacity. */
export type Desk = {
  readonly documents: Registry;
  /** ARN of the caller. */
  readonly by: string;
  readonly worker: Worker;
  readonly sight: Sight;
  readonly target: (model: Model) => Target;
  readonly status: (model: Model) => Promise<Status>;
};

type Given = Pick<Context, 'aws' | 'bucket' | 'plan' | 'service'>;

/** Opens a desk for the work and closes it. @throws ProblemError where nothing is deployed or AWS refuses */
export async function atDesk<T>(given: Given, work: (desk: Desk) => Promise<T>): Promise<T> {
  const { aws, plan, service } = given;
  let bucket: string;
  try {
    bucket = await given.bucket();
  } catch (error) {
    throw nowhere(service, error);
  }
  const opened: { close: () => void }[] = [];
  try {
    const { documents, by, close } = await openRegistry(aws, service, bucket);
    opened.push({ close });
    const worker = releaseWorker(aws, workerName(plan.host));
    const sight = sightOf(aws);
    opened.push(worker, sight);
    const target = (model: Model): Target => {
      const [found] = releaseTargets([model], plan.host);
      if (found === undefined) throw new Error(`${model.name} has no alias`);
      return found;
    };
    const status = async (model: Model): Promise<Status> => {
      const seen = await look(sight, documents, target(model));
      const lacks = await lacksSeen(aws, { ...service, by }, seen);
      return statusOf({ ...seen, ...lacks }, Date.now(), sayOf(model.name, service.stage));
    };
    return await work({ documents, by, worker, sight, target, status });
  } catch (error) {
    throw isProblemError(error) ? error : refusedByAws(service, error);
  } finally {
    for (const { close } of opened) close();
  }
}

export const sayOf = (model: string, stage: string): Say =>
  Object.assign((verb: string) => `sls models ${verb} --model ${model} --stage ${stage}`, {
    sls: (command: string) => `sls ${command} --stage ${stage}`,
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

const refusedByAws = ({ stack, region }: Context['service'], cause: unknown): Error =>
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
  const words = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
