import { ALIAS } from '../../declaration/naming.ts';

/** Arguments of `aws`, for commands to be copied where ours cannot help. Pure. */

/**
 * Leaves all traffic to the version that the alias points to.
 * https://docs.aws.amazon.com/cli/latest/reference/lambda/update-alias.html
 */
export const withoutWeights = (functionName: string): string =>
  `lambda update-alias --function-name ${functionName} --name ${ALIAS} --routing-config 'AdditionalVersionWeights={}'`;

/**
 * Asks for the provisioned concurrency of a version that failed.
 * https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html
 */
export const provideAgain = (functionName: string, version: string, instances: number): string =>
  `lambda put-provisioned-concurrency-config --function-name ${functionName} --qualifier ${version} --provisioned-concurrent-executions ${instances}`;
