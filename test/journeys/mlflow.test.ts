/**
 * A model of MLflow's registry: deployed by its alias, told by the record of its version, and left alone
 * where the alias moves to the same bytes.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const YAML = `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: 'models:/churn@champion'}
`;

let aws: LocalAws;
let mlflow: FakeMlflow;
let service: Service & Deployment;
let before: string[];
let answers: Record<string, { inputs: unknown }>;
beforeAll(async () => {
  mlflow = await fakeMlflow();
  process.env.MLFLOW_TRACKING_URI = mlflow.address;
  ({ models: answers } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')));
  aws = await startAws();
  before = await everythingLeft(aws);
});
afterAll(async () => {
  delete process.env.MLFLOW_TRACKING_URI;
  await mlflow?.stop();
  await aws?.stop();
});

/** Registers a graph as the next version, to which the alias leads from now on. */
async function champion(graph: string, auc: number): Promise<string> {
  const files = { MLmodel: mlmodelOf('model.onnx'), 'model.onnx': await readFile(join(fixtures, graph)) };
  const version = mlflow.register('churn', files, auc);
  mlflow.alias('churn', 'champion', version);
  return version;
}

async function recordOf(version: string): Promise<Record<string, unknown>> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  try {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const bucket = Buckets.find(({ Name }) => Name?.includes('serverlessdeploymentbucket'))?.Name;
    const Key = `models/000000000000/us-east-1/shop/dev/versions/churn/${version}.json`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  } finally {
    s3.destroy();
  }
}
const liveVersion = async (graph: string): Promise<string> =>
  (await service.invoke('churn', { inputs: answers[graph]?.inputs })).version;

test('one line deploys it; the record names version, run, data and metrics', async () => {
  await champion('logreg.onnx', 0.9);
  service = await deployService({ yaml: YAML }, aws);
  expect(await liveVersion('logreg.onnx')).toBe('1');
  expect(await recordOf('1')).toMatchObject({
    version: '1',
    origin: {
      from: 'mlflow',
      at: mlflow.address,
      name: 'churn',
      version: '1',
      alias: 'champion',
      run: expect.any(String),
      by: 'ann',
      datasets: [{ name: 'churn-2026-11', digest: 'c222a439', context: 'training' }],
      metrics: [{ name: 'auc', value: 0.9, dataset: 'churn-2026-11' }],
    },
  });
  expect((await service.sls('models', 'list')).stdout).toMatch(
    /origin {4}churn version 1 of MLflow \(champion\), run \w+, by ann; trained on churn-2026-11; auc 0\.9/,
  );
});

test('an alias that moves to the same bytes is told, and no release begins', async () => {
  await champion('logreg.onnx', 0.91);
  const { stdout } = await service.sls('models', 'plan');
  expect(stdout).toContain('churn: churn version 2 of MLflow (champion)');
  expect(stdout).toMatch(/churn: the live one is version 1: auc 0\.9 → 0\.91 on churn-2026-11; run /);
  const { printed } = await service.deploy();
  expect(printed.stdout + printed.stderr).toMatch(
    /models\.churn: models:\/churn@champion is version 2 now; it was version 1 on /,
  );
  expect(await liveVersion('logreg.onnx')).toBe('1');
});

test('one that moves to another model is released, and its record is of that version', async () => {
  await champion('gbm.onnx', 0.93);
  await service.deploy();
  expect(await liveVersion('gbm.onnx')).toBe('2');
  expect(await recordOf('2')).toMatchObject({ origin: { version: '3', metrics: [{ value: 0.93 }] } });
  // It is of the version that was deployed then, whatever became of the alias.
  expect(await recordOf('1')).toMatchObject({ origin: { version: '1' } });
});

/** The same service with a card, and open to the web. */
const withCard = (owner: string): string =>
  YAML.replace(
    "artifact: 'models:/churn@champion'",
    `artifact: 'models:/churn@champion', http: {auth: none}, card: {dataset: {file: train.csv}, metrics: {auc: {min: 0.9}}, licence: Apache-2.0, owner: ${owner}}`,
  );
const TRAINED = 'age,left\n30,0\n';
const DIGEST = createHash('sha256').update(TRAINED).digest('hex');

test('a card is in the list, at its route and in the record, with our hash of the data', async () => {
  await writeFile(join(service.dir, 'train.csv'), TRAINED);
  const { http } = await service.deploy(withCard('ann'));
  // What is told of a model makes no version of it; its routes do not, either.
  expect(await liveVersion('gbm.onnx')).toBe('2');
  const told = {
    licence: { value: 'Apache-2.0', from: ['card'] },
    owner: { value: 'ann', from: ['card'] },
    datasets: [
      {
        name: { value: 'churn-2026-11', from: ['mlflow'] },
        sha256: { value: DIGEST, from: ['file'] },
      },
    ],
    metrics: [
      {
        name: 'auc',
        value: { value: 0.93, from: ['mlflow'] },
        on: { value: 'churn-2026-11', from: ['mlflow'] },
        min: 0.9,
      },
    ],
  };
  expect(await recordOf('2')).toMatchObject({ origin: { version: '3' }, card: told });
  const { stdout } = await service.sls('models', 'list');
  expect(stdout).toContain(`  data      churn-2026-11, sha256 ${DIGEST} (file)`);
  expect(stdout).toContain('  metric    auc 0.93 on churn-2026-11 (MLflow), at least 0.9');
  const answer = await fetch(`${http()}/v2/models/churn/card`);
  const document = await answer.text();
  expect([answer.status, JSON.parse(document)]).toMatchObject([
    200,
    { model: 'churn', card: told, origin: { version: '3', run: expect.any(String) } },
  ]);
  // Neither the registry's address nor who logged it is anybody's business who may ask the model.
  expect(document).not.toContain(mlflow.address);
  expect(document).not.toContain('"by"');
  expect((await service.sls('models', 'card', '--format', 'cyclonedx')).stdout).toContain(DIGEST);
  expect((await service.sls('models', 'history')).stdout).toMatch(
    new RegExp(`origin {4}churn version 3 of MLflow .*\\n *data {6}churn-2026-11, sha256 ${DIGEST}`),
  );
});

test('the report shows the card of the version that is live, with who says what', async () => {
  expect((await service.sls('models', 'report', '--output', 'report.html')).code).toBe(0);
  const page = await readFile(join(service.dir, 'report.html'), 'utf8');
  expect(page).toContain('<h3>Card of version 2</h3>');
  expect(page).toContain(`churn-2026-11, sha256 ${DIGEST} (file)`);
  expect(page).toContain('Apache-2.0 (card)');
});

test('a card that changes alone is told at once, and starts no release', async () => {
  const { http } = await service.deploy(withCard('bob'));
  expect(await liveVersion('gbm.onnx')).toBe('2');
  expect(await recordOf('2')).toMatchObject({ card: { owner: { value: 'bob' } } });
  const answer = await fetch(`${http()}/v2/models/churn/card`);
  expect(await answer.json()).toMatchObject({ card: { owner: { value: 'bob', from: ['card'] } } });
  const past = JSON.parse((await service.sls('models', 'history', '--json')).stdout);
  expect(past.churn.map(({ to }: { to: string }) => to)).toEqual(['2', '1']);
});

test('where MLflow is down a deploy goes on with the version that it was, and says so', async () => {
  mlflow.trouble('churn', { kind: 'answers', status: 503, type: 'text/plain', text: 'down' });
  const { printed } = await service.deploy();
  mlflow.calm();
  expect(printed.stdout + printed.stderr).toMatch(
    /answers 503: down: models:\/churn@champion is taken as version 3, which it was on /,
  );
  expect(await liveVersion('gbm.onnx')).toBe('2');
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
