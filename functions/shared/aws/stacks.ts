import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { messageOf } from './errors.ts';
import type { StackPort, StackState } from './ports.ts';

/**
 * CloudFormation's view of a stack, by name or id.
 * @param unreadable hears why a state is unknown
 */
export function cloudFormationStacks(
  client: CloudFormationClient,
  unreadable: (reason: string) => void = () => {},
): StackPort {
  return {
    state: async (stack) => {
      try {
        const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
        return stackState(Stacks?.[0]?.StackStatus ?? '');
      } catch (error) {
        const reason = messageOf(error);
        if (/does not exist/.test(reason)) return 'gone';
        unreadable(reason);
        return 'unknown';
      }
    },
  };
}

/**
 * `done` lets a candidate be promoted, so only a whole, unchanging stack is. A failed status (`UPDATE_FAILED`,
 * `UPDATE_ROLLBACK_FAILED`) still has an end before it, and is busy.
 */
export function stackState(status: string): StackState {
  if (status === 'DELETE_COMPLETE') return 'gone';
  if (/ROLLBACK_IN_PROGRESS$/.test(status)) return 'rollingBack';
  if (/_COMPLETE(_CLEANUP_IN_PROGRESS)?$/.test(status)) return 'done';
  return status === '' ? 'unknown' : 'busy';
}
