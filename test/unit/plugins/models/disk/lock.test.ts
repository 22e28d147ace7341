import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { underLock } from '../../../../../plugins/models/disk/lock.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs so many at a time. @returns the most that were in it together */
async function together(lock: string, count: number, dead?: number): Promise<number> {
  let [inside, most] = [0, 0];
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(5);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: count }, () => underLock(lock, work, dead)));
  return most;
}

it('lets one in at a time, and leaves nothing behind', async () => {
  expect(await together(join(folder, 'a.lock'), 8)).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it.each(['somebody', ''])('takes the lock of who died: %j', async (holder) => {
  const lock = join(folder, 'b.lock');
  await writeFile(lock, holder);
  expect(await together(lock, 8, 300)).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it('is given back where the work fails', async () => {
  const lock = join(folder, 'c.lock');
  await expect(underLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await underLock(lock, async () => 'next')).toBe('next');
  await expect(underLock(join(folder, 'none', 'd.lock'), async () => {})).rejects.toThrow('ENOENT');
});
