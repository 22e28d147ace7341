import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { errorName } from '../core/errors/aws-errors.ts';
import type { MachinePort } from '../core/ports/aws.ts';

/** State machines of the account and region of a function, by their names. */
export function stateMachines(sfn: SFNClient, functionArn: string): MachinePort {
  const [, partition, , region, account] = functionArn.split(':');
  return {
    isBusy: async (name) => {
      const stateMachineArn = ['arn', partition, 'states', region, account, 'stateMachine', name].join(':');
      const asked = { stateMachineArn, statusFilter: 'RUNNING' } as const;
      try {
        for (let nextToken: string | undefined; ; ) {
          const page = await sfn.send(new ListExecutionsCommand({ ...asked, nextToken }));
          if ((page.executions ?? []).length > 0) return true;
          nextToken = page.nextToken;
          if (nextToken === undefined) return false;
        }
      } catch (error) {
        if (errorName(error) !== 'StateMachineDoesNotExist') throw error;
        return false;
      }
    },
  };
}
