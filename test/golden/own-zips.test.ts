import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { type Framework, frameworks, install, root, service, warmSls } from './frameworks.ts';

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

/**
 * A service with a function of its own, and models whose data lie beside it, one in a folder with special
 * characters.
 */
const yaml = (packaged: string): string => `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
${packaged}
functions:
  own: {runtime: nodejs24.x, handler: own.handler}
models:
  churn:
    artifact: ./models/churn.onnx
    gate: {cases: 'data/cases (1).jsonl'}
    drift: {baseline: 'data/[a] base.csv'}
  fraud: {artifact: fraud}
`;
const fixture = (...path: readonly string[]): string => join(root, 'test', 'golden', ...path);

async function zipped(framework: Framework, name: string, packaged: string): Promise<readonly string[]> {
  const folder = await service(framework, name, { yaml: yaml(packaged) });
  await mkdir(join(folder, 'data'));
  await mkdir(join(folder, 'fraud'));
  await cp(
    fixture('a-release-in-its-own-words', 'tests', 'churn.jsonl'),
    join(folder, 'data', 'cases (1).jsonl'),
  );
  await cp(
    fixture('few-columns-are-watched-by-cloudwatch-alone', 'reference.csv'),
    join(folder, 'data', '[a] base.csv'),
  );
  await writeFile(join(folder, 'data', 'a base.csv'), 'kept');
  await writeFile(join(folder, 'models', 'churn.onnx.data'), 'weights');
  await writeFile(join(folder, 'fraud.mjs'), '// code that is called as an artifact');
  await promisify(execFile)('cp', [
    join(folder, 'models', 'churn.onnx'),
    join(folder, 'fraud', 'model.onnx'),
  ]);
  const { code, output } = await warmSls(framework, folder, ['package']);
  expect(code, output).toBe(0);
  const zip = join(folder, '.serverless', packaged === '' ? 'shop.zip' : 'own.zip');
  return (await namesIn(zip)).filter((entry) => /^(data|models|fraud|own)/.test(entry));
}

async function namesIn(zip: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('python3', ['-m', 'zipfile', '-l', zip]);
  return stdout
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/\s+\d{4}-.*$/, ''))
    .filter((entry) => entry !== '')
    .sort();
}

it.each(frameworks.map((framework) => [framework.name, framework] as const))(
  'models, reference data and gate cases are in no zip of the service’s own functions: %s',
  async (_, framework) => {
    expect(await zipped(framework, 'own-zips', '')).toEqual(['data/a base.csv', 'fraud.mjs', 'own.mjs']);
  },
);

it('what the service’s own patterns name is packed all the same', async () => {
  const [framework] = frameworks;
  if (framework === undefined) throw new Error('no framework');
  const named = 'package: {individually: true, patterns: ["models/**"]}';
  expect(await zipped(framework, 'own-zips-named', named)).toEqual([
    'data/a base.csv',
    'fraud.mjs',
    'models/churn.onnx',
    'models/churn.onnx.data',
    'own.mjs',
  ]);
});

it('a service may be called as its model is: each has a zip of its own', async () => {
  const [framework] = frameworks;
  if (framework === undefined) throw new Error('no framework');
  const folder = await service(framework, 'own-zips-called-alike', {
    yaml: `
service: churn
provider: {name: aws}
plugins: [./plugin.ts]
functions:
  own: {runtime: nodejs24.x, handler: own.handler}
models:
  churn: {artifact: ./models/churn.onnx}
`,
  });
  const { code, output } = await warmSls(framework, folder, ['package']);
  expect(code, output).toBe(0);
  const state = JSON.parse(await readFile(join(folder, '.serverless', 'serverless-state.json'), 'utf8'));
  const zip = (key: string): string => resolve(folder, state.service.functions[key].package.artifact);
  expect(await namesIn(zip('churn'))).toEqual(['handler.mjs', 'model/model.onnx']);
  expect(await namesIn(join(folder, '.serverless', 'churn.zip'))).toContain('own.mjs');
});
