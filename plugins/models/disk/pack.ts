import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, keyOf, once, place } from './cache.ts';
import { type ArchiveEntry, sha256Text } from './files.ts';
import { writeZip } from './zip.ts';

type Code = Readonly<Record<string, string>>;

async function writeCode(code: Code, folder: string): Promise<void> {
  for (const [path, text] of Object.entries(code)) await writeFile(join(folder, path), text);
}

const entriesOf = (code: Code, folder: string): readonly ArchiveEntry[] =>
  Object.entries(code).map(([path, text]) => ({
    path,
    from: join(folder, path),
    bytes: Buffer.byteLength(text),
  }));

/** What code is to a cache: the same text under another name is another zip. */
const digestsOf = (code: Code): readonly (readonly [string, string])[] =>
  Object.entries(code).map(([path, text]) => [path, sha256Text(text)]);

/** Code as files of the cache. */
export async function keepCode(code: Code): Promise<readonly ArchiveEntry[]> {
  const key = keyOf('code/2', digestsOf(code)).slice(0, 32);
  return entriesOf(code, await once(cacheFolder('code', key), (draft) => writeCode(code, draft)));
}

/** One function: its zip (cached by content) in the output folder, and what is in that. */
export async function packZip(
  name: string,
  code: Code,
  files: readonly (ArchiveEntry & { readonly sha256: string })[],
  {
    outDir,
    zipOf = (key) => `${key}.zip`,
  }: { readonly outDir: string; readonly zipOf?: (key: string) => string },
): Promise<{
  readonly content: readonly ArchiveEntry[];
  readonly zip: string;
  readonly zipBytes: number;
  readonly bytes: number;
}> {
  const key = keyOf(
    'zip/2',
    digestsOf(code),
    files.map(({ path, sha256: digest }) => [path, digest]),
  ).slice(0, 32);
  const contentIn = (folder: string): readonly ArchiveEntry[] => [...entriesOf(code, folder), ...files];
  const folder = await once(cacheFolder('zips', key), async (draft) => {
    await writeCode(code, draft);
    await writeZip(join(draft, 'function.zip'), contentIn(draft));
  });
  const zip = join(outDir, zipOf(name));
  await rm(zip, { force: true });
  await place(join(folder, 'function.zip'), zip);
  const { size: zipBytes } = await stat(zip);
  const content = contentIn(folder);
  return { content, zip, zipBytes, bytes: content.reduce((sum, { bytes }) => sum + bytes, 0) };
}
