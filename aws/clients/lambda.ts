import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';

export const lambdaClient = (config: LambdaClientConfig = {}): LambdaClient => new LambdaClient(config);

/**
 * For what a command asks about each of its models at once: Lambda's control plane takes 15 requests a second
 * for a whole account, and the client's own three tries are over before fifty have been answered.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const patientLambda = (config: LambdaClientConfig = {}): LambdaClient =>
  lambdaClient({ maxAttempts: 8, ...config });
