import { CloudFormationClient, type CloudFormationClientConfig } from '@aws-sdk/client-cloudformation';

export const cloudFormationClient = (config: CloudFormationClientConfig = {}): CloudFormationClient =>
  new CloudFormationClient(config);
