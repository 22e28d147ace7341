import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { unzip } from '../unzip.ts';
import { osls4, ownSls, root, service } from './frameworks.ts';

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx, http: {auth: none}}
  fraud: {artifact: models/churn.onnx, architecture: arm64}
  trees: {artifact: models/gbm.onnx, batch: [{input: 's3://incoming/trees/', output: 's3://scored/trees/'}]}
  types: {artifact: models/all.onnx}
  words: {artifact: words, batch: [{input: 's3://incoming/words/', output: 's3://scored/words/'}]}
`;
const TRANSFORM = `import { rate } from './rate.json';
export const inputs = [{ name: 'x', datatype: 'FP64', shape: [-1, 4] }];
export const pre = ({ x }) => ({ x: { ...x, datatype: 'FP32', data: Float32Array.from(x.data, (value) => value * rate) } });
`;

type Packaged = {
  readonly template: string;
  /** Path below the package → sha256. */
  readonly zips: Readonly<Record<string, string>>;
  readonly folder: string;
};

let elsewhere: string;
let first: Packaged;
let second: Packaged;
beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), 'twice-'));
  const folder = await service(osls4, 'twice', { yaml });
  const fixtures = join(root, 'test', 'fixtures', 'models');
  await cp(join(fixtures, 'gbm.onnx'), join(folder, 'models', 'gbm.onnx'));
  await cp(join(fixtures, 'types', 'all.onnx'), join(folder, 'models', 'all.onnx'));
  await cp(join(fixtures, 'external'), join(folder, 'words'), { recursive: true });
  await writeFile(join(folder, 'words', 'transform.ts'), TRANSFORM);
  await writeFile(join(folder, 'words', 'rate.json'), '{"rate": 2}');
  first = await packaged(folder);

  // Nothing is kept there but ONNX Runtime as it was downloaded: all else is made again.
  await hostRuntime();
  const cache = join(elsewhere, 'cache');
  await mkdir(cache);
  await symlink(cacheFolder('onnxruntime'), join(cache, 'onnxruntime'));
  const copy = join(elsewhere, 'a', 'service');
  await cp(folder, copy, { recursive: true, filter: (path) => !path.includes('.serverless') });
  second = await packaged(copy, { SERVERLESS_MODELS_CACHE: cache });
  expect(await readdir(cache)).toEqual(expect.arrayContaining(['layers', 'optimised', 'zips']));
});
afterAll(() => rm(elsewhere, { recursive: true, force: true }));

/** What one `sls package` makes. */
async function packaged(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Packaged> {
  const run = await ownSls(osls4, folder, ['package'], env);
  expect(run.code, run.output).toBe(0);
  const made = join(folder, '.serverless');
  const zips: Record<string, string> = {};
  for (const path of (await readdir(made, { recursive: true }))
    .filter((path) => /\.(zip|layer)$/.test(path))
    .sort()) {
    zips[path] = createHash('sha256')
      .update(await readFile(join(made, path)))
      .digest('hex');
  }
  const template = await readFile(join(made, 'cloudformation-template-update-stack.json'), 'utf8');
  return { template: template.replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'), zips, folder };
}

it('packaging twice, elsewhere and with an empty cache, gives the same zips to the byte and the same template', () => {
  expect(Object.keys(first.zips)).toEqual([
    'churn.zip',
    'fraud.zip',
    'models-catalog.zip',
    'models-release.zip',
    join('models', 'lambda-zip-onnx-runtime-arm64.layer'),
    join('models', 'lambda-zip-onnx-runtime-x86_64.layer'),
    'trees.zip',
    'types.zip',
    'words.zip',
  ]);
  expect(second.zips).toEqual(first.zips);
  expect(JSON.parse(second.template)).toEqual(JSON.parse(first.template));
  // Its very text: in another order it is a change to who compares it, the framework's own check included.
  expect(second.template).toBe(first.template);
});

it('no path of this machine is in any of them', async () => {
  const paths = [first.folder, root, elsewhere, cacheFolder()];
  for (const { folder, zips } of [first, second]) {
    for (const zip of Object.keys(zips)) {
      for (const [name, content] of Object.entries(await unzip(join(folder, '.serverless', zip)))) {
        const found = paths.filter((path) => name.includes(path) || Buffer.from(content).includes(path));
        expect(found, `${zip}: ${name}`).toEqual([]);
      }
    }
  }
  expect(paths.filter((path) => (first.template + second.template).includes(path))).toEqual([]);
});
