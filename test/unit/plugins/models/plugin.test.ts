import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const plugin = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  '..',
  'plugins',
  'models',
  'plugin.ts',
);

/** Every module that a plain Node loads for `script`, by URL. */
function loadedBy(script: string): readonly string[] {
  const hooks = `
    import { createRequire, registerHooks } from 'node:module';
    const urls = [];
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
    process.on('exit', () => console.log(JSON.stringify(urls)));
    const require = createRequire(${JSON.stringify(plugin)});
    ${script}`;
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', hooks], { encoding: 'utf8' });
  return JSON.parse(out);
}

const heavy =
  /node_modules\/(@aws-sdk|@smithy|esbuild|onnxruntime|yazl)|plugins\/models\/(ship|serve|commands(?!\/verbs\.ts))\//;

describe('the plugin', () => {
  it.each([
    ['import', `await import(${JSON.stringify(plugin)});`],
    ['require, as osls 3 and serverless 3.40 do', `require(${JSON.stringify(plugin)});`],
  ])('loads by %s, and nothing that most commands do not need', (_, script) => {
    const urls = loadedBy(script);
    expect(urls.some((url) => url.endsWith('plugins/models/plan/plan.ts'))).toBe(true);
    expect(urls.filter((url) => heavy.test(url))).toEqual([]);
  });

  it('is the class itself for a require, which frameworks use before they look for a default export', () => {
    const out = execFileSync(
      process.execPath,
      ['--input-type=commonjs', '--eval', `console.log(require(${JSON.stringify(plugin)}).name)`],
      { encoding: 'utf8' },
    );
    expect(out.trim()).toBe('ServerlessModels');
  });
});
