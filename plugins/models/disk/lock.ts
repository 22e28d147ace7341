import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Milliseconds that a lock may stay the same. What is done under one takes some of them, so whoever holds it
 * longer has died.
 */
const DEAD = 10_000;
/** Milliseconds between two looks. */
const LOOK = 20;

/**
 * Does something of a moment that other processes of this or another machine must not do meanwhile.
 *
 * @param lock path of a file that is there as long as that takes, in a folder that is there
 */
export async function underLock<T>(lock: string, work: () => Promise<T>, dead = DEAD): Promise<T> {
  const mine = randomBytes(16).toString('hex');
  let seen: string | undefined;
  let since = performance.now();
  while (!(await take(lock, mine))) {
    const now = await holderOf(lock);
    if (now === undefined || now !== seen) {
      seen = now;
      since = performance.now();
    } else if (performance.now() - since > dead) await takeAway(lock, now);
    await sleep(LOOK);
  }
  try {
    return await work();
  } finally {
    if ((await holderOf(lock)) === mine) await rm(lock, { force: true });
  }
}

const take = (lock: string, mine: string): Promise<boolean> =>
  writeFile(lock, mine, { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

/** @returns undefined where nobody holds it any more */
const holderOf = (lock: string): Promise<string | undefined> =>
  readFile(lock, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

/** Out of the way first: another process may have done the same, and a third may hold it since. */
async function takeAway(lock: string, dead: string): Promise<void> {
  const aside = `${lock}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(lock, aside);
    if ((await holderOf(aside)) !== dead) await copyFile(aside, lock, constants.COPYFILE_EXCL);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}
