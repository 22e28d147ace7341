/** The published shape: `npm pack`, installed by a service elsewhere that knows no TypeScript, packages and serves. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixtures } from '../serving/endpoint.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder: string;
let files: string[];
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-packed-'));
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).replace(/^[^[{]*/, ''),
  );
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed);
  tarball = join(folder, entry.filename);
  files = entry.files.map(({ path }: { path: string }) => path);
  await writeFile(join(folder, 'package.json'), '{"private": true}');
  // The same versions as here, from npm's cache where it has them.
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${entry.filename}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await copyFile(join(fixtures, 'logreg.onnx'), join(folder, 'churn.onnx'));
  await writeFile(
    join(folder, 'serverless.yml'),
    'service: shop\nprovider: {name: aws}\nplugins: [serverless-models]\nmodels:\n  churn:\n    artifact: churn.onnx\n',
  );
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
  await symlink(join(root, 'node_modules', 'osls'), join(folder, 'node_modules', 'osls'));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const sls = (...args: string[]): string =>
  execFileSync(process.execPath, [join(root, 'node_modules', 'osls', 'bin', 'serverless.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
  });

test('has the built code, the layer’s recipe and no TypeScript source', () => {
  expect(files).toContain('dist/plugins/models/plugin.js');
  expect(files).toContain('dist/functions/infer/handler.js');
  expect(files.filter((file) => /(?<!\.d)\.ts$|^test\/|^examples\/|^bench\//.test(file))).toEqual([]);
});

test('is what publint expects of a package', async () => {
  const packed = await readFile(tarball);
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(packed).buffer }, strict: true });
  expect(messages).toEqual([]);
});

test('packages a service of four lines', async () => {
  sls('package');
  const template = JSON.parse(
    await readFile(join(folder, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8'),
  );
  expect(Object.values(template.Resources)).toContainEqual(
    expect.objectContaining({ Type: 'Custom::ModelAlias' }),
  );
});

test('lists the model as JSON', () => {
  expect(JSON.parse(sls('models', 'list', '--json'))).toEqual([
    expect.objectContaining({ name: 'churn', opset: expect.any(Number) }),
  ]);
});
