import { callerOf } from '../../../aws/caller.ts';
import { stepFunctionsClient } from '../../../aws/clients/step-functions.ts';
import { stateMachines } from '../../../aws/state-machines.ts';
import { messageOf } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';

/**
 * Is a large object scored in parts right now? The queue does not count it: its message is gone once the
 * state machine has it.
 *
 * @returns why that cannot be read, where it cannot
 */
export async function inParts(aws: AwsConfig, region: string, machine: string): Promise<boolean | string> {
  const client = stepFunctionsClient(aws);
  try {
    const { account, arn } = await callerOf(aws);
    const [, partition] = arn.split(':');
    return await stateMachines(client, ['arn', partition, '', region, account].join(':')).isBusy(machine);
  } catch (error) {
    return messageOf(error);
  } finally {
    client.destroy();
  }
}
