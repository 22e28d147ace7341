import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { messageOf } from '../core/errors/aws-errors.ts';
import type { StackPort, StackState } from '../core/ports/aws.ts';

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
 * `done` lets a candidate be promoted, so only a whole, unchanging stack is. A failed one (`UPDATE_FAILED`
 * where nothing is rolled back, `UPDATE_ROLLBACK_FAILED`) stays as it is until a person goes on with it:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
 */
export function stackState(status: string): StackState {
  if (status === 'DELETE_COMPLETE') return 'gone';
  if (/ROLLBACK_IN_PROGRESS$/.test(status)) return 'rollingBack';
  if (/_COMPLETE(_CLEANUP_IN_PROGRESS)?$/.test(status)) return 'done';
  if (/_FAILED$/.test(status)) return 'failed';
  return status === '' ? 'unknown' : 'busy';
}
