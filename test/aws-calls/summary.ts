import { join } from 'node:path';
import type { CallReport } from '../../local-aws/calls.ts';
import { root } from '../unit/docs/pages.ts';

/** Where `npm test`, the demo and soaks have the calls written to. */
export const CALLS = join(root, '.local', 'aws-calls');

export function summaryOf({ operations, calls, answers, violations, botocore }: CallReport): string {
  if (calls === 0 && answers.length === 0) return 'aws: nothing was asked';
  const kinds = answers.reduce((sum, { kinds: some }) => sum + some.length, 0);
  return `aws: ${operations.length} operations, ${calls} calls, ${kinds} kinds of answers, violations ${violations.length} (botocore ${botocore})`;
}
