import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Parser, type ReadEntry } from 'tar';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesBelow } from '../../../../../plugins/models/disk/files.ts';
import { writeTar } from '../../../../../plugins/models/disk/tar-write.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const LONG = `${'n'.repeat(90)}/${'m'.repeat(120)}/ä and ü.txt`;
const FILES = {
  'opt/us/a.txt': 'a',
  'opt/us/b/c.txt': 'c'.repeat(513),
  [`opt/us/${LONG}`]: 'long',
  'opt/us/empty': '',
};

async function written(name: string, order: readonly string[], mode: number, at: Date): Promise<string> {
  const root = join(folder, name);
  for (const path of order) {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, FILES[path] ?? '');
    await chmod(file, mode);
    await utimes(file, at, at);
  }
  return root;
}

async function tarOf(entries: Parameters<typeof writeTar>[0]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it('makes the same bytes of files that were made at other times, by others, in another order', async () => {
  const paths = Object.keys(FILES);
  const one = await written('one', paths, 0o600, new Date('2020-01-01'));
  const other = await written('other', paths.toReversed(), 0o755, new Date('2026-11-28'));
  const [first, second] = [await filesBelow(one), (await filesBelow(other)).toReversed()];
  expect((await tarOf(first)).equals(await tarOf(second))).toBe(true);
});

it('is read by another reader, with names of any length, for everybody to read', async () => {
  const root = await written('read', Object.keys(FILES), 0o600, new Date());
  const found: unknown[] = [];
  const parser = new Parser({
    onReadEntry: (entry: ReadEntry) => {
      const { path, mode, uid, gid, type, mtime, size } = entry;
      found.push({ path, mode, uid, gid, type, mtime, size });
      entry.resume();
    },
  });
  const archive = await tarOf(await filesBelow(root));
  await new Promise<void>((resolve) => {
    parser.once('end', () => resolve());
    parser.end(archive);
  });
  const whole = { uid: 0, gid: 0, mtime: new Date(0) };
  const file = { ...whole, type: 'File', mode: 0o644 };
  const dir = { ...whole, type: 'Directory', mode: 0o755, size: 0 };
  // `opt` is the base's.
  expect(found).toEqual([
    { path: 'opt/us/', ...dir },
    { path: 'opt/us/a.txt', ...file, size: 1 },
    { path: 'opt/us/b/', ...dir },
    { path: 'opt/us/b/c.txt', ...file, size: 513 },
    { path: 'opt/us/empty', ...file, size: 0 },
    { path: `opt/us/${'n'.repeat(90)}/`, ...dir },
    { path: `opt/us/${dirname(LONG)}/`, ...dir },
    { path: `opt/us/${LONG}`, ...file, size: 4 },
  ]);
});

it.skipIf(process.platform === 'win32')('is unpacked by the tar of this system', async () => {
  const root = await written('system', Object.keys(FILES), 0o600, new Date());
  const to = join(folder, 'unpacked');
  await mkdir(to);
  execFileSync('tar', ['-xf', '-', '-C', to], { input: await tarOf(await filesBelow(root)) });
  expect((await filesBelow(to)).map(({ path, bytes }) => [path, bytes])).toEqual(
    Object.entries(FILES)
      .map(([path, text]) => [path, text.length])
      .toSorted(),
  );
});

it('refuses a file that is not as long as it was, that has gone, or that is named twice', async () => {
  const from = join(folder, 'short');
  await writeFile(from, 'short');
  for (const entry of [
    { path: 'a/b', from, bytes: 6 },
    { path: 'a/b', from, bytes: 4 },
    { path: 'a/b', from: join(folder, 'nowhere'), bytes: 1 },
  ])
    await expect(tarOf([entry])).rejects.toThrow(/\[MODELS_CACHE\]/);
  const entry = { path: 'a/b', from, bytes: 5 };
  await expect(tarOf([entry, entry])).rejects.toThrow('a/b is in the archive twice');
});
