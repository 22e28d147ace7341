import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '../python.ts';
import { blocks } from '../unit/docs/pages.ts';
import { firstAlone } from '../warm-sls.ts';
import { repository } from './endpoint.ts';
import { removeFolder, serviceFolder, startSls } from './sls.ts';

/**
 * What docs/gate.md has its readers write, done by them: cases from Python, and `sls models gate` without
 * AWS.
 */
const block = (language: string, page: string, has: string): string =>
  blocks(language).find((found) => found.page === page && found.text.includes(has))?.text ?? '';

const train = (columns: string): string => `
import os
import numpy as np
from sklearn.linear_model import LogisticRegression
X = np.random.default_rng(1).normal(size=(200, 3))
classifier = LogisticRegression().fit(X${columns}, (X @ [1, -2, 0] > 0).astype(int))
`;
const EXPORT = block('python', 'README.md', 'to_onnx');
const CASES = block('python', 'docs/gate.md', 'tests/churn.jsonl');
const SERVICE = `
service: shop
provider: {name: aws}
${block('yaml', 'docs/gate.md', 'load:')
  // A load of seconds only: it is the shape of the page's that counts.
  .replace('rate: 20, duration: 30', 'rate: 20, duration: 2')
  .replace('p95: 100', 'p95: 2000')}`;

let folder = '';
const python = (script: string) => runPython('-c', [script], { cwd: folder, timeout: 280_000 });
async function sls(...args: string[]) {
  const bin = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
  // A machine whose requests go by a proxy, Node's own, too: none can reach what is asked here.
  const proxy = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' };
  const env = { ...process.env, ...proxy, AWS_EC2_METADATA_DISABLED: 'true' };
  const ran = await firstAlone({
    bin,
    cwd: folder,
    args: ['models', 'gate', ...args],
    env,
    timeout: 280_000,
  });
  return { ...ran, output: ran.stdout + ran.stderr };
}

beforeAll(async () => {
  folder = await serviceFolder(SERVICE, []);
  for (const name of ['models', 'tests']) await mkdir(join(folder, name));
  await python(`${train('')}${EXPORT}${CASES}`);
});
afterAll(() => removeFolder(folder));

describe('sls models gate on this machine', () => {
  it('passes what Python gave, under load, too', async () => {
    const { code, stdout, output } = await sls('--local');
    expect(code, output).toBe(0);
    expect(stdout).toMatch(
      /^churn, version local: pass\. 20 cases; p95 \d+ ms at 20\/s, objective 2000 ms, 0 errors, 0 cold starts\.\n$/,
    );
  });

  it('asks a running serve', async () => {
    const server = await startSls(folder, ['serve']);
    try {
      const { code, stdout } = await sls('--url', `${server.url}/`, '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        model: 'churn',
        version: server.url,
        gate: { verdict: 'pass', done: 20, load: { sent: 40, errors: 0 } },
        failures: [],
      });
    } finally {
      await server.interrupt();
    }
  });

  it('fails a model whose columns were swapped in training, value by value', async () => {
    const kept = await readFile(join(folder, 'models', 'churn.onnx'));
    await python(`${train('[:, [1, 0, 2]]')}${EXPORT}`);
    try {
      const { code, output } = await sls('--local');
      expect(code).toBe(1);
      expect(output).toMatch(
        /case +where +expected +got +difference\n\d+ +probabilities\[0, 0\] +0\.\d+ +0\.\d+ +[+-]0\.\d+\n/,
      );
      expect(output).toMatch(
        /models\.churn\.gate: does not let version local pass\. Cases .* of 20 failed\..*\[MODELS_GATE\]/,
      );
      const json = await sls('--local', '--json');
      expect(json.code).toBe(1);
      expect(JSON.parse(json.stdout)).toMatchObject({
        gate: { verdict: 'fail' },
        failures: expect.arrayContaining([expect.objectContaining({ kind: 'different' })]),
      });
    } finally {
      await writeFile(join(folder, 'models', 'churn.onnx'), kept);
    }
  });

  it('takes the case of the page, and refuses one that does not fit before it asks anybody', async () => {
    const file = join(folder, 'tests', 'churn.jsonl');
    const kept = await readFile(file);
    try {
      const shown = JSON.parse(block('json', 'docs/gate.md', '"inputs"'));
      await writeFile(file, JSON.stringify(shown));
      // Its numbers are another model's.
      expect((await sls('--local')).output).toContain('Case 1 of 1 failed.');
      await writeFile(file, JSON.stringify({ ...shown, inputs: [{ ...shown.inputs[0], name: 'Y' }] }));
      const { output, code } = await sls('--local');
      expect(code).toBe(1);
      expect(output).toMatch(/tests\/churn\.jsonl:1: .*"X"/);
    } finally {
      await writeFile(file, kept);
    }
  });

  it('names what stands in its way', async () => {
    for (const url of ['nowhere', 'file:///tmp'])
      expect((await sls('--url', url)).output).toContain(`--url: ${url} is not an address.`);
    expect((await sls('--url', 'http://127.0.0.1:1')).output).toMatch(
      /--url: http:\/\/127\.0\.0\.1:1 does not answer/,
    );
    expect((await sls('--url', 'http://127.0.0.1:1', '--local')).output).toContain(
      '--local: does not go with --url.',
    );
    const cases = join(folder, 'tests', 'churn.jsonl');
    const kept = await readFile(cases);
    await rm(cases);
    expect((await sls('--local')).output).toMatch(/tests\/churn\.jsonl does not exist/);
    await writeFile(cases, kept);
  });
});
