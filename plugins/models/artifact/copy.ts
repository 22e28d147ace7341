import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from '../contracts/artifact-format.ts';
import { cacheFolder, once, place } from '../disk/cache.ts';
import { sha256Of } from '../disk/files.ts';
import { knownSha256 } from '../disk/known.ts';
import { look } from '../disk/look.ts';

/** A file of the user's, with the mark that it had before anybody read it. */
export type FoundFile = SourceFile & { readonly mark: string };

/** @param path below the artifact @param at absolute; a link stands for what it leads to */
export async function find(path: string, at: string): Promise<FoundFile> {
  const from = await realpath(at);
  return { path, from, ...(await knownSha256(from)) };
}

const CHANGED = Symbol('changed');

/**
 * The cache's own copy of an artifact, its files together in one folder, where ONNX Runtime wants them. What
 * is hashed is what is loaded, optimised and shipped, whoever writes to the user's files meanwhile: a
 * training job, an exporter, `git checkout`.
 *
 * @param digest over all files
 * @returns undefined where one of them changed since it was found
 */
export async function privateCopy(
  files: readonly FoundFile[],
  digest: string,
): Promise<readonly SourceFile[] | undefined> {
  try {
    const folder = await once(cacheFolder('sources', digest.slice(0, 32)), async (draft) => {
      for (const { path, from, sha256 } of files) {
        const to = join(draft, path);
        await unlessGone(place(from, to), from);
        if ((await sha256Of(to)) !== sha256) throw CHANGED;
      }
    });
    // Each may be right by itself, and a graph not go with the weights: one was written between the looks at
    // both.
    for (const { from, mark } of files) {
      if ((await unlessGone(look(from), from)).mark !== mark) throw CHANGED;
    }
    return files.map(({ path, bytes, sha256 }) => ({ path, from: join(folder, path), bytes, sha256 }));
  } catch (error) {
    if (error === CHANGED) return undefined;
    throw error;
  }
}

async function unlessGone<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw isGone && 'path' in error && error.path === path ? CHANGED : error;
  }
}
