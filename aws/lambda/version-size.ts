import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';

/** What a version runs with, as it was when it was published. */
export type VersionSize = { readonly memory: number; readonly architecture: 'x86_64' | 'arm64' };

/** @throws where the caller is not allowed to look at it, or there is none */
export async function versionSize(
  lambda: LambdaClient,
  functionName: string,
  version: string,
): Promise<VersionSize | undefined> {
  const { Architectures, MemorySize } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: version }),
  );
  const architecture = Architectures?.[0];
  return MemorySize === undefined || architecture === undefined
    ? undefined
    : { memory: MemorySize, architecture };
}
