/** AWS's SDK with its own chain of credentials: environment, profile, role. Nothing else is looked for. */
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

export type Clients = ReturnType<typeof clientsFor>;

export function clientsFor(region: string) {
  const config = { region };
  const clients = {
    cloudFormation: new CloudFormationClient(config),
    cloudWatch: new CloudWatchClient(config),
    eventBridge: new EventBridgeClient(config),
    iam: new IAMClient(config),
    // A burst must not wait for another’s connection.
    lambda: new LambdaClient({
      ...config,
      requestHandler: { httpsAgent: { maxSockets: 200 }, httpAgent: { maxSockets: 200 } },
    }),
    logs: new CloudWatchLogsClient(config),
    s3: new S3Client(config),
    scaling: new ApplicationAutoScalingClient(config),
    scheduler: new SchedulerClient(config),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    stepFunctions: new SFNClient(config),
  };
  return {
    ...clients,
    region,
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

export type Account = { readonly id: string; readonly arn: string; readonly region: string };

/** Whose credentials there are, and where. @throws what the SDK says where one of them is missing */
export async function accountOf(region: string | undefined): Promise<Account> {
  const sts = new STSClient(region === undefined ? {} : { region });
  try {
    const found = await sts.config.region();
    const { Account: id = '', Arn: arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
    return { id, arn, region: found };
  } finally {
    sts.destroy();
  }
}
