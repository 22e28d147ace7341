import { readlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a file whole or not at all, also where several processes write the same at once, as two hosts that
 * share /tmp do: each has a part of its own, and the file gets its name only when it is whole. What a process
 * left that was ended meanwhile is removed by the next.
 * @param write makes the part, at the path that it is given; what it throws is thrown, and nothing is left
 */
export async function wholeFile(path: string, write: (part: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await dropLeftovers(path);
  const part = `${path}.${SPACE}-${process.pid}-${++count}${PART}`;
  try {
    await write(part);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
const PART = '.part';
let count = 0;

/**
 * Whose process ids these are: containers that share a folder have their own.
 * https://man7.org/linux/man-pages/man7/pid_namespaces.7.html
 */
const SPACE = spaceOf();
function spaceOf(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    // Another system than Linux, where all processes are in one.
    return '0';
  }
}

/** Milliseconds without a byte written after which nobody writes any more: each is ended sooner. */
const LEFT_MS = 15 * 60_000;

async function dropLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = `${basename(path)}.`;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(begin) || !name.endsWith(PART)) continue;
    const [, space, pid] = /^(\d+)-(\d+)-\d+\.part$/.exec(name.slice(begin.length)) ?? [];
    const part = join(folder, name);
    if ((space === SPACE && !isAlive(Number(pid))) || (await isOld(part))) await rm(part, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is another user’s.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

const isOld = (part: string): Promise<boolean> =>
  stat(part).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > LEFT_MS,
    () => false,
  );
