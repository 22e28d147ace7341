import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { root } from '../../docs/pages.ts';
import type { Told } from './told.ts';

/** The repository’s sources and pages in another folder, with one new file and one new entry. */
let copy = '';
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'models-format-'));
  for (const folder of ['core', 'plugins', 'layers', 'docs', 'test/unit', 'test/fakes', 'aws'])
    await cp(join(root, folder), join(copy, folder), {
      recursive: true,
      filter: (path) => !/node_modules|\.test\.ts$/.test(path.slice(root.length)),
    });
  for (const file of ['package.json', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'])
    await cp(join(root, file), join(copy, file));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

const NOOP = `import type { TabularFormat } from '../cells/tabular-format.ts';

export const noop: TabularFormat = {
  suffix: '.noop',
  streams: false,
  isArray: false,
  nests: false,
  open: async () => ({ carried: [], async *all() {} }),
  writer: async () => () => ({ add() {}, size: () => 0, end: () => new Uint8Array() }),
};
`;

it('a new format is one new file and one entry: declaration, JSON Schema and docs know it', async () => {
  await mkdir(join(copy, 'core', 'tabular', 'noop'));
  await writeFile(join(copy, 'core', 'tabular', 'noop', 'noop.ts'), NOOP);
  const list = join(copy, 'core', 'tabular', 'formats.ts');
  const before = await readFile(list, 'utf8');
  const after = before
    .replace(/^import \{ npy \}/m, "import { noop } from './noop/noop.ts';\n$&")
    .replace(/\{ (csv.*) \};/, '{ $1, noop };');
  expect(after.length).toBeGreaterThan(before.length + 40);
  await writeFile(list, after);

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(copy, 'test', 'unit', 'core', 'tabular', 'told.ts')],
    { cwd: copy },
  );
  const told: Told = JSON.parse(stdout);
  expect(told.formats).toEqual([
    ['noop', 'noop'],
    ['csv', 'noop'],
  ]);
  expect(told.problems).toEqual([
    'models.churn.drift.baseline: Write the path of a .csv, .jsonl, .npy, .parquet or .noop file, relative to serverless.yml.',
    'models.churn.batch.0.format: Write one of csv, jsonl, npy, parquet, noop.',
  ]);
  expect(told.schema).toContain('"enum":["csv","jsonl","npy","parquet","noop"]');
  expect(told.schema).toContain('parquet|\\\\.noop)$');
  expect(told.options).toMatch(/`models\.<name>\.batch\[\]\.outputFormat` \|.*`parquet` \\\| `noop`/);
  expect(told.options).toMatch(/`models\.<name>\.drift\.baseline` \|.*`\.parquet` or `\.noop`/);
  expect(told.docs).toMatch(/\n\| `noop` \| `\*\.noop` \| no \| with names/);
  expect(told.part).toMatch(/\/part-00000\.noop$/);
});
