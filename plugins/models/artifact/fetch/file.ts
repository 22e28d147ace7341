import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  ResolvedFile,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { problemError } from '../../problems/errors.ts';

/** @throws ProblemError `MODELS_ARTIFACT_MISSING` */
export async function resolveFile(
  reference: string,
  { key, serviceDir }: SourceContext,
): Promise<ResolvedArtifact> {
  const path = resolve(serviceDir, reference);
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) {
    throw problemError([
      {
        code: 'MODELS_ARTIFACT_MISSING',
        key,
        value: reference,
        message: `${reference} does not exist.`,
        // `npx serverless-models advise` has a file alone, and no service around it.
        fix:
          key === reference
            ? 'Write the path of a model, relative to this folder.'
            : 'Write a path relative to serverless.yml.',
      },
    ]);
  }
  const isFolder = there.isDirectory();
  const files = isFolder ? await filesIn(path) : [{ path: basename(path), bytes: there.size }];
  return { reference, isFolder, files };
}

/**
 * What lies in it itself: below may be anything, for example node_modules. None of a folder that may not be
 * listed, but read.
 */
async function filesIn(folder: string): Promise<readonly ResolvedFile[]> {
  const found = await Promise.all(
    (await readdir(folder).catch(() => [])).map(async (path) => {
      const there = await stat(join(folder, path)).catch(() => undefined);
      return there?.isFile() ? [{ path, bytes: there.size }] : [];
    }),
  );
  return found.flat();
}

/** It is there already, and what it names beside it, too. */
export const fetchFile = async (
  { reference }: ResolvedArtifact,
  { serviceDir }: SourceContext,
): Promise<FetchedArtifact> => ({ path: resolve(serviceDir, reference), isOurs: false });
