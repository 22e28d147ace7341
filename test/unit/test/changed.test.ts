import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { changedFiles, keptFiles, leadsOf, touchedTests } from '../../changed.ts';

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

it('a file that was renamed has changed by both names, and names are as they are', () => {
  const repository = mkdtempSync(join(tmpdir(), 'changed-'));
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=e', ...args], { cwd: repository });
  try {
    git('init', '-q');
    writeFileSync(join(repository, 'old.ts'), 'export const one = 1;\n'.repeat(20));
    writeFileSync(join(repository, 'größe.ts'), '');
    git('add', '.');
    git('commit', '-q', '-m', 'one');
    renameSync(join(repository, 'old.ts'), join(repository, 'new.ts'));
    writeFileSync(join(repository, 'größe.ts'), 'export {};\n');
    git('add', '.');
    writeFileSync(join(repository, 'länge.ts'), '');
    expect(changedFiles(repository)).toEqual(['größe.ts', 'new.ts', 'old.ts', 'länge.ts']);
    expect(() => changedFiles(repository, 'mian')).toThrow(
      /^What has changed since mian is not known: .*mian/,
    );
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
});

it('a commit that is none ends npm test with a sentence, and leaves nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'changed-'));
  try {
    for (const [words, told] of [
      [['mian'], /^What has changed since mian is not known: [^\n]*\n$/],
      [['main', '--project', 'unit'], /^--changed takes a commit and nothing else, and got --project\./],
      [['--project', 'unit'], /^--changed takes a commit and nothing else, and got unit\./],
    ] as const) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(root, 'test', 'all.ts'), '--changed', ...words],
        { cwd: root, encoding: 'utf8', env: { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder } },
      );
      expect(stderr).toMatch(told);
      expect(status).toBe(1);
      expect(readdirSync(folder).filter((name) => name.startsWith('models-test-'))).toEqual([]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
