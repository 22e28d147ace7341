import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReadRange } from '../../../../core/ports/files.ts';
import { fetchRemoteFile } from '../../../../functions/runtime/remote.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const content = randomBytes(20 * 1024 * 1024 + 7);
const file = {
  path: 'model/weights.bin',
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
};
/** Later parts arrive first. */
const slowly: ReadRange = async (_sha256, start, end) => {
  await new Promise((done) => setTimeout(done, start === 0 ? 30 : 5));
  return content.subarray(start, end);
};

test('ranges in any order make the file, and it is fetched once', async () => {
  await fetchRemoteFile(file, folder, slowly);
  expect((await readFile(join(folder, file.path))).equals(content)).toBe(true);
  await fetchRemoteFile(file, folder, () => Promise.reject(new Error('asked again')));
});

test('other bytes than were packaged are refused, and nothing is left', async () => {
  const changed: ReadRange = async (sha256, start, end) => {
    const bytes = Buffer.from(await slowly(sha256, start, end));
    if (start > 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes;
  };
  await expect(fetchRemoteFile(file, folder, changed)).rejects.toThrow(/sha256/);
  expect(await readdir(join(folder, 'model'))).toEqual([]);
});

test('a failing range fails the file; what was cut off is fetched anew', async () => {
  const failing: ReadRange = (sha256, start, end) =>
    start > 10_000_000 ? Promise.reject(new Error('denied')) : slowly(sha256, start, end);
  await expect(fetchRemoteFile(file, folder, failing)).rejects.toThrow('denied');
  await writeFile(join(folder, `${file.path}.part`), 'half');
  await fetchRemoteFile(file, folder, slowly);
  expect((await readFile(join(folder, file.path))).equals(content)).toBe(true);
});
