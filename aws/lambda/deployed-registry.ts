import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { errorName } from '../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../core/ports/config.ts';
import { WORKER_ENV } from '../../core/release/document/worker-contract.ts';
import { lambdaClient } from '../clients/lambda.ts';

/** There is no worker, or the caller may not look at it. */
const UNTOLD: ReadonlySet<string | undefined> = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'AccessDenied',
]);

/**
 * The registry that the deployed worker reads and writes: serverless.yml may name another one since.
 *
 * @param worker name of its function
 * @returns the bucket; undefined where no worker is deployed, or the caller is not allowed to look at it
 */
export async function deployedRegistry(aws: AwsConfig, worker: string): Promise<string | undefined> {
  const lambda = lambdaClient(aws);
  try {
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: worker }));
    return Environment?.Variables?.[WORKER_ENV.bucket];
  } catch (error) {
    if (UNTOLD.has(errorName(error))) return undefined;
    throw error;
  } finally {
    lambda.destroy();
  }
}
