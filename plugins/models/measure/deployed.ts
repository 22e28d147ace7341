import { lambdaClient } from '../../../aws/clients/lambda.ts';
import { lambdaAliases } from '../../../aws/lambda/aliases.ts';
import { instanceLimits } from '../../../aws/lambda/capacity.ts';
import { lambdaInvoke } from '../../../aws/lambda/invoke.ts';
import { versionSize } from '../../../aws/lambda/version-size.ts';
import { errorName } from '../../../core/errors/aws-errors.ts';
import { waitingFor } from '../../../core/ports/config.ts';
import { withStop } from '../../../core/text/stop.ts';
import { awsFix } from '../context/aws-fix.ts';
import { type Context, usage } from '../context/context.ts';
import { nameOf } from '../contracts/host.ts';
import type { Model } from '../declaration/model.ts';
import { clientAgents } from '../network/proxied.ts';
import { isProblemError, problemError } from '../problems/errors.ts';
import { benchProblem } from './problems.ts';
import type { BenchTarget } from './target.ts';

/** Milliseconds beyond a function's timeout: its start. */
const STARTING = 120_000;

/**
 * A deployed version, or what an alias leads to. The endpoint counts these requests nowhere; Lambda's own
 * metrics do, and it bills them.
 *
 * @param outstanding requests at once: as many connections are opened
 */
export async function benchDeployed<T>(
  model: Model,
  qualifier: string,
  { aws, plan, service }: Context,
  outstanding: number,
  work: (target: BenchTarget) => Promise<T>,
): Promise<T> {
  const patience = model.timeout * 1000 + STARTING;
  const sockets = { maxSockets: outstanding, keepAlive: true };
  const { requestHandler, ...rest } = waitingFor(aws, patience);
  // A try of the SDK's own would hide that a request was throttled, and how long it waited.
  const lambda = lambdaClient({
    ...rest,
    maxAttempts: 1,
    requestHandler: { ...requestHandler, httpAgent: sockets, httpsAgent: sockets, ...clientAgents(sockets) },
  });
  const functionName = nameOf(model, plan.host);
  try {
    const version = await versionAt(lambda, functionName, qualifier, model, service.region);
    const limits = await instanceLimits(lambda)(functionName).catch(() => undefined);
    const size = await versionSize(lambda, functionName, version).catch((error: unknown) => {
      if (errorName(error) === 'ResourceNotFoundException')
        throw notDeployed(model, `${functionName}:${version}`, service.region);
      return undefined;
    });
    const concurrency = limits && (limits.reserved ?? limits.unreserved);
    const result = await work({
      kind: 'function',
      name: `${functionName}:${qualifier}`,
      functionName,
      version,
      invoke: lambdaInvoke(lambda),
      ...(size && { size }),
      ...(concurrency !== undefined && { concurrency }),
    });
    return result;
  } catch (error) {
    if (!(error instanceof Error) || isProblemError(error)) throw error;
    const words = withStop(error.message);
    throw problemError(
      [
        {
          code: 'MODELS_AWS',
          key: `models.${model.name}`,
          message: `cannot be asked: ${words}`,
          fix: awsFix(error, 'Check credentials, --aws-profile and --region.'),
        },
      ],
      error,
    );
  } finally {
    lambda.destroy();
  }
}

const notDeployed = ({ name }: Model, what: string, region: string): Error =>
  problemError([
    {
      code: 'MODELS_NOT_DEPLOYED',
      key: `models.${name}`,
      message: `has no ${what} in ${region}.`,
      fix: 'Run `sls deploy`, name another --stage or --region, or leave --qualifier out: this machine is measured then.',
    },
  ]);

/** https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html */
const ALIAS = /^(?!\d+$)[a-zA-Z0-9_-]{1,128}$/;

/** The version behind an alias; two at once would be measured as if they were one. */
async function versionAt(
  lambda: Parameters<typeof lambdaAliases>[0],
  functionName: string,
  qualifier: string,
  model: Model,
  region: string,
): Promise<string> {
  if (/^[1-9]\d*$/.test(qualifier)) return qualifier;
  if (!ALIAS.test(qualifier))
    throw usage(
      '--qualifier',
      `${qualifier === '' ? 'nothing' : qualifier} is no alias, and no number of a version.`,
      'Write for example live, or 7.',
    );
  const alias = await lambdaAliases(lambda).get(functionName, qualifier);
  if (alias === undefined) throw notDeployed(model, `${functionName}:${qualifier}`, region);
  const [other] = Object.keys(alias.weights);
  if (other === undefined) return alias.version;
  throw benchProblem(
    model.name,
    `cannot be measured through ${qualifier}: a release shares its traffic between versions ${alias.version} and ${other}.`,
    `Name one of them: --qualifier ${alias.version}.`,
  );
}
