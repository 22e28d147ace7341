import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { runAlone } from '../warm-sls.ts';
import { repository } from './endpoint.ts';
import { hostFolder } from './host.ts';
import { removeFolder, serviceFolder } from './sls.ts';

/**
 * ONNX Runtime for Linux and macOS keeps an id and a database in the home folder and a log among temporary
 * files, and tells Microsoft of each process, unless `ORT_DISABLE_TELEMETRY` is set before it is loaded, or
 * `CI`, which these tests leave out. https://github.com/microsoft/onnxruntime/pull/27379
 */
let folder = '';
let home: Readonly<Record<'HOME' | 'TMPDIR', string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'telemetry-'));
  home = { HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp') };
  for (const place of Object.values(home)) await mkdir(place);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ofTelemetry = async (): Promise<readonly string[]> =>
  (await readdir(folder, { recursive: true })).filter((path) =>
    /mat-debug|Microsoft|onnxruntime\.db/.test(path),
  );

it('an endpoint keeps and tells nothing of its runs', async () => {
  const { start, remove } = await hostFolder([{ name: 'add', path: 'add.onnx', environment: home }]);
  const host = await start();
  try {
    const inputs = [
      { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
      { name: 'b', shape: [1, 1], datatype: 'FP32', data: [0.5] },
    ];
    expect((await host.infer('add', JSON.stringify({ inputs }))).status).toBe(200);
  } finally {
    await host.stop();
    await remove();
  }
  expect(await ofTelemetry()).toEqual([]);
});

it('packaging keeps and tells nothing of the models that it runs', async () => {
  const yaml = 'service: shop\nprovider: {name: aws}\nmodels:\n  churn: {artifact: logreg.onnx}\n';
  const cwd = await serviceFolder(yaml, ['logreg.onnx']);
  const cache = join(folder, 'cache');
  await mkdir(cache);
  await symlink(cacheFolder('onnxruntime'), join(cache, 'onnxruntime'));
  const { CI: _, ORT_DISABLE_TELEMETRY: __, ...env } = process.env;
  try {
    const { code, stderr } = await runAlone({
      bin: join(repository, 'node_modules', 'osls', 'bin', 'serverless.js'),
      cwd,
      args: ['package'],
      env: { ...env, ...home, SERVERLESS_MODELS_CACHE: cache, AWS_EC2_METADATA_DISABLED: 'true' },
      timeout: 300_000,
    });
    expect(code, stderr).toBe(0);
  } finally {
    await removeFolder(cwd);
  }
  expect(await ofTelemetry()).toEqual([]);
});
