import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeBom } from '../../../../../plugins/models/images/bom-files.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dir, name), 'utf8'));

it('keeps one for each model that is in a folder, and the last one under the folder’s name', async () => {
  const folder = join(dir, 'image');
  expect(await writeBom({ of: 'churn' }, 'churn', { folder })).toBe(join(dir, 'image.churn.cdx.json'));
  expect(await writeBom({ of: 'fraud' }, 'fraud', { folder })).toBe(join(dir, 'image.fraud.cdx.json'));
  expect(await read('image.churn.cdx.json')).toEqual({ of: 'churn' });
  expect(await read('image.fraud.cdx.json')).toEqual({ of: 'fraud' });
  expect(await read('image.cdx.json')).toEqual({ of: 'fraud' });
  expect(await readdir(dir)).toHaveLength(3);
});

it('is where somebody says, and there alone; nowhere without a folder', async () => {
  const [folder, path] = [join(dir, 'other'), join(dir, 'mine.json')];
  expect(await writeBom({ of: 'churn' }, 'churn', { folder, path })).toBe(path);
  expect(await read('mine.json')).toEqual({ of: 'churn' });
  expect((await readdir(dir)).filter((name) => name.startsWith('other'))).toEqual([]);
  expect(await writeBom({}, 'churn', {})).toBeUndefined();
});

it('names the option and the file where it cannot be written', async () => {
  const path = join(dir, 'none', 'a.json');
  await expect(writeBom({}, 'churn', { path })).rejects.toThrow(
    /^--sbom: .*a\.json cannot be written: ENOENT/,
  );
  await expect(writeBom({}, 'churn', { folder: join(dir, 'none', 'a') })).rejects.toThrow(
    /^--output: .*a\.cdx\.json cannot be written/,
  );
});
