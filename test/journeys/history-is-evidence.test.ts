/**
 * What `sls models history` says was deployed is what was deployed then, whatever became of the model since.
 */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Deployment } from '../../core/release/document/history-contract.ts';
import { client, deployed } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import type { Past } from '../../plugins/models/releases/history/past.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { fixtures, repository } from '../serving/endpoint.ts';
import { type Between, standBetween } from './between.ts';
import { PLUGIN, prepareService, type Service } from './service.ts';

const AT_ONCE = 'release: {strategy: allAtOnce, rollbackWindow: 0}';
/** Nothing ends it while we look: its step has neither the time nor the requests. */
const CANARY =
  'release: {strategy: canary, minRequests: 100000, steps: [{weight: 25, bake: 1d}, {weight: 50, bake: 1d}]}';
const yaml = (churn?: string): string => `service: evidence
plugins: [serverless-models]
provider: {name: aws}
models:
  stays: {artifact: logreg.onnx}
${churn === undefined ? '' : `  churn: {artifact: ${churn}}\n`}`;

/** What is expected is wrong. */
const CASES = `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,3],"data":[1,2,3]},{"name":"b","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":[{"name":"sum","datatype":"FP32","shape":[1,3],"data":[2,5,4]}]}
`;
const ME = `arn:aws:iam::${ACCOUNT}:root`;

let aws: LocalAws;
let between: Between;
let service: Service;
beforeAll(async () => {
  const files: Record<string, string | Uint8Array> = { 'cases.jsonl': CASES };
  for (const name of ['add', 'gbm', 'logreg'])
    files[`${name}.onnx`] = await readFile(join(fixtures, `${name}.onnx`));
  aws = await startAws({ speed: 10 });
  between = await standBetween(aws);
  service = await prepareService({ yaml: yaml(), files }, between.aws);
});
afterAll(async () => {
  between?.close();
  await aws?.stop();
});

const write = (churn?: string): Promise<void> =>
  writeFile(join(service.dir, 'serverless.yml'), yaml(churn).replace('serverless-models', PLUGIN));

async function history(): Promise<readonly Past[]> {
  const ran = await service.sls('models', 'history', '--model', 'churn', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout).churn;
}

/** Digests of the artifacts of churn, deploy by deploy, as each wrote down before it uploaded anything. */
async function sources(): Promise<readonly (string | undefined)[]> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const [stack] = await deployed(aws.endpoint);
  const Bucket = stack?.resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  const Prefix = `models/${ACCOUNT}/${REGION}/evidence/dev/deployments/`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const records = await Promise.all(
    Contents.map(async ({ Key }): Promise<Deployment> => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '');
    }),
  );
  s3.destroy();
  return records.map(({ models }) => models.find(({ model }) => model === 'churn')?.source);
}

test('a first deploy that failed and was fixed with another artifact: each entry has its own', async () => {
  await write(`add.onnx, gate: {cases: cases.jsonl}, ${AT_ONCE}`);
  const failed = await service.sls('deploy');
  expect(failed.code, failed.stderr).toBe(1);
  await service.deploy(yaml(`gbm.onnx, ${AT_ONCE}`));
  const [add, gbm] = await sources();
  expect(add).not.toBe(gbm);
  expect(await history()).toMatchObject([
    { to: '1', outcome: 'promoted', source: gbm, by: ME, weight: 100 },
    { to: '1', outcome: 'given up', source: add, by: ME, gate: { verdict: 'fail', failed: [1] } },
  ]);
});

test('a model that was removed and added again: what the first life deployed stays', async () => {
  await service.deploy(yaml());
  await service.deploy(yaml(`logreg.onnx, ${AT_ONCE}`));
  const [add, gbm, none, logreg] = await sources();
  expect(none).toBeUndefined();
  expect(new Set([add, gbm, logreg]).size).toBe(3);
  expect(await history()).toMatchObject([
    { to: '1', outcome: 'promoted', source: logreg },
    { to: '1', outcome: 'promoted', source: gbm },
    { to: '1', outcome: 'given up', source: add },
  ]);
});

test('a rollback to version 1 in the canary of version 3: that release, its artifact and how far it came', async () => {
  await service.deploy(yaml(`gbm.onnx, ${AT_ONCE}`));
  await service.deploy(yaml(`add.onnx, ${CANARY}`));
  const ran = await service.sls('models', 'rollback', '--model', 'churn', '--to', '1');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const [add = '', gbm] = await sources();
  expect((await history()).slice(0, 2)).toMatchObject([
    {
      from: '2',
      to: '3',
      outcome: 'given up in favour of version 1',
      restored: '1',
      source: add,
      gate: { verdict: 'pass' },
      weight: 25,
      step: { number: 1, of: 2 },
      by: ME,
    },
    { from: '1', to: '2', outcome: 'promoted', source: gbm },
  ]);
  const { stdout } = await service.sls('models', 'history', '--model', 'churn', '--limit', '1');
  expect(stdout).toMatch(
    new RegExp(
      `version 2 → 3 {2}given up in favour of version 1 after .*\\n.*\\n +artifact {2}sha256 ${add.slice(0, 12)}\\n +gate +pass[^]* traffic {3}25 % in step 1 of 2\\n +why +rollback to version 1 asked for by ${ME} after .*\\n +why .*version 3 is withdrawn`,
    ),
  );
});

test('a deploy whose command was killed once the stack had begun: who it was, and what', async () => {
  await write(`gbm.onnx, memory: 1088, ${AT_ONCE}`);
  const args = [join(repository, 'node_modules', 'osls', 'bin', 'serverless.js'), 'deploy', '--stage', 'dev'];
  const child = spawn(process.execPath, args, {
    cwd: service.dir,
    env: { ...process.env, ...between.aws.env, NO_COLOR: '1' },
    stdio: 'ignore',
  });
  const over = new Promise((done) => child.once('close', (_, signal) => done(signal)));
  const from = between.calls.length;
  between.before(async (call) => {
    const isBegun = between.calls
      .slice(from)
      .some((one) => /^POST (UpdateStack|ExecuteChangeSet)$/.test(one));
    if (isBegun && call === 'POST DescribeStackEvents') child.kill('SIGKILL');
  });
  expect(await over).toBe('SIGKILL');
  between.before(async () => {});
  await expect
    .poll(async () => (await history())[0], { timeout: 120_000, interval: 2000 })
    .toMatchObject({ from: '1', to: '4', outcome: 'promoted' });
  const source = (await sources()).at(-1);
  expect((await history())[0]).toMatchObject({ source, by: ME, command: 'deploy' });
});
