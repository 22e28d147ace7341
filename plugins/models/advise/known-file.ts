import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { artifactFormatOf } from '../artifact/formats.ts';
import { readContents } from '../artifact/read.ts';
import { sourceOf } from '../artifact/sources/sources.ts';
import type { SourceContext } from '../contracts/sources/artifact-source.ts';
import { problemError } from '../problems/errors.ts';
import type { KnownFile } from './needs.ts';

/**
 * What an artifact tells of itself without being loaded: shapes and types. Weights outside the graph need not
 * be there, and are not fetched.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `_INVALID`
 */
export async function knownFile(reference: string, context: SourceContext): Promise<KnownFile> {
  const source = sourceOf(reference);
  const resolved = await source.resolve(reference, context);
  const format = artifactFormatOf(resolved.files.map(({ path }) => path));
  const { path } = await source.fetch(resolved, () => [], context);
  const graph = resolved.isFolder ? join(path, format.main) : path;
  const fault = { key: context.key, value: reference };
  if (!(await stat(graph).catch(() => undefined))?.isFile())
    throw problemError([
      {
        ...fault,
        code: 'MODELS_ARTIFACT_MISSING',
        message: `${reference} has no ${format.main}.`,
        fix: `Name its graph ${format.main}, or name the file itself.`,
      },
    ]);
  return readContents(
    format,
    graph,
    (message, fix = 'Name a model in the ONNX format; export it again if it should be one.') =>
      problemError([{ ...fault, code: 'MODELS_ARTIFACT_INVALID', message: `${reference}: ${message}`, fix }]),
  );
}
