import { cloudWatchClient } from '../../../aws/clients/cloudwatch.ts';
import { patientLambda } from '../../../aws/clients/lambda.ts';
import { lambdaAliases } from '../../../aws/lambda/aliases.ts';
import { deployedRegistry } from '../../../aws/lambda/deployed-registry.ts';
import { functionExists } from '../../../aws/lambda/functions.ts';
import { cloudWatchMetrics } from '../../../aws/metrics.ts';
import { stackTemplate, wasNeverMade, wasRolledBack } from '../../../aws/stack.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import { DAY_MS } from '../../../core/units/time.ts';
import type { Context } from '../context/context.ts';
import type { Host } from '../contracts/host.ts';
import { workerName } from '../plan/release/functions.ts';
import type { DeployContext } from './deploy-context.ts';
import { missingOfAlias } from './lacks-look.ts';
import { openRegistry } from './open.ts';
import type { Reach, TemplateResources } from './ports.ts';
import { aliasesOf, functionsOf } from './removed-models.ts';
import { refusedByAws } from './session.ts';
import { releaseWorker, sleep } from './worker/worker.ts';

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

function reachOf(
  { aws, service }: Pick<Context, 'aws' | 'service'>,
  host: Host,
  bucket: Reach['bucket'],
): Reach {
  /** What AWS refuses is told with what was asked, and what helps. */
  const asked = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      throw refusedByAws(service, error);
    });
  return {
    bucket,
    registry: async (name, work) => {
      const opened = await openRegistry(aws, service, name);
      return work(opened).finally(opened.close);
    },
    deployedBucket: () => asked(deployedRegistry(aws, workerName(host))),
    worker: () => releaseWorker(aws, { name: workerName(host), stage: host.stage }),
    alias: async ({ functionName, alias }) => {
      const lambda = patientLambda(aws);
      return asked(lambdaAliases(lambda).get(functionName, alias)).finally(() => lambda.destroy());
    },
    exists: (functionName) => asked(functionExists(aws, functionName)),
    aliases: () => asked(aliasesOf(aws, host.stack)()),
    functions: () => asked(functionsOf(aws, host.stack)()),
    neverMade: () => wasNeverMade(aws, host.stack),
    rolledBack: () => asked(wasRolledBack(aws, host.stack)),
    template: async () => {
      const template = JSON.parse(await stackTemplate(aws, host.stack)) as { Resources?: TemplateResources };
      return template.Resources ?? {};
    },
    lacks: (by, releases) => missingOfAlias(aws, { ...service, by }, releases),
    clock: Date.now,
    pause: sleep,
    traffic: async ({ functionName, alias }) => {
      const client = cloudWatchClient(aws);
      try {
        const now = Date.now();
        const rate = await cloudWatchMetrics(client).rate(functionName, alias, now - DAY_MS, now);
        return { ...rate, from: 'measured' };
      } catch (error) {
        return { unknown: `its traffic cannot be read (${messageOf(error)})` };
      } finally {
        client.destroy();
      }
    },
  };
}
