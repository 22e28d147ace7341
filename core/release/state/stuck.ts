import type { StackState } from '../../ports/aws.ts';
import type { Release } from '../document/contract.ts';
import type { Blind } from './action.ts';

/**
 * A stack that no waiting moves on: its status cannot be read, or it failed half-way and a person must go on
 * with it. Pure.
 */

export const isStuck = (stack: StackState): stack is 'unknown' | 'failed' =>
  stack === 'unknown' || stack === 'failed';

/** @param arn `arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>` */
function continuing(arn: string): string {
  const [, , , region, , path = ''] = arn.split(':');
  const [, name] = path.split('/');
  const where = name ? ` --stack-name ${name} --region ${region}` : '';
  return `aws cloudformation continue-update-rollback${where}`;
}

const WORDS = {
  unknown: {
    is: 'the status of the stack cannot be read',
    was: 'the status of the stack could not be read',
    why: 'the log of the release worker has what CloudFormation answered',
    todo: () => 'give the release worker cloudformation:DescribeStacks again',
  },
  failed: {
    is: 'the stack failed half-way',
    was: 'the stack had failed half-way',
    why: 'its status ends in _FAILED, and CloudFormation leaves it like that',
    todo: (arn: string) =>
      `see the events of the stack, fix what failed, and deploy again; after UPDATE_ROLLBACK_FAILED run "${continuing(arn)}" first`,
  },
} as const;

/**
 * What people are told of a release that may get no more traffic because of its stack; undefined: it waits
 * for no such thing.
 */
export function stuck(
  { promote, deadline, stack: arn }: Pick<Release, 'promote' | 'deadline' | 'stack'>,
  stack: StackState,
): Blind | undefined {
  if (promote !== 'afterStack' || !isStuck(stack)) return undefined;
  const { is, why, todo } = WORDS[stack];
  return {
    subject: `${is}, so no weight is raised`,
    why,
    todo: `${todo(arn)}; the release then goes on by itself. If that is not done by ${deadline}, the release is given up, and the stable version gets all traffic.`,
  };
}

/** What a person can do about the stack that a document says it waits for; undefined: it waits for none. */
export function repairOf({ blind, stack }: Pick<Release, 'blind' | 'stack'>): string | undefined {
  const words = Object.values(WORDS).find(({ is }) => blind?.reason.startsWith(is));
  return words?.todo(stack);
}

/** Why nothing may be promoted now. */
export function unfinished(
  { stack: arn }: Pick<Release, 'stack'>,
  stack: Exclude<StackState, 'done'>,
): string {
  if (stack === 'gone') return 'the stack is gone';
  if (!isStuck(stack)) return 'the stack is still in progress';
  const { is, why, todo } = WORDS[stack];
  return `${is}: ${why}. What to do: ${todo(arn)}`;
}

/** Why a release whose time is over ends. */
export const late = ({ deadline }: Pick<Release, 'deadline'>, stack: StackState): string =>
  `the deadline ${deadline} passed ${isStuck(stack) ? `while ${WORDS[stack].was}` : 'before the release ended'}`;
