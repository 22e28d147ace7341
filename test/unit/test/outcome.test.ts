import { expect, it } from 'vitest';
import { outcome } from '../../outcome.ts';

type Test = { status: string; fullName: string; failureMessages: string[] };

const passed: Test = { status: 'passed', fullName: 'adds', failureMessages: [] };

it('tells each failure with its file and its message, and a file that failed outside of its tests', () => {
  const failed = {
    status: 'failed',
    fullName: 'sums are right',
    failureMessages: ['AssertionError: expected 2 to be 3\n    at sums.test.ts:4:11'],
  };
  const file = (name: string, status: string, message: string, assertionResults: Test[]) => ({
    name: `/clone/test/unit/${name}.test.ts`,
    status,
    message,
    assertionResults,
  });
  const report = {
    numPassedTests: 1,
    testResults: [
      file('sums', 'failed', '', [passed, failed]),
      file('import', 'failed', 'Cannot find module', []),
      file('hook', 'failed', 'Hook timed out', [passed]),
      file('fine', 'passed', '', [passed]),
    ],
  };
  expect(outcome(report, '/clone')).toEqual({
    passed: 1,
    failures: [
      'test/unit/sums.test.ts: sums are right\n    AssertionError: expected 2 to be 3\n        at sums.test.ts:4:11',
      'test/unit/import.test.ts\n    Cannot find module',
      'test/unit/hook.test.ts\n    Hook timed out',
    ],
  });
});
