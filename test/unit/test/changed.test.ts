import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { keptFiles, leadsOf, touchedTests } from '../../changed.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const files = keptFiles(root);
const tests = files.filter((file) => /^test\/.*\.test\.ts$/.test(file));
const sources = files.filter((file) => file.endsWith('.ts'));
const known = new Map<string, ReadonlySet<string>>();
const leads = (file: string): ReadonlySet<string> => {
  if (file.endsWith('/')) return new Set(sources.filter((one) => one.startsWith(file)));
  const found = known.get(file) ?? (sources.includes(file) ? leadsOf(root, file) : new Set());
  known.set(file, found);
  return found;
};
const touchedBy = (...changed: readonly string[]) => touchedTests(changed, tests, leads);

it('what is imported, directly or not, touches a test', () => {
  const touched = touchedBy('core/drift/statistics/normal.ts');
  expect(touched).toContain('test/unit/plugins/models/plan/drift/monitor.test.ts');
  expect(touched).not.toContain('test/unit/bench/claims.test.ts');
});

it('what is bundled, or started as a process, touches the tests that deploy it', () => {
  const touched = touchedBy('functions/release/handler.ts');
  for (const project of ['journeys', 'local-aws', 'golden'])
    expect(
      touched.some((test) => test.startsWith(`test/${project}/`)),
      project,
    ).toBe(true);
  expect(touchedBy('functions/catalog/handler.ts').some((test) => test.startsWith('test/journeys/'))).toBe(
    true,
  );
});

it('a page touches the tests that read it, not those of a source that names it to people', () => {
  const touched = touchedBy('docs/batch.md');
  expect(touched).toContain('test/unit/docs/docs.test.ts');
  expect(touched.length).toBeLessThan(tests.length / 10);
});

it('a golden touches the goldens, and the few others that read all of them', () => {
  const golden = touchedBy('test/golden/http-without-authentication/template.json');
  expect(golden).toContain('test/golden/golden.test.ts');
  const others = golden.filter((test) => !test.startsWith('test/golden/'));
  for (const test of ['aws-reference/permissions', 'local-aws/emitted-math', 'laws'])
    expect(others).toContain(`test/${test}.test.ts`);
  expect(others.length).toBeLessThan(10);
});

it('an exported file touches what looks at it, and what asks a host for what it asks', () => {
  const touched = touchedBy('test/export/cases/two-lines-become-objects-of-kubernetes/written/service.yaml');
  for (const test of ['export/kubernetes', 'export/checkov', 'serving/export', 'aws-reference/permissions'])
    expect(touched).toContain(`test/${test}.test.ts`);
  expect(touched.length).toBeLessThan(15);
});

it('settings touch everything, and nothing touches nothing', () => {
  for (const file of [
    'package-lock.json',
    'vitest.config.ts',
    // Started by their paths, or part of the emulator that journeys run on.
    'local-aws/semantics/access/actions.py',
    'test/requirements.txt',
    'test/serving/onnx-worker.ts',
    'test/local-aws/crash/worker-process.ts',
    'test/fixtures/logreg.onnx',
    'layers/onnxruntime/layer.json',
  ])
    expect(touchedBy(file), file).toHaveLength(tests.length);
  expect(touchedBy()).toEqual([]);
});

it('each test touches itself', () => {
  for (const test of tests.filter((_, i) => i % 20 === 0)) expect(touchedBy(test), test).toContain(test);
});
