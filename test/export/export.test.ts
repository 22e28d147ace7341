import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { install, osls4 } from '../golden/frameworks.ts';
import { runPython } from '../python.ts';
import { caseNames, expectedOf, exportCase, keepExpected } from './cases.ts';

const update = process.env.UPDATE === '1';

beforeAll(() => install(osls4));

describe.each(caseNames)('%s', (name) => {
  it('is what the command writes', async () => {
    const { texts } = await exportCase(name);
    if (update) await keepExpected(name, texts);
    expect(texts).toEqual(await expectedOf(name));
  });
});

it('no file has a value of a variable, which may be a secret', async () => {
  const found = await Promise.all(caseNames.map(expectedOf));
  const texts = found.flatMap((one) => Object.values(one));
  expect(texts.some((text) => text.includes('API_KEY'))).toBe(true);
  expect(texts.filter((text) => /a-secret|ops:secret|strict/.test(text))).toEqual([]);
});

const LINT_MS = 300_000;
it('cfn-lint finds nothing in any template', { timeout: LINT_MS + 20_000 }, async () => {
  const here = join(import.meta.dirname, 'cases');
  const templates = (await readdir(here, { recursive: true })).filter((path) =>
    path.endsWith('/template.yaml'),
  );
  expect(templates.length).toBeGreaterThan(1);
  const run = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  const paths = templates.map((path) => join(here, path));
  const found = await runPython('-c', [run, '--format', 'parseable', '--', ...paths], {
    timeout: LINT_MS,
  }).then(
    () => '',
    (error: Error & { stdout?: string }) => error.stdout || error.message,
  );
  expect(found.replaceAll(`${here}/`, '').trim()).toBe('');
});
