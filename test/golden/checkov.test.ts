import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkov, checkovPython, type Finding } from './checkov.ts';
import { EXCEPTIONS } from './checkov-exceptions.ts';

describe('checkov', () => {
  let findings: readonly Finding[] = [];
  beforeAll(async () => {
    await checkovPython();
    findings = await checkov(dirname(fileURLToPath(import.meta.url)));
  });
  const excepted = ({ check, resource }: Finding): boolean =>
    EXCEPTIONS.some((exception) => exception.check === check && exception.resource.test(resource));

  it('finds nothing in any template but what is left so for a reason', () => {
    expect(findings.length).toBeGreaterThan(10);
    const left = findings.filter((finding) => !excepted(finding));
    expect(left.map(({ check, name, resource, file }) => `${file}: ${resource}: ${check} ${name}`)).toEqual(
      [],
    );
  });

  it.each(EXCEPTIONS.map(({ check, resource, reason }) => [check, resource, reason] as const))(
    'still needs the exception of %s for %s: %s',
    (check, resource) => {
      expect(findings.some((found) => found.check === check && resource.test(found.resource))).toBe(true);
    },
  );
});
