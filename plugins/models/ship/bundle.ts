import { basename, dirname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { ownFile } from '../disk/own-file.ts';
import { type Problem, problemError } from '../problems/errors.ts';

/** `path` for an import statement in generated source. */
export function importPath(path: string): string {
  return JSON.stringify(path.replaceAll('\\', '/'));
}

/**
 * The runtime's own SDK stays outside the bundle, found by `require`: that honours NODE_PATH, where Lambda
 * and `serve` have it, and `import` does not. Node's own modules go the same way, since an `import` of one is
 * hoisted to the start of the bundle, and a `require` waits until the file that has it is needed: node:crypto
 * alone is 4 ms of a cold start, and only rare paths ask for it.
 */
const required: Plugin = {
  name: 'required',
  setup(build) {
    build.onResolve({ filter: /^(node:|@(aws-sdk|smithy)\/)/ }, ({ path, namespace }) =>
      namespace === 'required' ? { path, external: true } : { path, namespace: 'required' },
    );
    build.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: path.startsWith('@') ? whenAsked(path) : `module.exports = require(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};

/**
 * A package of the SDK is loaded when one of its names is first read: the release worker knows ten clients,
 * and most of its starts ask half of them. The names are not known here, hence the prototype: what imports a
 * package copies own names only, and takes its prototype over.
 */
const whenAsked = (path: string): string => `let found;
const names = { get: (_, name) => name === '__esModule' || (found ??= require(${JSON.stringify(path)}))[name] };
module.exports = Object.create(new Proxy({}, names));`;

const OWN_FUNCTIONS = `${dirname(dirname(ownFile('functions/infer/handler')))}${sep}`;

/**
 * Evaluated with the first line that is logged, which few cold starts have: 6 ms with what it needs. For our
 * functions alone, which need its Logger: a transform that imports the package gets all of it.
 */
const lazyLogger: Plugin = {
  name: 'lazy-logger',
  setup(build) {
    build.onResolve(
      { filter: /^@aws-lambda-powertools\/logger$/ },
      async ({ path, importer, resolveDir, namespace, kind }) => {
        if (namespace === 'lazy-logger' || kind !== 'import-statement') return undefined;
        if (!importer.startsWith(OWN_FUNCTIONS)) return undefined;
        const found = await build.resolve(path, { resolveDir, kind: 'dynamic-import' });
        return found.errors.length > 0 ? found : { path: found.path, namespace: 'lazy-logger' };
      },
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy-logger' }, ({ path }) => ({
      contents: `module.exports = { get Logger() { return require(${JSON.stringify(path)}).Logger; } };`,
      loader: 'js',
      resolveDir: dirname(path),
    }));
  },
};

/** Entry points that are no files: their sources, by name. */
const generated = (sources: Readonly<Record<string, string>>, folder: string): Plugin => ({
  name: 'generated',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === 'entry-point' ? { path, namespace: 'generated' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'generated' }, ({ path }) => ({
      contents: sources[path] ?? '',
      loader: 'ts',
      resolveDir: folder,
    }));
  },
});

/**
 * Bundles generated sources into one ES module each for Lambda. A file that several of them import is read
 * once: whoever writes to it meanwhile, all have the same of it. Minified, because esbuild else writes file
 * paths into its output; so equal sources give equal bytes wherever they lie.
 *
 * @param sources ES modules by name; their imports are absolute paths, or relative to `folder`
 * @param key YAML path to blame in a problem
 * @param plugins of esbuild, after our own
 * @param withPlaces of the sources in each bundle, at its end: `places.ts`
 * @param packages a folder of packages for what finds none above it
 * @throws ProblemError `MODELS_TRANSFORM_INVALID` with place and reason of every error
 */
export async function bundles<Name extends string>(
  sources: Readonly<Record<Name, string>>,
  folder: string,
  key: string,
  plugins: readonly Plugin[] = [],
  withPlaces = false,
  packages?: string,
): Promise<Readonly<Record<Name, string>>> {
  const names = Object.keys(sources) as Name[];
  try {
    const { outputFiles } = await build({
      entryPoints: names.map((name) => ({ in: name, out: name })),
      absWorkingDir: folder,
      ...(packages !== undefined && { nodePaths: [packages] }),
      outdir: folder,
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      mainFields: ['module', 'main'],
      minify: true,
      legalComments: 'none',
      sourcemap: withPlaces && 'inline',
      sourcesContent: false,
      sourceRoot: pathToFileURL(`${folder}/`).href,
      charset: 'utf8',
      logLevel: 'silent',
      // Bundled CommonJS asks for Node's own modules by `require`, which an ES module has to make for itself.
      banner: {
        js: "import{createRequire as createRequireOfBundle}from'node:module';const require=createRequireOfBundle(import.meta.url);",
      },
      plugins: [generated(sources, folder), required, lazyLogger, ...plugins],
    });
    const texts = new Map(outputFiles.map(({ path, text }) => [basename(path, '.js'), text]));
    return Object.fromEntries(names.map((name) => [name, texts.get(name) ?? ''])) as Record<Name, string>;
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const [first, ...others] = error.errors.map(({ text, location }): Problem => {
      const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : '';
      return {
        code: 'MODELS_TRANSFORM_INVALID',
        key,
        message: `${place}${text}.`,
        fix: /^No loader is configured/.test(text)
          ? 'Import code, .json or .txt: what a file of another kind holds goes into one of these, as base64 for example.'
          : 'Correct this place.',
      };
    });
    if (first === undefined) throw error;
    throw problemError([first, ...others], error);
  }
}

/** The same for a single source. */
export const bundle = async (source: string, folder: string, key: string): Promise<string> =>
  (await bundles({ handler: source }, folder, key)).handler;

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
