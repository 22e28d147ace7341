/**
 * Somebody moved the alias: an unchanged deploy says so, and releases what it offers from where the alias is.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Release } from '../../core/release/document/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { lost, servedBy, startTraffic, type Traffic } from './releases/traffic.ts';
import { type Deployment, deployService, everythingLeft, PLUGIN, type Service } from './service.ts';

const yaml = (memory: number, commit = ''): string => `service: moved
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: logreg.onnx, memory: ${memory}}
resources: {Outputs: {Commit: {Value: 'commit ${commit}'}}}
`;

let aws: LocalAws;
let before: string[];
let service: Service & Deployment;
let traffic: Traffic;
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) };
  service = await deployService({ yaml: yaml(1024), files }, aws);
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  const request = { inputs: models['logreg.onnx'].inputs };
  traffic = startTraffic(aws.endpoint, 'moved-dev-churn', 4, () => request);
  await service.deploy(yaml(2048));
  await moveTo('1');
});
afterAll(async () => {
  await traffic?.stop();
  await aws?.stop();
});

async function moveTo(FunctionVersion: string): Promise<void> {
  const lambda = new LambdaClient(client(aws.endpoint));
  await lambda.send(
    new UpdateAliasCommand({ FunctionName: 'moved-dev-churn', Name: 'live', FunctionVersion }),
  );
  lambda.destroy();
}

/** Who answers the next requests, and where the alias points. */
async function live(): Promise<string> {
  const now = Date.now();
  const later = () => traffic.outcomes.filter(({ sent }) => sent > now);
  await expect.poll(() => later().length, { timeout: 90_000 }).toBeGreaterThan(2);
  const [version, ...others] = servedBy(later());
  return [version, ...others, (await service.invoke('churn', { inputs: [] })).version].join(' ');
}

async function document(): Promise<Release> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const Bucket = service.resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  const Key = 'models/000000000000/us-east-1/moved/dev/releases/churn/live.json';
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = await Body?.transformToString();
  s3.destroy();
  return JSON.parse(text ?? '');
}

/** Which version is live in which phase, and what was live, latest first. */
async function recorded(): Promise<unknown> {
  const { phase, stable, lives } = await document();
  // Memory alone tells the two.
  expect(new Set(lives.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  return { phase, versions: [stable, ...lives].map((one) => one?.version) };
}

test('nothing is touched before somebody deploys, and status says who must act', async () => {
  const { stdout } = await service.sls('models', 'status');
  expect(stdout).toMatch(/churn: (LOOK, not urgent|ACT NOW)/);
  expect(stdout).toContain('sls deploy --stage dev');
  expect(await live()).toBe('1 1');
});

test('an unchanged deploy says why what it offers is not live, and releases it', async () => {
  const ran = await service.sls('deploy');
  const output = `${ran.stdout}${ran.stderr}`;
  expect(ran.code, output).toBe(0);
  expect(output).toMatch(
    /churn: nothing of it has changed since the last upload, but what it offers is not live: the alias .*points to version 1, which (no|this) release did.* So it is deployed again\./,
  );
  expect(output).not.toMatch(/No changes to deploy/);
  expect(await live()).toBe('2 2');
  expect(await recorded()).toEqual({ phase: 'BAKING', versions: ['2', '2', '1'] });
});

test('so does a deploy that the framework does not skip, since something else of the service has changed', async () => {
  await moveTo('1');
  await writeFile(
    join(service.dir, 'serverless.yml'),
    yaml(2048, '8d2f').replace('serverless-models', PLUGIN),
  );
  const ran = await service.sls('deploy');
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
  expect(`${ran.stdout}${ran.stderr}`).toContain(
    'churn: nothing of it has changed since the last upload, but',
  );
  expect(await live()).toBe('2 2');
  expect(await recorded()).toEqual({ phase: 'BAKING', versions: ['2', '2', '1'] });
});

test('so does sls deploy --force', async () => {
  await moveTo('1');
  const ran = await service.sls('deploy', '--force');
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
  expect(await live()).toBe('2 2');
  expect(await recorded()).toEqual({ phase: 'BAKING', versions: ['2', '2', '1'] });
});

test('the next deploy has nothing to do, and nothing is left in the end', async () => {
  await service.deploy(yaml(2048, '8d2f'));
  expect(await live()).toBe('2 2');
  expect(lost(await traffic.stop(), [])).toEqual([]);
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
