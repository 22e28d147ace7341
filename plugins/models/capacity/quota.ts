import { type AccountLimits, accountConcurrency } from '../../../aws/lambda/account.ts';
import type { Context } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { askBriefly } from '../releases/brief.ts';

/**
 * What an account has until it asks for more:
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
const USUAL = 1000;

export type Account = AccountLimits & { readonly from: string };

/** Instances that a model may have at once, and who says so. */
export type Quota = {
  readonly limit: number;
  readonly of: 'reserved' | 'account';
  readonly account: Account;
};

/** What Lambda says of the account, or what AWS gives by default, and why that is taken. */
export async function accountOf(context: Pick<Context, 'aws' | 'service'>): Promise<Account> {
  const found = await askBriefly(context, accountConcurrency);
  return 'answer' in found
    ? { ...found.answer, from: 'Lambda' }
    : { all: USUAL, unreserved: USUAL, from: `AWS's default, assumed, since ${found.unknown}` };
}

export function quotaOf({ concurrency, function: given }: Model, account: Account): Quota {
  const framework = given.reservedConcurrency;
  const reserved = concurrency?.reserved ?? (typeof framework === 'number' ? framework : undefined);
  return reserved === undefined
    ? { limit: account.unreserved, of: 'account', account }
    : { limit: reserved, of: 'reserved', account };
}
