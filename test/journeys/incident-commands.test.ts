/**
 * An incident does not wait for the YAML: with wrong declarations, or without one, a release is seen and
 * steered all the same.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetAliasCommand, LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, PLUGIN, type Ran, type Service } from './service.ts';

/** @param beside what stands beside the model, or in its place */
const yaml = (models: string, custom = ''): string => `service: incident
plugins: [serverless-models]
provider: {name: aws}
${custom}
models:
${models}
`;
const churn = (memory: number): string => `  churn:
    artifact: add.onnx
    memory: ${memory}
    function: {name: incident-own-name}
    release: {strategy: canary, steps: [{weight: 25, bake: 4h}]}`;
const fraud = (memory: number): string => `  fraud: {artifact: add.onnx, memory: ${memory}}`;

const BESIDE = 'models.fraud.memory: is 64, not at least 128.';
const KEY = 'models/000000000000/us-east-1/incident/dev/releases/churn/live.json';

let aws: LocalAws;
let service: Service & Deployment;
let lambda: LambdaClient;
let s3: S3Client;
let bucket: string;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  lambda = new LambdaClient(client(aws.endpoint));
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  service = await deployService({ yaml: yaml(churn(1024)), files }, aws);
  bucket = service.resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  await service.deploy(yaml(churn(1088)));
});
afterAll(async () => {
  lambda?.destroy();
  s3?.destroy();
  await aws?.stop();
});

/** The service as somebody is writing it, which is not deployed. */
const write = (text: string): Promise<void> =>
  writeFile(join(service.dir, 'serverless.yml'), text.replace('serverless-models', PLUGIN));
async function models(...args: string[]): Promise<Ran> {
  const ran = await service.sls('models', ...args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran;
}
async function weights(): Promise<Readonly<Record<string, number>>> {
  const found = await lambda.send(new GetAliasCommand({ FunctionName: 'incident-own-name', Name: 'live' }));
  return found.RoutingConfig?.AdditionalVersionWeights ?? {};
}

test('a problem of another model is a warning beside each command', async () => {
  await write(yaml(`${churn(1088)}\n${fraud(64)}`));
  const status = await models('status', '--model', 'churn');
  expect(status.stderr).toContain(BESIDE);
  expect(status.stdout).toMatch(/^churn: OK, nothing to do\. Version 2 has 25 %, step 1 of 1\.$/m);
  const held = await models('hold', '--model', 'churn', '--json');
  expect(held.stderr).toContain(BESIDE);
  expect(JSON.parse(held.stdout)).toMatchObject({ status: { model: 'churn', phase: 'HELD' } });
  const resumed = await models('resume', '--model', 'churn');
  expect(resumed.stderr).toContain(BESIDE);
  expect(resumed.stdout).toMatch(/^churn: the release goes on in JUDGING\./);
  // The one that is declared wrongly and was never deployed is shown beside it.
  const all = await models('status', '--json');
  expect(JSON.parse(all.stdout)).toMatchObject([
    { model: 'churn', phase: 'JUDGING' },
    { model: 'fraud', phase: 'NONE', summary: 'It is not deployed.' },
  ]);
  const back = await models('rollback', '--model', 'churn', '--reason', 'incident');
  expect(back.stderr).toContain(BESIDE);
  expect(await weights()).toEqual({});
});

test('so is a problem of its own declaration, and of custom.models', async () => {
  await service.deploy(yaml(churn(1152)));
  expect(Object.values(await weights())).toEqual([0.25]);
  await write(yaml(churn(64), 'custom: {models: {alerts: nobody}}'));
  const held = await models('hold');
  expect(held.stderr).toContain('models.churn.memory: is 64, not at least 128.');
  expect(held.stderr).toContain('custom.models.alerts');
  expect(held.stdout).toMatch(/^churn: version 3 keeps its weight/);
  expect((await models('history')).stdout).toMatch(/version 1 → 2 +rolled back/);
});

test('the logs that status sends to are shown beside a problem, too', async () => {
  for (const key of ['models-release', 'churn']) {
    const { code, stdout, stderr } = await service.sls('logs', '-f', key);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('START');
    expect(stderr).toContain('models.churn.memory: is 64, not at least 128.');
  }
  const others = await service.sls('info');
  expect(others.code).toBe(1);
});

test('a model that is declared no more is seen, and steered by its name', async () => {
  await write(yaml(fraud(512)));
  expect((await models('status')).stdout).toMatch(
    /^churn: LOOK, not urgent\. The release of version 3 is held at 25 %/m,
  );
  expect((await models('resume', '--model', 'churn')).stdout).toMatch(/^churn: the release goes on/);
  const unknown = await service.sls('models', 'resume', '--model', 'chrun');
  expect(unknown.code).toBe(1);
  expect(unknown.stdout + unknown.stderr).toMatch(
    /--model: chrun is neither declared nor in the registry\. Name one of fraud, churn\. \[MODELS_USAGE\]/,
  );
});

test('the registry is the one that the deployed worker uses, whatever serverless.yml names', async () => {
  await write(yaml(churn(1152), 'custom: {models: {registry: {bucket: another-bucket}}}'));
  expect((await models('status')).stdout).toMatch(/^churn: OK, nothing to do\. Version 3 has 25 %/m);
  expect((await models('promote')).stdout).toMatch(/^churn: version 3 is promoted/);
});

test('a damaged document is called so, with a safe way on; a missing one is never OK', async () => {
  await write(yaml(churn(1152)));
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: '{"functionName": "incident-own-name"}' }),
  );
  const damaged = await service.sls('models', 'status');
  expect(damaged.code).toBe(1);
  const output = damaged.stdout + damaged.stderr;
  expect(output).toContain(`${KEY} is not a release document`);
  expect(output).toContain(
    "aws lambda update-alias --function-name incident-own-name --name live --routing-config 'AdditionalVersionWeights={}' --region us-east-1",
  );
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: KEY }));
  // Nobody knows of its own name any more but the declaration.
  expect((await models('status')).stdout).toMatch(
    /^churn: LOOK, not urgent\. The alias points to version 3; no release is recorded\./m,
  );
  await lambda.send(
    new UpdateAliasCommand({
      FunctionName: 'incident-own-name',
      Name: 'live',
      RoutingConfig: { AdditionalVersionWeights: { '1': 0.25 } },
    }),
  );
  expect((await models('status')).stdout).toMatch(
    /^churn: ACT NOW\. The alias points to version 3 \(1: 25 %\)/m,
  );
});
