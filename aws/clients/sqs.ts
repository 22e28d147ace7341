import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

/**
 * Asks its endpoint about a queue, whatever host is in the queue's URL: `AWS_ENDPOINT_URL`, or a VPC endpoint
 * without private DNS, is how AWS is reached then.
 */
export function sqsClient(config: SQSClientConfig = {}): SQSClient {
  const client = new SQSClient({ useQueueUrlAsEndpoint: false, ...config });
  // Batch sends a message back to its own queue as long as it waits for its turn or goes on. By the header
  // that the SDK adds in a function, Lambda would take that for a loop, and drop the message after 16 turns:
  // https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
  client.middlewareStack.remove('recursionDetectionMiddleware');
  return client;
}
