import type { Model } from '../declaration/model.ts';

/**
 * What the zips of the service's own functions leave out: artifacts, with the external data that exporters
 * write beside them (`churn.onnx.data`, `churn.onnx_data`), reference and training data, gate cases and
 * labelled rows. The framework packs the whole folder by itself, and no row of such data may leave the
 * machine. The cache is left out with what it has of them: a build keeps it in the service's folder, where it
 * may keep nothing else. Pure.
 *
 * @param cache its folder
 * @param within a path as the framework sees it: relative to the service, with `/`, and by each other name
 * that it has there; none where it lies elsewhere
 * @returns patterns of `package.patterns`; the user's own come after them, and the last one that matches
 * decides
 */
export function leftOut(
  models: readonly Model[],
  cache: string,
  within: (path: string) => readonly string[],
): readonly string[] {
  const known = (path: string | undefined): readonly string[] => (path === undefined ? [] : within(path));
  const patterns = models.flatMap(({ artifact, card, drift, gate }) => [
    ...known(artifact.path).flatMap(ofArtifact),
    ...[drift?.baseline, gate?.cases, gate?.metric?.cases, card?.dataset?.file]
      .flatMap(known)
      .map((path) => `!${literal(path)}`),
  ]);
  return [...new Set([...within(cache).map((path) => `!${literal(path)}/**`), ...patterns])];
}

/**
 * What an artifact may be: a file, a folder, or a file with external data beside it; nobody has looked which
 * it is. Code beside it stays.
 */
const PARTS = ['', '/**', '.data', '_data'];
const ofArtifact = (path: string): readonly string[] => PARTS.map((part) => `!${literal(path)}${part}`);

/** As micromatch reads it: https://github.com/micromatch/micromatch#escaping-special-characters */
const literal = (path: string): string => path.replace(/[\\$^*+?()[\]{}!|@]/g, '\\$&');

/**
 * The file of a function's zip. The framework puts `<service>.zip` and a zip for each of the service's layers
 * beside it, later than we do ours; no name of theirs has a dot.
 *
 * @param key of the function @param theirs names of the service and its layers
 */
export function zipOf(key: string, theirs: readonly string[]): string {
  // Not each disk tells `Churn` from `churn`.
  const isTaken = theirs.some((name) => name.toLowerCase() === key.toLowerCase());
  return isTaken ? `${key}.model.zip` : `${key}.zip`;
}
