/** Versions of the batch function go with time, under the role that the plan gives the release worker. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LambdaClient, ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const KEPT = 5;
const LATER_MS = 2 * 3600_000;
const REGISTRY = 'aged-registry';
const LIVE = { Bucket: REGISTRY, Key: 'models/000000000000/us-east-1/aged/dev/releases/churn/live.json' };
const yaml = `
service: aged
provider: {name: aws}
plugins: [serverless-models]
custom: {models: {registry: {bucket: ${REGISTRY}}}}
models:
  churn:
    artifact: churn
    release: {strategy: allAtOnce, rollbackWindow: 0}
    batch:
      - {input: 's3://aged-rows/*.csv', output: 's3://aged-scored/', emit: [label], tolerate: 0%}
`;
const transformOf = (version: number): string =>
  `export const pre = async (inputs) => inputs; // ${version}\nexport const version = ${version};\n`;

let aws: LocalAws;
let lambda: LambdaClient;
let s3: S3Client;
let sfn: SFNClient;
let service: Service & Deployment;
beforeAll(async () => {
  aws = await startAws();
  lambda = new LambdaClient(client(aws.endpoint));
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  sfn = new SFNClient(client(aws.endpoint));
  for (const Bucket of [REGISTRY, 'aged-rows', 'aged-scored'])
    await s3.send(new CreateBucketCommand({ Bucket }));
  const model = await readFile(
    join(import.meta.dirname, '..', '..', 'examples', 'employment', 'employment.onnx'),
  );
  const files = { 'churn/model.onnx': model, 'churn/transform.ts': transformOf(1) };
  service = await deployService({ yaml, files }, aws);
});
afterAll(async () => {
  for (const one of [lambda, s3, sfn]) one?.destroy();
  await service?.remove();
  await aws?.stop();
});

async function versions(): Promise<readonly string[]> {
  const { Versions = [] } = await lambda.send(
    new ListVersionsByFunctionCommand({ FunctionName: 'aged-dev-churn-batch' }),
  );
  return Versions.flatMap(({ Version = '' }) => (Version === '$LATEST' ? [] : [Version]));
}
async function deploy(version: number): Promise<void> {
  await writeFile(join(service.dir, 'churn', 'transform.ts'), transformOf(version));
  const { code, stdout, stderr } = await service.sls('deploy');
  expect(code, stdout + stderr).toBe(0);
}
/** As if some hours had passed since a version became unneeded. */
async function age(): Promise<void> {
  const { Body } = await s3.send(new GetObjectCommand(LIVE));
  const live = JSON.parse((await Body?.transformToString()) ?? '') as Release;
  const batches = live.batches?.map((one) =>
    one.unneeded === undefined
      ? one
      : { ...one, unneeded: new Date(Date.parse(one.unneeded) - LATER_MS).toISOString() },
  );
  expect(batches).not.toEqual(live.batches);
  await s3.send(new PutObjectCommand({ ...LIVE, Body: JSON.stringify({ ...live, batches }) }));
}

it('stay while an execution runs, and go when none does and nobody has needed them for an hour', async () => {
  for (let version = 2; version <= KEPT + 2; version += 1) await deploy(version);
  expect(await versions()).toHaveLength(KEPT + 2);

  // A job of the first version, which has lost its plan and tries to end.
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:aged-dev-churn-batch',
      input: JSON.stringify({
        ...{ version: '1', job: { message: 'none' }, results: 'none' },
        plan: { bucket: 'aged-scored', key: 'none' },
      }),
    }),
  );
  await age();
  await deploy(KEPT + 3);
  expect(await versions()).toHaveLength(KEPT + 3);

  await sfn.send(new StopExecutionCommand({ executionArn }));
  await age();
  await deploy(KEPT + 4);
  await expect.poll(versions, { timeout: 120_000 }).toEqual(['4', '5', '6', '7', '8', '9']);
}, 600_000);
