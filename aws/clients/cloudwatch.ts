import { CloudWatchClient, type CloudWatchClientConfig } from '@aws-sdk/client-cloudwatch';

export const cloudWatchClient = (config: CloudWatchClientConfig = {}): CloudWatchClient =>
  new CloudWatchClient(config);
