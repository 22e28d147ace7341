/** NVIDIA's client for the Open Inference Protocol, from PyPI and unchanged, against `sls models serve`. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { fixtures, repository } from './endpoint.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';

const FIXTURES = ['types/all.onnx', 'strings.onnx', 'scalar.onnx', 'names.onnx', 'gbm.onnx', 'labels.onnx'];
const nameOf = (path: string): string => basename(path, '.onnx');
const employment = join(repository, 'examples', 'employment');

let folder = '';
let server: Running;
let cases: Record<string, { inputs: object[]; outputs: object[] }>;
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  const known = JSON.parse(await readFile(join(employment, 'answers.json'), 'utf8'));
  cases.employment = { inputs: known.request.inputs, outputs: known.answer.outputs };
  const models = FIXTURES.map(
    (path) => `  ${nameOf(path)}: {artifact: ${basename(path)}, http: {auth: none}}`,
  );
  models.push(
    `  employment: {artifact: ${JSON.stringify(join(employment, 'employment.onnx'))}, http: {auth: none, path: /a/b}}`,
  );
  folder = await serviceFolder(
    `service: triton\nprovider: {name: aws}\nmodels:\n${models.join('\n')}\n`,
    FIXTURES,
  );
  server = await startSls(folder, ['serve']);
});
afterAll(async () => {
  await server?.interrupt();
  await removeFolder(folder);
});

/** What triton_client.py checks: health, metadata, the four forms, gzip and deflate, versions, refusals. */
async function check(model: string, path: string, prefix = ''): Promise<string> {
  const url = `${server.url.replace('http://', '')}${prefix}`;
  return runPython(join(import.meta.dirname, 'triton_client.py'), [url, model], {
    input: JSON.stringify(cases[path]),
    timeout: 120_000,
  });
}

test.each(FIXTURES)('%s', async (path) => {
  expect(await check(nameOf(path), path)).toContain('unknown input');
});

test('a model behind a prefix', async () => {
  expect(await check('employment', 'employment', '/a/b')).toContain('unknown input');
});
