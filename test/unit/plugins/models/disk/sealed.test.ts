import { spawnSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mayWriteSealed, writeSealed } from '../../../../../plugins/models/disk/sealed.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealed-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (files: Readonly<Record<string, string>>, overwrite = false, by = 'sls models export') =>
  writeSealed(folder, files, { by, key: '--output', overwrite });
const textOf = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

it('what nobody changed is written anew, and what is the same is left alone', async () => {
  expect(await write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })).toEqual({
    'a.yaml': 'created',
    'b.yaml': 'created',
  });
  expect(await write({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 1\n' })).toEqual({
    'a.yaml': 'changed',
    'b.yaml': 'unchanged',
  });
  expect(await textOf('a.yaml')).toMatch(
    /^# Written by sls models export; sha256 of the lines below: [0-9a-f]{64}\na: 2\n$/,
  );
});

it('a file that a person changed keeps all from being written, until that may be lost', async () => {
  await write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' });
  const changed = (await textOf('b.yaml')).replace('b: 1', 'b: 7');
  await writeFile(join(folder, 'b.yaml'), changed);
  await expect(write({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 2\n', 'c.yaml': 'c: 2\n' })).rejects.toThrow(
    /b\.yaml was changed since it was written.*nothing was written.*--overwrite/s,
  );
  expect(await readdir(folder)).toEqual(['a.yaml', 'b.yaml']);
  expect(await textOf('a.yaml')).toContain('a: 1');
  expect(await textOf('b.yaml')).toBe(changed);
  expect(await write({ 'a.yaml': 'a: 2\n', 'b.yaml': 'b: 2\n' }, true)).toEqual({
    'a.yaml': 'changed',
    'b.yaml': 'changed',
  });
  expect(await textOf('b.yaml')).toContain('b: 2');
});

it('a file of somebody else under the same name is refused, one beside it is left', async () => {
  await writeFile(join(folder, 'a.yaml'), 'mine: true\n');
  await writeFile(join(folder, 'other.yaml'), 'mine: true\n');
  await expect(write({ 'a.yaml': 'a: 1\n' })).rejects.toThrow(/a\.yaml is not of this command/);
  await write({ 'a.yaml': 'a: 1\n' }, true);
  expect(await textOf('other.yaml')).toBe('mine: true\n');
});

it('a model of gigabytes beside them is not read', async () => {
  const model = join(folder, 'model.onnx');
  await writeFile(model, '');
  await truncate(model, 3 * 1024 ** 3);
  expect(await write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })).toEqual({
    'a.yaml': 'created',
    'b.yaml': 'created',
  });
  expect(await write({ 'a.yaml': 'a: 1\n' })).toEqual({ 'a.yaml': 'unchanged', 'b.yaml': 'removed' });
  expect((await lstat(model)).size).toBe(3 * 1024 ** 3);
});

it('a file beside them that this user may not read is left', async () => {
  const secret = join(folder, 'secret.yaml');
  await writeFile(secret, 'mine: true\n');
  await chmod(secret, 0);
  await chmod(folder, 0o777);
  // Root may read anything.
  const nobody = process.getuid?.() === 0 ? 'process.setuid(65534);' : '';
  const program = `
    const { writeSealed } = await import(${JSON.stringify(import.meta.resolve('../../../../../plugins/models/disk/sealed.ts'))});
    ${nobody}
    await writeSealed(${JSON.stringify(folder)}, { 'a.yaml': 'a: 1\\n' }, { by: 'us', key: '--output', overwrite: false });`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(await readdir(folder)).toEqual(['a.yaml', 'secret.yaml']);
});

it('a link is not followed, and nothing is written beside a folder under one of the names', async () => {
  const theirs = join(folder, 'theirs.txt');
  await writeFile(theirs, 'mine: true\n');
  await symlink(theirs, join(folder, 'b.yaml'));
  await expect(write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' })).rejects.toThrow(
    /b\.yaml is a link.*nothing was written.*--overwrite/s,
  );
  expect(await readdir(folder)).toEqual(['b.yaml', 'theirs.txt']);
  await write({ 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' }, true);
  expect(await readFile(theirs, 'utf8')).toBe('mine: true\n');
  expect((await lstat(join(folder, 'b.yaml'))).isSymbolicLink()).toBe(false);
  await mkdir(join(folder, 'c.yaml'));
  await expect(write({ 'a.yaml': 'a: 2\n', 'c.yaml': 'c: 1\n' }, true)).rejects.toThrow(
    /c\.yaml is a folder.*nothing was written/s,
  );
  expect(await textOf('a.yaml')).toContain('a: 1');
  expect(await readdir(folder)).toEqual(['a.yaml', 'b.yaml', 'c.yaml', 'theirs.txt']);
});

it('what is written no more goes, but not where a person changed it, nor what another command wrote', async () => {
  await write({ 'a.yaml': 'a: 1\n', 'old.yaml': 'old: 1\n' });
  await write({ 'theirs.yaml': 'b: 1\n' }, false, 'another command');
  await writeFile(join(folder, 'old.yaml'), (await textOf('old.yaml')).replace('old: 1', 'old: 7'));
  await expect(write({ 'a.yaml': 'a: 1\n' })).rejects.toThrow(/old\.yaml was changed/);
  await writeFile(join(folder, 'old.yaml'), (await textOf('old.yaml')).replace('old: 7', 'old: 1'));
  expect(await write({ 'a.yaml': 'a: 1\n' })).toEqual({ 'a.yaml': 'unchanged', 'old.yaml': 'removed' });
  expect(await readdir(folder)).toEqual(['a.yaml', 'theirs.yaml']);
});

it('what is of another model, or stage, is told, and left as it is until it may be lost', async () => {
  await write({ 'a.yaml': 'a: 1\n' }, false, 'export for shop-dev-churn');
  const theirs = await textOf('a.yaml');
  await expect(write({ 'a.yaml': 'a: 2\n' }, false, 'export for shop-prod-churn')).rejects.toThrow(
    /a\.yaml was written by export for shop-dev-churn, and not by export for shop-prod-churn\..*nothing was written.*--output.*--overwrite/s,
  );
  expect(await textOf('a.yaml')).toBe(theirs);
  expect(await write({ 'a.yaml': 'a: 2\n' }, true, 'export for shop-prod-churn')).toEqual({
    'a.yaml': 'changed',
  });
  await writeFile(join(folder, 'a.yaml'), theirs.replace('export for', 'export \u001b[31m'));
  await expect(write({ 'a.yaml': 'a: 2\n' })).rejects.toThrow(/a\.yaml is not of this command/);
});

it('what an earlier version wrote is written anew where it is of the same', async () => {
  const formerly = (own: boolean) => ({
    by: 'export',
    areThese: (texts: readonly string[]) => own && texts.some((text) => text.includes('a: 1')),
  });
  const anew = (own: boolean) =>
    writeSealed(
      folder,
      { 'a.yaml': 'a: 2\n' },
      { by: 'export for churn', formerly: formerly(own), key: '--output', overwrite: false },
    );
  await write({ 'a.yaml': 'a: 1\n', 'old.yaml': 'b: 1\n' }, false, 'export');
  await expect(anew(false)).rejects.toThrow(/a\.yaml was written by export, and not by export for churn/);
  const changed = (await textOf('a.yaml')).replace('a: 1', 'a: 1 # mine');
  const before = await textOf('a.yaml');
  await writeFile(join(folder, 'a.yaml'), changed);
  await expect(anew(true)).rejects.toThrow(/a\.yaml was changed since it was written/);
  await writeFile(join(folder, 'a.yaml'), before);
  expect(await anew(true)).toEqual({ 'a.yaml': 'changed', 'old.yaml': 'removed' });
  expect(await textOf('a.yaml')).toMatch(/^# Written by export for churn; /);
});

it('line ends of another system are no change', async () => {
  await write({ 'a.yaml': 'a: 1\nb: 1\n' });
  await writeFile(join(folder, 'a.yaml'), (await textOf('a.yaml')).replaceAll('\n', '\r\n'));
  expect(await write({ 'a.yaml': 'a: 2\nb: 1\n' })).toEqual({ 'a.yaml': 'changed' });
});

it('what is there already, seal and all, is no change whoever wrote it', async () => {
  await write({ 'a.yaml': 'a: 1\n' });
  expect(await write({ 'a.yaml': 'a: 1\n' })).toEqual({ 'a.yaml': 'unchanged' });
});

it('a folder that cannot be one is told with its path', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(
    writeSealed(join(folder, 'file'), { 'a.yaml': 'a: 1\n' }, { by: 'x', key: '--output', overwrite: false }),
  ).rejects.toThrow(/--output: .*file cannot be written/);
});

it('whether it can be written is told before, and changes nothing', async () => {
  const may = (to: string, overwrite = false) =>
    mayWriteSealed(to, ['a.yaml'], { by: 'sls models export', key: '--output', overwrite });
  await may(join(folder, 'not', 'there'));
  expect(await readdir(folder)).toEqual([]);
  await writeFile(join(folder, 'a.yaml'), 'mine: true\n');
  await expect(may(folder)).rejects.toThrow(/a\.yaml is not of this command.*nothing was written/s);
  await may(folder, true);
  expect(await textOf('a.yaml')).toBe('mine: true\n');
  for (const to of [join(folder, 'a.yaml'), join(folder, 'a.yaml', 'under')])
    await expect(may(to), to).rejects.toThrow(/--output: .*cannot be written: E(NOTDIR|ACCES)/);
});
