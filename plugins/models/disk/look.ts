import { stat } from 'node:fs/promises';

/** A file as somebody found it: whoever writes to it, or puts another in its place, changes its mark. */
export type Look = { readonly bytes: number; readonly mark: string; readonly settled: boolean };

/**
 * Milliseconds. Clocks of file systems are coarse: a younger file may change again within the same timestamp.
 */
const SETTLED = 2000;

/**
 * @returns a mark of inode, size and times. The change time is the file system's own; `touch` cannot set it
 * back.
 */
export async function look(path: string): Promise<Look> {
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
  return {
    bytes: Number(size),
    mark: [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    settled: Date.now() - Number(ctimeMs) > SETTLED,
  };
}
