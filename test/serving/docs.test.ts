import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPython } from '../python.ts';
import { blocks, pages } from '../unit/docs/pages.ts';
import { repository } from './endpoint.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';

/** The README's first five minutes as they are written, and the examples of the pages, on a served model. */
const README = pages.get('README.md') ?? '';
const block = (language: string, page: string, has: string): string =>
  blocks(language).find((found) => found.page === page && found.text.includes(has))?.text ?? '';

/** What the reader has already. */
const TRAINED = `
import numpy as np
from sklearn.linear_model import LogisticRegression
X = np.random.default_rng(1).normal(size=(200, 3))
classifier = LogisticRegression().fit(X, (X.sum(axis=1) > 0).astype(int))
`;

const SERVICE = block('yaml', 'README.md', 'service: shop').replace(/^plugins:.*\n/m, '');
const MORE = `  mood:\n    artifact: models/mood\n    http: {path: /mood}\n`;

let folder = '';
let server: Running;
beforeAll(async () => {
  folder = await serviceFolder(`${SERVICE}${MORE}`, []);
  await mkdir(join(folder, 'models', 'mood'), { recursive: true });
  await runPython('-c', [`${TRAINED}${block('python', 'README.md', 'to_onnx')}`], {
    cwd: folder,
    timeout: 280_000,
  });
  await copyFile(join(folder, 'models', 'churn.onnx'), join(folder, 'models', 'mood', 'model.onnx'));
  await writeFile(join(folder, 'models', 'mood', 'transform.ts'), block('ts', 'docs/artifact.md', 'pre'));
  server = await startSls(folder, ['serve', '--grpc-port', '0']);
});
afterAll(async () => {
  await server?.interrupt();
  await removeFolder(folder);
});

async function post(path: string, body: string, type = 'application/json') {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  return {
    status: answer.status,
    body: (await answer.json()) as { outputs?: { name: string; data: unknown[] }[] },
  };
}

/** Names, types and shapes: the numbers depend on the reader's model. */
const form = ({ outputs }: { outputs?: { name: string }[] }) =>
  outputs?.map((output) => ({ ...output, data: undefined }));

test('the README’s curl gets an answer of the form that it shows', async () => {
  const [, path = '', body = ''] =
    /^curl http:\/\/127\.0\.0\.1:8080(\S+) \\\n\s+-d '(.*)'$/m.exec(README) ?? [];
  const answer = await post(path, body, 'application/x-www-form-urlencoded');
  expect(answer.status).toBe(200);
  expect(form(answer.body)).toEqual(form(JSON.parse(block('json', 'README.md', 'model_name'))));
});

test('the JSON of docs/endpoint.md', async () => {
  const path = '/v2/models/churn/infer';
  const answer = await post(path, block('json', 'docs/endpoint.md', '"id"'));
  expect(answer.status).toBe(200);
  expect(form(answer.body)).toEqual(form(JSON.parse(block('json', 'docs/endpoint.md', 'model_version'))));
  const [, data = ''] = /--data '(.*)'/.exec(block('sh', 'docs/endpoint.md', '--data')) ?? [];
  expect(await post(path, data)).toMatchObject({ status: 200 });
});

test('SageMaker’s shape as docs/endpoint.md has it', async () => {
  const [instances = ''] = /\{"instances": [^`]*\}/.exec(pages.get('docs/endpoint.md') ?? '') ?? [];
  const answer = await post('/models/churn/invocations', instances);
  expect(answer).toMatchObject({ status: 200, body: { predictions: [{ label: expect.any(Number) }] } });
});

test('tritonclient as docs/endpoint.md has it', async () => {
  const script = block('python', 'docs/endpoint.md', 'tritonclient');
  expect(script).toContain('127.0.0.1:8080');
  const printed = await runPython('-c', [script.replace('127.0.0.1:8080', new URL(server.url).host)], {
    timeout: 280_000,
  });
  expect(printed).toMatch(/^\[\[[\d.e-]+ +[\d.e-]+\]\]$/m);
});

test('the transform of docs/artifact.md', async () => {
  const request = (plan: string) =>
    JSON.stringify({
      inputs: [
        { name: 'age', datatype: 'FP32', shape: [1], data: [40] },
        { name: 'plan', datatype: 'BYTES', shape: [1], data: [plan] },
      ],
    });
  const path = '/mood/v2/models/mood/infer';
  expect((await post(path, request('team'))).body.outputs?.map(({ name }) => name)).toEqual([
    'label',
    'probabilities',
  ]);
  expect(await post(path, request('gold'))).toMatchObject({
    status: 400,
    body: { error: 'plan must be one of free,basic,team.' },
  });
});

test('the transform of docs/artifact.md has the types that it says', async () => {
  const home = join(repository, '.local');
  await mkdir(home, { recursive: true });
  const place = await mkdtemp(join(home, 'docs-'));
  try {
    await writeFile(join(place, 'package.json'), '{"type": "module"}');
    await writeFile(join(place, 'transform.ts'), block('ts', 'docs/artifact.md', 'pre'));
    const compilerOptions = {
      noEmit: true,
      paths: { 'serverless-models': [join(repository, 'plugins', 'models', 'plugin.ts')] },
    };
    await writeFile(
      join(place, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        compilerOptions,
        include: ['transform.ts'],
        exclude: [],
      }),
    );
    execFileSync(join(repository, 'node_modules', '.bin', 'tsc'), ['-p', place], { encoding: 'utf8' });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});

test('the gRPC of docs/host.md', async () => {
  const program = block('python', 'docs/host.md', 'grpc').replace(
    '127.0.0.1:9000',
    `127.0.0.1:${server.grpc}`,
  );
  expect(await runPython('-c', [program], { timeout: 300_000 })).toMatch(/^\[\[[\d.e+-]+ +[\d.e+-]+\]\]\n$/);
});
