import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, build, type Plugin } from 'esbuild';
import { type Problem, problemError } from '../errors.ts';

const here = fileURLToPath(import.meta.url);

/** Our own sources are TypeScript in the repository and JavaScript in the published package. */
const OWN_EXTENSION = extname(here);

/** @returns absolute path of a file of ours: `ownFile('functions/infer/handler')` */
export function ownFile(name: string): string {
  return join(dirname(here), '..', '..', '..', `${name}${OWN_EXTENSION}`);
}

/** `path` for an import statement in generated source. */
export function importPath(path: string): string {
  return JSON.stringify(path.replaceAll('\\', '/'));
}

/**
 * The runtime's own SDK stays outside the bundle, found by `require`: that honours NODE_PATH, where Lambda and
 * `serve` have it, and `import` does not.
 */
const runtimeSdk: Plugin = {
  name: 'runtime-sdk',
  setup(build) {
    build.onResolve({ filter: /^@(aws-sdk|smithy)\// }, ({ path, namespace }) =>
      namespace === 'runtime-sdk' ? { path, external: true } : { path, namespace: 'runtime-sdk' },
    );
    build.onLoad({ filter: /.*/, namespace: 'runtime-sdk' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};

/**
 * Bundles generated source into one ES module for Lambda. Minified, because esbuild else writes file paths into
 * its output; so equal sources give equal bytes wherever they lie.
 *
 * @param source an ES module whose imports are absolute paths, or relative to `folder`
 * @param key YAML path to blame in a problem
 * @throws ProblemError `MODELS_TRANSFORM_INVALID` with place and reason of every error
 */
export async function bundle(source: string, folder: string, key: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: folder, loader: 'ts', sourcefile: 'handler.ts' },
      absWorkingDir: folder,
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      mainFields: ['module', 'main'],
      minify: true,
      legalComments: 'none',
      sourcemap: false,
      charset: 'utf8',
      logLevel: 'silent',
      // Bundled CommonJS asks for Node's own modules by `require`, which an ES module has to make for itself.
      banner: {
        js: "import{createRequire as createRequireOfBundle}from'node:module';const require=createRequireOfBundle(import.meta.url);",
      },
      plugins: [runtimeSdk],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const [first, ...others] = error.errors.map(({ text, location }): Problem => {
      const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : '';
      return { code: 'MODELS_TRANSFORM_INVALID', key, message: `${place}${text}.`, fix: 'Mend this place.' };
    });
    if (first === undefined) throw error;
    throw problemError([first, ...others], error);
  }
}

/** @returns path of the `transform.ts` (or .mts, .js, .mjs) in a model's folder, if there is one. */
export function transformOf(folder: string): string | undefined {
  return ['transform.ts', 'transform.mts', 'transform.js', 'transform.mjs']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}

/** @returns sha256 (hex) of a transform with all that it imports, wherever it lies. */
export async function transformDigest(path: string, key: string): Promise<string> {
  const text = await bundle(`export * from ${importPath(path)};`, dirname(path), key);
  return createHash('sha256').update(text).digest('hex');
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}
