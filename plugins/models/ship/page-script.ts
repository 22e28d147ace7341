import { dirname } from 'node:path';
import { build } from 'esbuild';
import { ownFile } from '../disk/own-file.ts';

/** What runs in a person's browser, of the catalog's docs page: a script that asks for no other. */
export async function pageScript(): Promise<string> {
  const page = ownFile('functions/catalog/browser/page');
  const { outputFiles } = await build({
    entryPoints: [page],
    // The folder that this process began in may be gone.
    absWorkingDir: dirname(page),
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
    // The same in the repository and in the published package, which has no settings of a compiler.
    tsconfigRaw: '{}',
  });
  return outputFiles[0]?.text ?? '';
}
