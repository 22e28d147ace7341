import { relative } from 'node:path';

/** What we read of Vitest's JSON report. https://vitest.dev/guide/reporters.html#json-reporter */
type Report = {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};
export type Outcome = { readonly passed: number; readonly failures: readonly string[] };

/** Lines of a message that tell what was expected, and where. */
const LINES = 12;

const indented = (message: string): string =>
  message
    .trim()
    .split('\n')
    .slice(0, LINES)
    .map((line) => `\n    ${line}`)
    .join('');

/**
 * @returns the number of tests that passed, and each failure with its file and message: they are at the very
 * end of a run's output, where also a log that keeps only its last lines has them. A file that failed outside
 * its tests (an import, a hook) is one failure.
 */
export function outcome({ numPassedTests, testResults }: Report, root: string): Outcome {
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0) return status === 'failed' ? [`${file}${indented(message)}`] : [];
    return failed.map((test) => `${file}: ${test.fullName}${indented(test.failureMessages.join('\n'))}`);
  });
  return { passed: numPassedTests, failures };
}
