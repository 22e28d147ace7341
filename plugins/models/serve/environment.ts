import { createRequire } from 'node:module';
import { delimiter } from 'node:path';
import type { Service } from '../commands/command.ts';
import type { Model } from '../model.ts';
import { ALIAS } from '../naming.ts';

/**
 * The environment that Lambda gives a function, without anybody's credentials: only what it names here is inherited.
 * @param dir of the unzipped function
 */
export function environmentOf(
  model: Model,
  version: number,
  dir: string,
  { service, runtime }: { readonly service: Service; readonly runtime: string },
): Record<string, string> {
  const name = `${service.name}-${service.stage}-${model.name}`;
  return {
    ...stringsOf(model.function.environment),
    ...inherited(),
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
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

/** What a process cannot do without, on each system. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'USERPROFILE'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Where Node would look for the SDK that Lambda's runtime has. */
function sdkFolders(): readonly string[] {
  return createRequire(import.meta.url).resolve.paths('@aws-sdk/client-s3') ?? [];
}

/** Variables as they would reach the function; what only CloudFormation can resolve is left out. */
function stringsOf(environment: unknown): Record<string, string> {
  if (typeof environment !== 'object' || environment === null) return {};
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
    ),
  );
}
