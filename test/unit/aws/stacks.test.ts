import { describe, expect, it } from 'vitest';
import { stackState } from '../../../aws/stacks.ts';

describe('the state of a stack', () => {
  it.each([
    ['CREATE_IN_PROGRESS', 'busy'],
    ['REVIEW_IN_PROGRESS', 'busy'],
    ['UPDATE_IN_PROGRESS', 'busy'],
    ['DELETE_IN_PROGRESS', 'busy'],
    ['UPDATE_FAILED', 'failed'],
    ['UPDATE_ROLLBACK_FAILED', 'failed'],
    ['DELETE_FAILED', 'failed'],
    ['ROLLBACK_IN_PROGRESS', 'rollingBack'],
    ['UPDATE_ROLLBACK_IN_PROGRESS', 'rollingBack'],
    ['CREATE_COMPLETE', 'done'],
    ['UPDATE_COMPLETE', 'done'],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'done'],
    ['UPDATE_ROLLBACK_COMPLETE', 'done'],
    ['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'done'],
    ['IMPORT_COMPLETE', 'done'],
    ['DELETE_COMPLETE', 'gone'],
    ['', 'unknown'],
  ] as const)('%s is %s', (status, state) => {
    expect(stackState(status)).toBe(state);
  });
});
