import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsConfig } from '../core/ports/config.ts';

/** Whom the credentials belong to: account, and the ARN that AWS knows the caller by. */
export async function callerOf(aws: AwsConfig): Promise<{ readonly account: string; readonly arn: string }> {
  const client = new STSClient(aws);
  try {
    const { Account = '', Arn = '' } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, arn: Arn };
  } finally {
    client.destroy();
  }
}
