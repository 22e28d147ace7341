import { delimiter } from 'node:path';
import { withoutPreloads } from '../../../core/node/node-options.ts';
import type { Service } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { ALIAS, lambdaName } from '../declaration/naming.ts';
import { inherited, sdkFolders, variablesOf } from '../sandbox/environment.ts';

/** What a model does not know itself. */
type Around = {
  readonly service: Service;
  /** `provider.environment`: every function of the service has it. */
  readonly environment: unknown;
  /** `node_modules` that hold what loads the artifact, for this machine. */
  readonly runtime: string;
};

/**
 * The environment that Lambda gives a function, without anybody's credentials: only what it names here is
 * inherited.
 * @param dir of the unzipped function
 */
export function environmentOf(
  model: Model,
  version: number,
  dir: string,
  { service, environment, runtime }: Around,
): Record<string, string> {
  const { name: given } = model.function;
  const name = typeof given === 'string' ? given : lambdaName(service.name, service.stage, model.name);
  return {
    // A function may have others:
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    ...withoutPreloads(variablesOf(environment, model.function.environment)),
    ...inherited(),
    AWS_REGION: service.region,
    AWS_DEFAULT_REGION: service.region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: String(version),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(model.memory),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: ALIAS,
    LAMBDA_TASK_ROOT: dir,
    NODE_PATH: [runtime, ...sdkFolders()].join(delimiter),
  };
}
