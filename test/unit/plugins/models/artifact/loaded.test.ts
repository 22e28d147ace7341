/**
 * What registries of models are read with is large, and is loaded only where a model comes from one: no
 * function of the account has it, and no command that starts.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { expect, it } from 'vitest';
import { root } from '../../../docs/pages.ts';

const LARGE = /node_modules\/(@aws-sdk\/client-sagemaker|tar|sigstore|@sigstore\/\w+)\//;

async function metafileOf(entry: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    outdir: 'out',
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['onnxruntime-node', 'esbuild', 'sigstore'],
    logLevel: 'silent',
  });
  return metafile;
}

const handlers = readdirSync(join(root, 'functions'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('handler.ts'))
  .map((path) => `functions/${path.replaceAll('\\', '/')}`);

it.each(handlers)('%s has none of it', async (handler) => {
  const inputs = Object.keys((await metafileOf(handler)).inputs);
  expect(inputs).toContain(handler);
  expect(inputs.filter((path) => LARGE.test(path))).toEqual([]);
});

it('the plugin has it behind an `import()`', async () => {
  const { inputs } = await metafileOf('plugins/models/plugin.ts');
  expect(Object.keys(inputs).filter((path) => LARGE.test(path)).length).toBeGreaterThan(0);
  const seen = new Set<string>();
  const walk = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind } of inputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import' && inputs[next] !== undefined) walk(next);
  };
  walk('plugins/models/plugin.ts');
  expect([...seen].filter((path) => LARGE.test(path))).toEqual([]);
});
