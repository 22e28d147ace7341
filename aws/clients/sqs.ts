import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

/**
 * Asks its endpoint about a queue, whatever host is in the queue's URL: `AWS_ENDPOINT_URL`, or a VPC endpoint
 * without private DNS, is how AWS is reached then.
 */
export const sqsClient = (config: SQSClientConfig = {}): SQSClient =>
  new SQSClient({ useQueueUrlAsEndpoint: false, ...config });
