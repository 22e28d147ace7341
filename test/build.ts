/**
 * `npm run build`: the published shape, `dist/`, as plain ESM with types: what a service elsewhere installs
 * and uses without TypeScript. Functions stay unbundled modules there; packaging a service bundles them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const local = join(root, '.local');

rmSync(join(root, 'dist'), { recursive: true, force: true });
mkdirSync(local, { recursive: true });
/** @param own settings of the compiler, which stand in the folder whose files these are */
function compile(name: string, own: string, include: readonly string[]): void {
  const config = join(local, `tsconfig.${name}.json`);
  const compilerOptions = { noEmit: false, rootDir: '..', outDir: '../dist', declaration: true };
  writeFileSync(config, JSON.stringify({ extends: `../${own}`, compilerOptions, include }));
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', config], { cwd: root, stdio: 'inherit' });
}
compile('build', 'tsconfig.json', ['../core', '../aws', '../functions', '../plugins']);
compile('browser', 'functions/catalog/browser/tsconfig.json', ['../functions/catalog/browser']);
