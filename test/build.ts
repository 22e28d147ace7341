/**
 * `npm run build`: the published shape, `dist/`, as plain ESM with types: what a service elsewhere installs
 * and uses without TypeScript. Functions stay unbundled modules there; packaging a service bundles them.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const config = join(root, '.local', 'tsconfig.build.json');

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync('mkdir', ['-p', join(root, '.local')]);
writeFileSync(
  config,
  JSON.stringify({
    extends: '../tsconfig.json',
    compilerOptions: { noEmit: false, rootDir: '..', outDir: '../dist', declaration: true },
    include: ['../core', '../aws', '../functions', '../plugins'],
  }),
);
execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', config], { cwd: root, stdio: 'inherit' });
