/**
 * Writes what main before made, for tests of what is deployed already:
 *
 *     node test/older/make.ts [commit]
 *
 * The demo service is packaged by the plugin of that commit. What it wrote is kept beside this file, with the
 * plugin itself, as one file: a clone may be without history. Models and the ONNX Runtime layer are left out.
 * They are the same in a package of today, and `packagedBefore` takes them from there. The next version that
 * is published writes its own commit here.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { bundle } from '../../plugins/models/ship/bundle.ts';
import { unzip } from '../unzip.ts';
import { digestMark, FOLDER_MARK, KEPT, type Kept } from './kept.ts';

const [, , commit = '1077513'] = process.argv;

/** Paths as they were then. Nothing of these needs Node’s own modules. */
const PURE = [
  `export { releaseFunctions, releaseResources } from './plugins/models/plan/alias.ts';`,
  `export { receive } from './functions/release/receive.ts';`,
  `export { registry } from './functions/shared/registry.ts';`,
].join('\n');
const PLUGIN = './plugins/models/plugin.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'older-'));
const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 30 });
try {
  execFileSync('tar', ['x', '-C', folder], { input: git('archive', commit) });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const pure = await bundle(PURE, folder, 'older');
  const kept: Kept = {
    commit,
    // Imported from where no `require` can be made: without the banner, which is the first line.
    pure: pure.slice(pure.indexOf('\n') + 1),
    plugin: await pluginOf(folder),
    ...(await packaged(folder)),
  };
  const text = Buffer.from(`${JSON.stringify(kept)}\n`);
  const { BROTLI_PARAM_LGWIN, BROTLI_MAX_WINDOW_BITS, BROTLI_PARAM_SIZE_HINT } = constants;
  writeFileSync(
    KEPT,
    brotliCompressSync(text, {
      params: { [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS, [BROTLI_PARAM_SIZE_HINT]: text.length },
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * The plugin as one module, without its packages: it deploys packages and makes none, so no other file of it
 * is read.
 */
async function pluginOf(folder: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [PLUGIN],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

async function packaged(folder: string): Promise<Pick<Kept, 'files' | 'zips'>> {
  const service = join(folder, 'demo');
  for (const name of ['examples', 'serverless.yml'])
    cpSync(join(folder, name), join(service, name), { recursive: true });
  const yaml = join(service, 'serverless.yml');
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace(PLUGIN, './plugin.cjs'));
  writeFileSync(join(service, 'plugin.cjs'), `module.exports = require('.${PLUGIN}');\n`);
  const sls = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
  execFileSync(process.execPath, [sls, 'package'], {
    cwd: service,
    stdio: 'inherit',
    env: { ...process.env, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
  });

  const made = join(service, '.serverless');
  const names = readdirSync(made, { recursive: true, encoding: 'utf8' }).sort();
  const zips: Record<string, Record<string, string>> = {};
  const digests = new Map<string, string>();
  for (const name of names.filter((name) => name.endsWith('.zip'))) {
    const found = Object.entries(await unzip(join(made, name)));
    zips[name] = Object.fromEntries(
      found
        .filter(([path]) => path.endsWith('.mjs'))
        .map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    );
    digests.set(
      name,
      createHash('sha256')
        .update(readFileSync(join(made, name)))
        .digest('base64'),
    );
  }
  const at = new Date(git('show', '--no-patch', '--format=%cI', commit).toString().trim());
  const files = names
    .filter((name) => /\.(json|kept)$/.test(name))
    .map((name): [string, string] => {
      let text = readFileSync(join(made, name), 'utf8')
        .replaceAll(made, FOLDER_MARK)
        .replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, `${at.getTime()}-${at.toISOString()}`);
      // Where this machine's cache is; they go to a registry that machines share, and the demo names none.
      if (name.endsWith('uploads.json')) text = JSON.stringify({ ...JSON.parse(text), optimised: [] });
      for (const [zip, digest] of digests) text = text.replaceAll(digest, digestMark(zip));
      return [name, text];
    });
  return { files: Object.fromEntries(files), zips };
}
