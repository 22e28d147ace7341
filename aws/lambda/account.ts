import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import type { AwsConfig } from '../../core/ports/config.ts';
import { lambdaClient } from '../clients/lambda.ts';

/** Instances that all functions of an account may have at once, and those of them that none has reserved. */
export type AccountLimits = { readonly all: number; readonly unreserved: number };

/** https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html */
export async function accountConcurrency(aws: AwsConfig): Promise<AccountLimits> {
  const lambda = lambdaClient(aws);
  try {
    const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
    const { ConcurrentExecutions: all, UnreservedConcurrentExecutions: unreserved } = AccountLimit ?? {};
    if (all === undefined) throw new Error('Lambda does not say how many instances the account may have');
    return { all, unreserved: unreserved ?? all };
  } finally {
    lambda.destroy();
  }
}
