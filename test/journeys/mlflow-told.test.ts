/**
 * MLflow is told what is live: by a worker with the role that is emitted for it, and a secret; where MLflow
 * is down or refuses, the release is as if it were not there.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import type { TickAnswer } from '../../core/release/document/worker-contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { alertsTopic } from '../../plugins/models/declaration/naming.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Pager, startPager } from './releases/pager.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const PASSWORD = 'correct horse';
const KEY = 'serverless-models.us-east-1.shop-dev-churn';
const basic = (password: string): string => `Basic ${Buffer.from(`shop:${password}`).toString('base64')}`;

let aws: LocalAws;
let mlflow: FakeMlflow;
let service: Service & Deployment;
let pager: Pager;
let s3: S3Client;
let lambda: LambdaClient;
let secrets: SecretsManagerClient;
let secret: string;
beforeAll(async () => {
  mlflow = await fakeMlflow();
  mlflow.guard(basic(PASSWORD));
  process.env.MLFLOW_TRACKING_URI = mlflow.address;
  aws = await startAws({ speed: 10 });
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  lambda = new LambdaClient(client(aws.endpoint));
  secrets = new SecretsManagerClient(client(aws.endpoint));
  const made = await secrets.send(
    new CreateSecretCommand({
      Name: 'mlflow',
      SecretString: JSON.stringify({ username: 'shop', password: PASSWORD }),
    }),
  );
  secret = made.ARN ?? '';
});
afterAll(async () => {
  delete process.env.MLFLOW_TRACKING_URI;
  for (const one of [s3, lambda, secrets]) one?.destroy();
  pager?.close();
  await mlflow?.stop();
  await aws?.stop();
});

const yaml = (): string => `service: shop
plugins: [serverless-models]
provider: {name: aws}
custom: {models: {mlflow: {uri: '${mlflow.address}', alias: production, secret: '${secret}'}}}
models:
  churn: {artifact: 'models:/churn@champion', release: {strategy: allAtOnce}}
  other: {artifact: other.onnx, release: {strategy: allAtOnce}}
`;

async function champion(graph: string): Promise<string> {
  const files = { MLmodel: mlmodelOf('model.onnx'), 'model.onnx': await readFile(join(fixtures, graph)) };
  const version = mlflow.register('churn', files);
  mlflow.alias('churn', 'champion', version);
  return version;
}

const tick = async (): Promise<TickAnswer> => {
  const event = { tick: { model: 'churn', functionName: 'shop-dev-churn', alias: 'live' } };
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: 'shop-dev-models-release', Payload: JSON.stringify(event) }),
  );
  return JSON.parse(Payload?.transformToString() ?? '');
};

async function live(): Promise<{ readonly key: object; readonly document: Release }> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name }) => Name?.includes('serverlessdeploymentbucket'))?.Name;
  const key = { Bucket, Key: 'models/000000000000/us-east-1/shop/dev/releases/churn/live.json' };
  const { Body } = await s3.send(new GetObjectCommand(key));
  return { key, document: JSON.parse((await Body?.transformToString()) ?? '') };
}
const said = () => [
  mlflow.aliased('churn', 'production'),
  ...['1', '2', '3'].map((version) => mlflow.tags('churn', version)[KEY]),
];
/** Ticked until MLflow says it: an attempt that failed is made again a while later. */
const says = (...expected: readonly (string | undefined)[]) =>
  expect.poll(() => tick().then(said), { timeout: 150_000, interval: 500 }).toEqual(expected);
const notices = () => pager.subjects().filter((subject) => subject.includes('MLflow'));

test('a first deploy: the alias leads to what is live, and the plan said so', async () => {
  await champion('logreg.onnx');
  const other = await readFile(join(fixtures, 'logreg.onnx'));
  service = await deployService({ yaml: yaml(), files: { 'other.onnx': other } }, aws);
  pager = await startPager(aws.endpoint, `arn:aws:sns:us-east-1:000000000000:${alertsTopic('shop', 'dev')}`);
  await says('1', 'live', undefined, undefined);
  expect(mlflow.tags('churn', '1')[`${KEY}.at`]).toMatch(
    /^arn:aws:lambda:us-east-1:000000000000:function:shop-dev-churn:1 since \d{4}-/,
  );
  const { stdout } = await service.sls('models', 'plan');
  expect(stdout).toContain(`churn: production of churn follows what is live, at ${mlflow.address}`);
  expect(stdout).toContain('other: nothing is written: other.onnx is no model of MLflow');
});

test('promotion moves the alias, and rollback moves it back', async () => {
  await champion('gbm.onnx');
  await service.deploy();
  await says('2', 'previous', 'live', undefined);
  const { code, stdout, stderr } = await service.sls('models', 'rollback', '--model', 'churn');
  expect(code, stdout + stderr).toBe(0);
  await says('1', 'live', 'previous', undefined);
});

test('a secret that was rotated is read again', async () => {
  mlflow.guard(basic('rotated'));
  await secrets.send(
    new PutSecretValueCommand({
      SecretId: secret,
      SecretString: '{"username": "shop", "password": "rotated"}',
    }),
  );
  mlflow.alias('churn', 'production', '2');
  // As a worker leaves it that dies between writing and noting that.
  const { key, document } = await live();
  const pending = { ...document.writeBack, is: 'pending', attempts: 1, next: document.updatedAt };
  await s3.send(
    new PutObjectCommand({ ...key, Body: JSON.stringify({ ...document, writeBack: pending }) } as never),
  );
  const before = mlflow.tags('churn', '1');
  await says('1', 'live', 'previous', undefined);
  expect(mlflow.tags('churn', '1')).toEqual(before);
  expect((await live()).document.writeBack).toMatchObject({ is: 'written' });
});

test('where it is down, and then refuses, the release is done; one alarm; a later tick writes', async () => {
  await champion('add.onnx');
  mlflow.troubleWrites({ kind: 'silent' });
  const { printed } = await service.deploy();
  expect(printed.stdout + printed.stderr).not.toContain('MLflow is not told');
  expect((await service.invoke('churn', {})).version).toBe('3');
  expect((await live()).document).toMatchObject({ stable: { version: '3' }, writeBack: { is: 'pending' } });
  expect(said()).toEqual(['1', 'live', 'previous', undefined]);
  mlflow.troubleWrites({
    kind: 'answers',
    status: 403,
    type: 'text/html; charset=utf-8',
    text: 'Permission denied',
  });
  await expect
    .poll(() => tick().then(notices), { timeout: 150_000, interval: 500 })
    .toEqual(['[page] churn: MLflow is not told what is live']);
  expect(pager.texts().join('\n')).toContain('refuses 403: Permission denied');
  mlflow.troubleWrites();
  await says('3', 'previous', 'previous', 'live');
  expect(notices()).toHaveLength(1);
});

test('neither record nor log nor template has the secret', async () => {
  const log = (await service.logs('models-release')).join('\n');
  expect(log).toContain('MLflow is told again what is live');
  const { document } = await live();
  for (const text of [log, JSON.stringify(document), ...pager.texts()]) {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain('rotated');
    expect(text).not.toContain(basic('rotated'));
  }
  await service.remove();
});
