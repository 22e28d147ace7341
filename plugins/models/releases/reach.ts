import { lambdaAliases } from '../../../aws/aliases.ts';
import { cloudWatchClient } from '../../../aws/clients/cloudwatch.ts';
import { lambdaClient } from '../../../aws/clients/lambda.ts';
import { deployedRegistry } from '../../../aws/deployed-registry.ts';
import { functionExists } from '../../../aws/functions.ts';
import { cloudWatchMetrics } from '../../../aws/metrics.ts';
import { stackTemplate } from '../../../aws/stack.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { AliasState } from '../../../core/ports/aws.ts';
import type { Context } from '../commands/command.ts';
import type { Host } from '../plan/host.ts';
import { workerName } from '../plan/release/functions.ts';
import type { DeployContext } from './deploy-context.ts';
import type { Target } from './follow.ts';
import type { Traffic } from './forecast.ts';
import type { Suspect } from './lacks.ts';
import { type Lacking, missingOfAlias } from './lacks-look.ts';
import { type Opened, openRegistry } from './open.ts';
import { type Aliases, aliasesOf } from './removed-models.ts';
import { releaseWorker, sleep, type Worker } from './worker.ts';

/** Resources of a template, by logical id. */
export type Resources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** All that a deploy reaches of AWS about releases. Tests put their own behind it. */
export type Reach = {
  /** The bucket that serverless.yml names for the registry, or the deployment bucket; undefined before a first deploy. */
  readonly bucket: () => Promise<string | undefined>;
  /** The registry in a bucket, for as long as the work takes. */
  readonly registry: <T>(
    bucket: string,
    work: (opened: Pick<Opened, 'documents' | 'by'>) => Promise<T>,
  ) => Promise<T>;
  /** The bucket of the registry that the deployed worker uses; undefined where that cannot be told. */
  readonly deployedBucket: () => Promise<string | undefined>;
  readonly worker: () => Worker;
  readonly alias: (target: Target) => Promise<AliasState | undefined>;
  /** Is there such a function? */
  readonly exists: (functionName: string) => Promise<boolean>;
  /** Logical ids of the aliases that the stack has. */
  readonly aliases: Aliases;
  /** The template of the stack as it is deployed. */
  readonly template: () => Promise<Resources>;
  /** What aliases lack that somebody deleted or made: problems, and lines where it could not be checked. */
  readonly lacks: (by: string, releases: readonly Suspect[]) => Promise<Lacking>;
  /** Of the last 24 hours. */
  readonly traffic: (target: Target) => Promise<Traffic>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Waits so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
};

const DAY = 24 * 60 * 60 * 1000;

/** What a deploy works with. @param given `bucket`: of the registry, if there is one */
export const deployContext = ({
  aws,
  bucket,
  ...given
}: Pick<Context, 'aws'> &
  Omit<DeployContext, 'reach'> & { readonly bucket: Reach['bucket'] }): DeployContext => ({
  ...given,
  reach: reachOf({ aws, service: given.service }, given.host, bucket),
});

export function reachOf(
  { aws, service }: Pick<Context, 'aws' | 'service'>,
  host: Host,
  bucket: Reach['bucket'],
): Reach {
  return {
    bucket,
    registry: async (name, work) => {
      const opened = await openRegistry(aws, service, name);
      return work(opened).finally(opened.close);
    },
    deployedBucket: () => deployedRegistry(aws, workerName(host)),
    worker: () => releaseWorker(aws, { name: workerName(host), stage: host.stage }),
    alias: async ({ functionName, alias }) => {
      const lambda = lambdaClient(aws);
      return lambdaAliases(lambda)
        .get(functionName, alias)
        .finally(() => lambda.destroy());
    },
    exists: (functionName) => functionExists(aws, functionName),
    aliases: aliasesOf(aws, host.stack),
    template: async () => {
      const template = JSON.parse(await stackTemplate(aws, host.stack)) as { Resources?: Resources };
      return template.Resources ?? {};
    },
    lacks: (by, releases) => missingOfAlias(aws, { ...service, by }, releases),
    clock: Date.now,
    pause: sleep,
    traffic: async ({ functionName, alias }) => {
      const client = cloudWatchClient(aws);
      try {
        const now = Date.now();
        const rate = await cloudWatchMetrics(client).rate(functionName, alias, now - DAY, now);
        return { ...rate, from: 'measured' };
      } catch (error) {
        return { unknown: `its traffic cannot be read (${messageOf(error)})` };
      } finally {
        client.destroy();
      }
    },
  };
}
