import { LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';

export const lambdaClient = (config: LambdaClientConfig = {}): LambdaClient => new LambdaClient(config);
