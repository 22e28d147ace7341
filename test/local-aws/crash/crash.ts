import {
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DeleteAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  ListAliasesCommand,
  ListProvisionedConcurrencyConfigsCommand,
} from '@aws-sdk/client-lambda';
import { DeleteScheduleCommand } from '@aws-sdk/client-scheduler';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { type Cloud, GROUP } from './cloud.ts';
import { type Life, life } from './life.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Path } from './paths.ts';
import type { Kill } from './proxy.ts';

/** Milliseconds of the worker’s clock that a run has for itself, so that no other's metrics are its own. */
const SPAN = 150 * 60_000;
/** CloudWatch keeps the minutes of two weeks; the local AWS's clock runs ahead meanwhile. */
const SINCE = 13 * 86_400_000;
/** Runs that one function is used for. */
const USES = 100;

export type Runner = {
  /** Plays the path once more, with a model of its own; the worker is killed at most once. */
  readonly run: (kill: Kill | undefined) => Promise<Outcome>;
  /** Takes the functions away, and the processes of their environments. */
  readonly end: () => Promise<void>;
};

export function runner(cloud: Cloud, path: Path): Runner {
  const start = Math.floor((Date.now() - SINCE) / 60_000) * 60_000;
  // Versions that a run prunes are gone for the next.
  const uses = path.versions === undefined ? USES : 1;
  let functionName: string | undefined;
  let count = 0;
  const end = async (): Promise<void> => {
    if (functionName !== undefined)
      await cloud.aws.lambda.send(new DeleteFunctionCommand({ FunctionName: functionName }));
    functionName = undefined;
  };
  return {
    run: async (kill) => {
      if (count % uses === 0) await end();
      functionName ??= await cloud.model(`crash-${path.name}-${count}`, path.versions ?? 4);
      const from = start + (count % uses) * SPAN;
      count += 1;
      const name = `${path.name}-${count}`;
      const it = life(cloud, { name, functionName, from: from + 5000 });
      cloud.proxy.watch(undefined, () => {});
      try {
        await path.given?.(it);
        cloud.proxy.watch(kill, cloud.workers.kill);
        await path.play(it);
        return await outcomeOf(cloud, it, name);
      } finally {
        cloud.proxy.watch(undefined, () => {});
        await clear(cloud, it);
      }
    },
    end,
  };
}

/** Before and after every write. */
export const killsOf = ({ writes }: Outcome): readonly Kill[] =>
  writes.flatMap((_, at) => [{ at, side: 'before' } as const, { at, side: 'after' } as const]);

/**
 * The path once more, with a worker that dies there. Without a death may have been more to write: where AWS
 * failed a slice of the gate, as a busy machine's does, the next one takes three writes more. A run that is
 * over before is played again, with the place counted from its end.
 */
export async function killedAt({ run }: Runner, clean: Outcome, kill: Kill): Promise<Outcome> {
  const crashed = await run(kill);
  const writes = crashed.writes.length;
  if (crashed.deaths > 0 || writes > kill.at) return crashed;
  return run({ ...kill, at: Math.max(0, writes - (clean.writes.length - kill.at)) });
}

/** What a worker that died once must reach as well as one that lives; in words, what it did not. */
export function different(clean: Outcome, crashed: Outcome): readonly string[] {
  const same = ['alias', 'phase', 'history', 'statuses', 'provisioned', 'schedules', 'notices'] as const;
  return [
    ...crashed.wrong,
    ...(crashed.deaths === 1 ? [] : [`the worker died ${crashed.deaths} times`]),
    ...same.flatMap((key) => {
      const [was, is] = [clean[key], crashed[key]].map((value) => JSON.stringify(value));
      return was === is ? [] : [`${key}: ${is} instead of ${was}`];
    }),
  ];
}

/** The next run finds the function as this one did. */
async function clear({ aws }: Cloud, it: Life): Promise<void> {
  await it.abandon();
  const { functionName } = it;
  const [{ Aliases = [] }, { ScalableTargets = [] }, schedules] = await Promise.all([
    aws.lambda.send(new ListAliasesCommand({ FunctionName: functionName })),
    aws.scaling.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'lambda' })),
    it.schedules(),
  ]);
  for (const { Name } of Aliases)
    await aws.lambda.send(new DeleteAliasCommand({ FunctionName: functionName, Name }));
  const listed = new ListProvisionedConcurrencyConfigsCommand({ FunctionName: functionName });
  for (const { FunctionArn } of (await aws.lambda.send(listed)).ProvisionedConcurrencyConfigs ?? [])
    await aws.lambda.send(
      new DeleteProvisionedConcurrencyConfigCommand({
        FunctionName: functionName,
        Qualifier: FunctionArn?.split(':').at(-1),
      }),
    );
  for (const { ResourceId, ScalableDimension, ServiceNamespace } of ScalableTargets)
    await aws.scaling.send(
      new DeregisterScalableTargetCommand({ ResourceId, ScalableDimension, ServiceNamespace }),
    );
  for (const { Name } of schedules)
    await aws.scheduler.send(new DeleteScheduleCommand({ GroupName: GROUP, Name }));
  const AlarmNames = Object.values(ALARMS).map((suffix) => `${functionName}-${suffix}`);
  await aws.cloudWatch.send(new DeleteAlarmsCommand({ AlarmNames }));
}
