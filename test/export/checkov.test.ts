import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkov, checkovPython, type Finding } from '../golden/checkov.ts';

const CASES = join(import.meta.dirname, 'cases');

/** What checkov finds and is left so, each with the reason. */
const EXCEPTIONS: readonly (readonly [check: string, reason: string])[] = [
  [
    'CKV_K8S_21',
    'Which namespace it is says whoever applies the files: kubectl -n, or an overlay of kustomize.',
  ],
  [
    'CKV_K8S_35',
    'A transform reads its variables from the environment, as on Lambda; files would be another contract.',
  ],
  [
    'CKV_AWS_158',
    'CloudWatch encrypts logs with its own key; they have no inputs and no answers of requests.',
  ],
];

describe.each(['kubernetes', 'cloudformation'] as const)(
  'checkov on what is exported for %s',
  (framework) => {
    let findings: readonly Finding[] = [];
    beforeAll(async () => {
      await checkovPython();
      findings = await checkov(CASES, framework);
    });
    const ofFramework = EXCEPTIONS.filter(
      ([check]) => check.startsWith('CKV_K8S') === (framework === 'kubernetes'),
    );

    it('finds nothing but what is left so for a reason', () => {
      const left = findings.filter(({ check }) => !ofFramework.some(([name]) => name === check));
      expect(left.map(({ check, name, resource, file }) => `${file}: ${resource}: ${check} ${name}`)).toEqual(
        [],
      );
    });

    it.each(ofFramework)('still needs the exception of %s: %s', (check) => {
      expect(findings.some((found) => found.check === check)).toBe(true);
    });
  },
);
