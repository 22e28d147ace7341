/**
 * NVIDIA's client for the Open Inference Protocol, from PyPI and unchanged, against `sls models serve`, by
 * HTTP and by gRPC.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixtures, repository } from './endpoint.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';
import {
  TRITON_CHECKS,
  TRITON_GRPC_CHECKS,
  type TritonCase,
  tritonChecks,
  tritonGrpcChecks,
} from './triton.ts';

const FIXTURES = ['types/all.onnx', 'strings.onnx', 'scalar.onnx', 'names.onnx', 'gbm.onnx', 'labels.onnx'];
const nameOf = (path: string): string => basename(path, '.onnx');
const employment = join(repository, 'examples', 'employment');

let folder = '';
let server: Running;
let cases: Record<string, TritonCase>;
function caseOf(path: string): TritonCase {
  const found = cases[path];
  if (found === undefined) throw new Error(`answers.json has no ${path}`);
  return found;
}
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
  server = await startSls(folder, ['serve', '--grpc-port', '0']);
});
afterAll(async () => {
  await server?.interrupt();
  await removeFolder(folder);
});

test.each(FIXTURES)('%s', async (path) => {
  expect(await tritonChecks(server.url, nameOf(path), caseOf(path))).toHaveLength(TRITON_CHECKS);
});

test('a model behind a prefix', async () => {
  const checks = await tritonChecks(`${server.url}/a/b`, 'employment', caseOf('employment'));
  expect(checks).toHaveLength(TRITON_CHECKS);
});

test.each([...FIXTURES, 'employment'])('%s by gRPC', async (path) => {
  expect(await tritonGrpcChecks(server.grpc, nameOf(path), caseOf(path))).toHaveLength(TRITON_GRPC_CHECKS);
});
