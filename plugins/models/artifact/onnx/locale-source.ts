import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptArtifact, SourceFile } from '../../contracts/artifact-format.ts';
import { cacheFolder, keyOf, once, place } from '../../disk/cache.ts';
import { sha256Of } from '../../disk/files.ts';
import { graphOf } from './inspect.ts';
import { LOCALE, rewriteLocales } from './locale.ts';
import type { OnnxInfo } from './onnx.ts';

/**
 * @returns the source, its graph replaced by one that asks for a locale that Lambda has, where it asks for
 * one.
 */
export async function withLocale(source: KeptArtifact<OnnxInfo>): Promise<KeptArtifact<OnnxInfo>> {
  // On other systems ONNX Runtime is another build, which may not have `C.UTF-8`; the shipped graph is the
  // same.
  if (!source.info.operators.has('StringNormalizer')) return source;
  const folder = await once(
    cacheFolder('locales', keyOf(source.digest, LOCALE).slice(0, 32)),
    async (draft) => {
      await writeFile(join(draft, 'model.onnx'), rewriteLocales(await readFile(graphOf(source))));
      // ONNX Runtime looks for weights beside the graph.
      for (const { path, from } of source.files.slice(1)) await place(from, join(draft, path));
    },
  );
  const files: SourceFile[] = [];
  for (const file of source.files) {
    const from = join(folder, file.path);
    files.push(
      file.path === 'model.onnx'
        ? { ...file, from, bytes: (await readFile(from)).length, sha256: await sha256Of(from) }
        : { ...file, from },
    );
  }
  return { ...source, files };
}
