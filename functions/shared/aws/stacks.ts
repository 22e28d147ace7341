import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { StackPort, StackState } from './ports.ts';

/** CloudFormation's view of a stack, by name or id. */
export function cloudFormationStacks(client: CloudFormationClient): StackPort {
  return {
    state: async (stack) => {
      try {
        const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
        return stackState(Stacks?.[0]?.StackStatus ?? '');
      } catch (error) {
        return error instanceof Error && /does not exist/.test(error.message) ? 'gone' : 'unknown';
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
