import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { TABULAR_FORMATS } from '../../../../core/tabular/formats.ts';
import { root } from '../../docs/pages.ts';

/** Our own files, and the packages, that a function's bundle is made of. */
async function partsOf(handler: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [join(root, 'functions', handler, 'handler.ts')],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external: ['@aws-sdk/*', '@smithy/*', 'onnxruntime-node'],
    metafile: true,
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

it.each(['infer', 'catalog', 'release', 'drift'])(
  'the function %s has no format in it but csv',
  async (handler) => {
    const parts = await partsOf(handler);
    const others = Object.keys(TABULAR_FORMATS).filter((name) => name !== 'csv');
    const found = parts.filter(
      (part) => part.includes('hyparquet') || others.some((name) => part.startsWith(`core/tabular/${name}/`)),
    );
    expect(parts.length).toBeGreaterThan(20);
    expect(found).toEqual([]);
  },
);

it('the batch function has all of them', async () => {
  const parts = await partsOf('batch');
  for (const name of Object.keys(TABULAR_FORMATS))
    expect(
      parts.some((part) => part.startsWith(`core/tabular/${name}/`)),
      name,
    ).toBe(true);
});
