import { createHash } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Builder, Code, ModelFile, Packed } from '../../contracts/builder.ts';
import { cacheFolder, keyOf, once, place } from '../../disk/cache.ts';
import { writeZip } from '../../disk/zip.ts';
import { throwProblems } from '../../problems/errors.ts';
import { buildLayer } from './layer-build.ts';
import { lambdaZip } from './plan.ts';
import { artifactProblems, UNZIPPED_BYTES } from './size.ts';

const remoteOf: Builder['remoteOf'] = (files, code, runtimeBytes, key) => {
  const codeBytes = Object.values(code).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const modelBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (codeBytes + modelBytes + runtimeBytes <= UNZIPPED_BYTES) return [];
  throwProblems(artifactProblems(modelBytes, key));
  return files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes }));
};

/** One function: its zip (cached by content) in the output folder, and what is in that. */
export async function packZip(
  name: string,
  code: Code,
  files: readonly ModelFile[],
  { outDir }: { readonly outDir: string },
): Promise<Packed> {
  const key = keyOf(
    'zip/1',
    Object.values(code).map(sha256Text).join(' '),
    files.map(({ path, sha256: digest }) => [path, digest]),
  ).slice(0, 32);
  const contentIn = (folder: string): Packed['content'] => [
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

export const sha256Text = (text: string): string => createHash('sha256').update(text).digest('hex');

export const lambdaZipBuilder: Builder = {
  kind: lambdaZip.kind,
  remoteOf,
  pack: packZip,
  sharing: ({ name }, architecture) =>
    [lambdaZip.kind, name.toLowerCase().replaceAll(' ', '-'), architecture].join('-'),
  runtime: buildLayer,
};
