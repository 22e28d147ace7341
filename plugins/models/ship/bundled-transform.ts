import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { withSlashes } from '../disk/slashes.ts';
import { bundles, importPath } from './bundle.ts';
import { modulesWith } from './code.ts';
import { withoutPlaces } from './places.ts';

/** A model's transform.ts, bundled with all that it imports; nothing of it has run. */
export type BundledTransform = {
  /** For messages: `transform.ts`. */
  readonly name: string;
  readonly code: string;
  /** sha256 (hex) of that, wherever it lies. */
  readonly digest: string;
  /** The model's functions by room, bundled with the very transform that has this digest. */
  readonly bundled: Readonly<Record<string, string>>;
  /** What of the artifact's folder is in it, where the artifact must be signed. */
  readonly files: readonly BundledFile[];
};

/** Its path below the folder, and the sha256 (hex) of what was bundled. */
type BundledFile = { readonly path: string; readonly sha256: string };

/** The transform among the modules that are bundled. */
const ITSELF = 'transform';

/**
 * Bundles the transform of a model's folder, where there is one.
 *
 * @throws ProblemError `MODELS_TRANSFORM_INVALID` where it cannot be bundled
 */
export async function bundleTransform(
  folder: string,
  model: Model,
  { withPlaces, serviceDir }: Partial<Pick<ShipContext, 'withPlaces' | 'serviceDir'>> = {},
): Promise<BundledTransform | undefined> {
  const path = transformIn(folder);
  if (path === undefined) return undefined;
  const files: BundledFile[] = [];
  const { [ITSELF]: itself = '', ...bundled } = await bundles(
    { ...modulesWith(path, model), [ITSELF]: `export * from ${importPath(path)};` },
    dirname(path),
    `models.${model.name}.artifact`,
    model.signed === undefined ? [] : [await noting(folder, path, files)],
    withPlaces,
    // A folder of S3 lies in the cache, above which nobody installs anything.
    serviceDir && join(serviceDir, 'node_modules'),
  );
  const code = withoutPlaces(itself);
  const digest = createHash('sha256').update(code).digest('hex');
  return { name: basename(path), code, digest, bundled, files };
}

/** @returns path of the `transform.ts` (or .mts, .js, .mjs) in a model's folder, if there is one. */
function transformIn(folder: string): string | undefined {
  return ['transform.ts', 'transform.mts', 'transform.js', 'transform.mjs']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}

/**
 * Reads what lies in a folder in esbuild's place, and notes it: what is held against a signature is what was
 * bundled, whoever writes to the files meanwhile.
 */
async function noting(folder: string, transform: string, files: BundledFile[]): Promise<Plugin> {
  // esbuild names a file by where it really lies. The transform, and what it asks for by a name in the
  // folder, may be links to anywhere.
  const [below, itself] = await Promise.all([realpath(folder), realpath(transform)]);
  const links = new Map([[itself, basename(transform)]]);
  const inFolder = (path: string): string | undefined =>
    path.startsWith(`${below}${sep}`) ? withSlashes(relative(below, path)) : undefined;
  const nameOf = (path: string): string | undefined => links.get(path) ?? inFolder(path);
  const isAsked = Symbol('asked');
  return {
    name: 'noting',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ path: wanted, pluginData, ...from }) => {
        const asked = join(from.resolveDir, wanted);
        if (pluginData === isAsked || inFolder(asked) === undefined) return undefined;
        const { path: at, namespace } = await build.resolve(wanted, { ...from, pluginData: isAsked });
        if (namespace !== 'file' || nameOf(at) !== undefined) return undefined;
        const written = await writtenOf(asked, at);
        links.set(at, inFolder(written) ?? written);
        return undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: at }) => {
        const path = nameOf(at);
        if (path === undefined) return undefined;
        const contents = await readFile(at);
        files.push({ path, sha256: createHash('sha256').update(contents).digest('hex') });
        return { contents, loader: 'default' };
      });
    },
  };
}

/** The name by which a file is asked for, with what an import leaves out: `./a` for `./a/index.ts`. */
async function writtenOf(asked: string, at: string): Promise<string> {
  const ending = extname(at);
  for (const path of [
    asked,
    `${asked}${ending}`,
    asked.replace(/\.[cm]?js$/, ending),
    join(asked, basename(at)),
  ])
    if ((await realpath(path).catch(() => undefined)) === at) return path;
  return asked;
}
