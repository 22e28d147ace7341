/**
 * From stage to stage: what staging has validated is deployed to prod, its evidence is in the record there,
 * and anything else is refused with the difference. The stages have stacks and registries of their own.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type {
  Deployment as DeployRecord,
  VersionRecord,
} from '../../core/release/document/history-contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { fixtures } from '../serving/endpoint.ts';
import { everythingLeft, prepareService, type Ran, type Service } from './service.ts';

const yaml = (optimize = true): string => `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: models:/churn@champion
    gate: {cases: churn.jsonl}
    release: {strategy: allAtOnce}
  offers:
    artifact: offers.onnx
    optimize: ${optimize}
    gate: {cases: offers.jsonl}
    release: {strategy: allAtOnce}
`;

let aws: LocalAws;
let mlflow: FakeMlflow;
let staging: Service;
let prod: Service;
let s3: S3Client;
let before: string[];
let cases: Record<string, string>;
beforeAll(async () => {
  mlflow = await fakeMlflow();
  process.env.MLFLOW_TRACKING_URI = mlflow.address;
  aws = await startAws();
  before = await everythingLeft(aws);
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  cases = Object.fromEntries(
    ['logreg.onnx', 'gbm.onnx'].map((graph) => {
      const { inputs, outputs } = models[graph];
      return [graph, `${JSON.stringify({ inputs, outputs })}\n`];
    }),
  );
  const files = {
    'offers.onnx': await readFile(join(fixtures, 'gbm.onnx')),
    'offers.jsonl': cases['gbm.onnx'] ?? '',
    'churn.jsonl': cases['logreg.onnx'] ?? '',
  };
  staging = await prepareService({ yaml: yaml(), files }, aws, 'staging');
  prod = await prepareService({ yaml: yaml(), files }, aws, 'prod');
});
afterAll(async () => {
  delete process.env.MLFLOW_TRACKING_URI;
  s3?.destroy();
  await mlflow?.stop();
  await aws?.stop();
});

async function champion(graph: string): Promise<void> {
  const files = { MLmodel: mlmodelOf('model.onnx'), 'model.onnx': await readFile(join(fixtures, graph)) };
  mlflow.alias('churn', 'champion', mlflow.register('churn', files));
}

/** The documents of a stage whose keys begin like this, in order. */
async function documents<T>(stage: string, begin: string): Promise<readonly T[]> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name }) =>
    Name?.startsWith(`shop-${stage}-serverlessdeploymentbucket`),
  )?.Name;
  const Prefix = `models/000000000000/us-east-1/shop/${stage}/${begin}`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return JSON.parse((await Body?.transformToString()) ?? '') as T;
    }),
  );
}
const recordOf = async (stage: string, model: string): Promise<VersionRecord | undefined> =>
  (await documents<VersionRecord>(stage, `versions/${model}/1.json`))[0];

const printed = ({ stdout, stderr }: Ran): string => stdout + stderr;
async function refused(running: Promise<Ran>): Promise<string> {
  const ran = await running;
  expect(ran.code, printed(ran)).toBe(1);
  return printed(ran);
}

test('a stage that is not deployed gives nothing, and its own neither', async () => {
  await champion('logreg.onnx');
  expect(await refused(prod.sls('package', '--promote-from', 'staging'))).toMatch(
    /--promote-from: shop is not deployed to staging in us-east-1, .* \[MODELS_PROMOTION\]/s,
  );
  expect(await refused(prod.sls('deploy', '--promote-from', 'prod'))).toContain(
    '--promote-from: prod is the stage that is deployed to.',
  );
});

test('what staging has validated is deployed, at its version of MLflow, although the alias has moved since', async () => {
  await staging.deploy();
  await champion('gbm.onnx');
  const plan = await prod.sls('models', 'plan', '--promote-from', 'staging');
  expect(plan.stdout).toMatch(
    /churn: as validated by staging, version 1 of shop-staging, promoted .* UTC; gate passed, 1 of 1 cases; churn version 1 of MLflow/,
  );
  const { invoke } = await prod.deploy(undefined, '--promote-from', 'staging');
  expect((await invoke('churn', JSON.parse(cases['logreg.onnx'] ?? ''))).answer).toMatchObject({
    model_name: 'churn',
  });
  for (const model of ['churn', 'offers']) {
    const [theirs, ours] = [await recordOf('staging', model), await recordOf('prod', model)];
    expect(theirs?.source).toMatch(/^[0-9a-f]{64}$/);
    expect([ours?.source, ours?.identity]).toEqual([theirs?.source, theirs?.identity]);
  }
  expect((await recordOf('prod', 'churn'))?.origin).toMatchObject({ name: 'churn', version: '1' });
});

test('the record of the deploy cites its evidence, which history and report show', async () => {
  const [{ models = [] } = {}] = await documents<DeployRecord>('prod', 'deployments/');
  const [theirs] = await documents<{ readonly release: string }>('staging', 'releases/churn/live.json');
  expect(models.find(({ model }) => model === 'churn')?.promoted).toMatchObject({
    stage: 'staging',
    stack: 'shop-staging',
    version: '1',
    release: theirs?.release,
    startedAt: expect.stringMatching(/^\d{4}-/),
    endedAt: expect.stringMatching(/^\d{4}-/),
    gate: { verdict: 'pass', done: 1, count: 1 },
  });
  const line = /from {6}staging, version 1 of shop-staging, promoted .* UTC; gate passed, 1 of 1 cases/;
  expect((await prod.sls('models', 'history', '--model', 'churn')).stdout).toMatch(line);
  const report = await prod.sls('models', 'report');
  expect(report.code, printed(report)).toBe(0);
  const page = await readFile(join(prod.dir, '.serverless', 'models-report.html'), 'utf8');
  expect(page).toContain('from staging, version 1 of shop-staging');
});

test('another file is refused with both digests, another option with its name, before anything is uploaded', async () => {
  await writeFile(join(prod.dir, 'offers.onnx'), await readFile(join(fixtures, 'logreg.onnx')));
  const [theirs] = [await recordOf('staging', 'offers')];
  const difference = await refused(prod.sls('deploy', '--promote-from', 'staging'));
  expect(difference).toMatch(
    /models\.offers: is not what staging validated as version 1: its source is sha256 [0-9a-f]{12} here, and [0-9a-f]{12} there/,
  );
  expect(difference).toContain(`and ${theirs?.source.slice(0, 12)} there`);
  await writeFile(join(prod.dir, 'offers.onnx'), await readFile(join(fixtures, 'gbm.onnx')));
  const file = join(prod.dir, 'serverless.yml');
  const written = await readFile(file, 'utf8');
  await writeFile(file, written.replace('optimize: true', 'optimize: false'));
  expect(await refused(prod.sls('deploy', '--promote-from', 'staging'))).toContain(
    ': optimize is true there and false here. Write the same as staging has,',
  );
  await writeFile(file, written);
  expect(await documents('prod', 'deployments/')).toHaveLength(1);
});

test('a package that was made without the option is not deployed by it', async () => {
  const made = await prod.sls('package', '--package', 'packed');
  expect(made.code, printed(made)).toBe(0);
  expect(await refused(prod.sls('deploy', '--package', 'packed', '--promote-from', 'staging'))).toMatch(
    /models\.churn: was packaged without --promote-from, and is to be deployed from staging\./,
  );
});

test('what was rolled back at staging is not taken', async () => {
  await writeFile(join(staging.dir, 'churn.jsonl'), cases['gbm.onnx'] ?? '');
  await staging.deploy();
  const back = await staging.sls('models', 'rollback', '--model', 'churn');
  expect(back.code, printed(back)).toBe(0);
  expect(await refused(prod.sls('deploy', '--promote-from', 'staging'))).toMatch(
    /models\.churn: cannot be taken from staging: its last release there was rolled back .*MODELS_PROMOTION/s,
  );
});

test('a gate that is declared later has asked nothing of what is live: what is released next passes it', async () => {
  const declared = (gate: string, memory = 1024): string => `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  offers: {artifact: offers.onnx, memory: ${memory}${gate}, release: {strategy: allAtOnce}}
`;
  const [without, withGate] = [declared(''), declared(', gate: {cases: offers.jsonl}')];
  const files = {
    'offers.onnx': await readFile(join(fixtures, 'gbm.onnx')),
    'offers.jsonl': cases['gbm.onnx'] ?? '',
  };
  const qa = await prepareService({ yaml: without, files }, aws, 'qa');
  const next = await prepareService({ yaml: withGate, files }, aws, 'next');
  for (const yaml of [without, withGate]) {
    await qa.deploy(yaml);
    expect(await refused(next.sls('package', '--promote-from', 'qa'))).toMatch(
      /offers: cannot be taken from qa: version 1 is live there, and passed no gate .* makes a version, for example another `memory`\./,
    );
  }
  await qa.deploy(declared(', gate: {cases: offers.jsonl}', 1088));
  const taken = await next.sls('package', '--promote-from', 'qa');
  expect(taken.code, printed(taken)).toBe(0);
  await qa.remove();
});

test('without the option nothing is asked of staging', async () => {
  await writeFile(join(prod.dir, 'churn.jsonl'), cases['gbm.onnx'] ?? '');
  await prod.deploy();
  const [, second] = await documents<DeployRecord>('prod', 'deployments/');
  expect(second?.models.map(({ promoted }) => promoted)).toEqual([undefined, undefined]);
  expect((await documents<VersionRecord>('prod', 'versions/churn/2.json'))[0]?.origin).toMatchObject({
    version: '2',
  });
  await prod.remove();
  await staging.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
