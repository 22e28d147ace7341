import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, keyOf, once, place } from './cache.ts';
import { type ArchiveEntry, sha256Text } from './files.ts';
import { writeZip } from './zip.ts';

/** One function: its zip (cached by content) in the output folder, and what is in that. */
export async function packZip(
  name: string,
  code: Readonly<Record<string, string>>,
  files: readonly (ArchiveEntry & { readonly sha256: string })[],
  { outDir }: { readonly outDir: string },
): Promise<{
  readonly content: readonly ArchiveEntry[];
  readonly zip: string;
  readonly zipBytes: number;
  readonly bytes: number;
}> {
  const key = keyOf(
    'zip/1',
    Object.values(code).map(sha256Text).join(' '),
    files.map(({ path, sha256: digest }) => [path, digest]),
  ).slice(0, 32);
  const contentIn = (folder: string): readonly ArchiveEntry[] => [
    ...Object.entries(code).map(([path, text]) => ({
      path,
      from: join(folder, path),
      bytes: Buffer.byteLength(text),
    })),
    ...files,
  ];
  const folder = await once(cacheFolder('zips', key), async (draft) => {
    for (const [path, text] of Object.entries(code)) await writeFile(join(draft, path), text);
    await writeZip(join(draft, 'function.zip'), contentIn(draft));
  });
  const zip = join(outDir, `${name}.zip`);
  await rm(zip, { force: true });
  await place(join(folder, 'function.zip'), zip);
  const { size: zipBytes } = await stat(zip);
  const content = contentIn(folder);
  return { content, zip, zipBytes, bytes: content.reduce((sum, { bytes }) => sum + bytes, 0) };
}
