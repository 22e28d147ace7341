import { readFile, stat } from 'node:fs/promises';
import { cacheFolder, keyOf, writeWhole } from './cache.ts';
import { sha256Of } from './zip.ts';

type Known = { readonly stat: string; readonly sha256: string };

/** Clocks of file systems are coarse: a file this young may change again within the same timestamp. */
const SETTLED = 2000;

/**
 * Size and sha256 of a file, read only when its inode, size or one of its times changed since the last time:
 * gigabytes that did not change cost nothing. The change time is the file system's own; `touch` cannot set it back.
 */
export async function knownSha256(
  path: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
  const now = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  const note = cacheFolder('known', `${keyOf(path).slice(0, 32)}.json`);
  const known = await readFile(note, 'utf8')
    .then((text): Known => JSON.parse(text))
    .catch(() => undefined);
  const bytes = Number(size);
  if (known?.stat === now) return { bytes, sha256: known.sha256 };
  const sha256 = await sha256Of(path);
  if (Date.now() - Number(ctimeMs) > SETTLED) {
    // Where it cannot be noted, the file is read again the next time.
    await writeWhole(note, JSON.stringify({ stat: now, sha256 } satisfies Known)).catch(() => undefined);
  }
  return { bytes, sha256 };
}
