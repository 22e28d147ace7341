import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cacheFolder, keyOf } from './cache.ts';
import { sha256Of } from './files.ts';
import { notedSha256 } from './fresh.ts';
import { look } from './look.ts';
import { writeWhole } from './whole.ts';

type Known = { readonly stat: string; readonly sha256: string };

/**
 * Size and sha256 of a file, read only when its inode, size or one of its times changed since the last time:
 * gigabytes that did not change cost nothing.
 *
 * @returns also the mark that it had before it was read: where that is another one later, so may be the
 * content
 */
export async function knownSha256(
  path: string,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly mark: string }> {
  const { bytes, mark, settled } = await look(path);
  const noted = notedSha256(path, mark);
  if (noted !== undefined) return { bytes, mark, sha256: noted };
  const note = cacheFolder('known', `${keyOf(path).slice(0, 32)}.json`);
  const known = await readFile(note, 'utf8')
    .then((text): Known => JSON.parse(text))
    .catch(() => undefined);
  if (known?.stat === mark) return { bytes, mark, sha256: known.sha256 };
  const sha256 = await sha256Of(path);
  // Where it cannot be noted, the file is read again the next time.
  if (settled) await keep(note, { stat: mark, sha256 }).catch(() => undefined);
  return { bytes, mark, sha256 };
}

async function keep(note: string, known: Known): Promise<void> {
  await mkdir(dirname(note), { recursive: true });
  await writeWhole(note, JSON.stringify(known));
}
