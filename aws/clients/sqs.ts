import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

export const sqsClient = (config: SQSClientConfig = {}): SQSClient => new SQSClient(config);
