/** A model that runs from an image, as somebody meets it who declares `package: image`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BatchDeleteImageCommand,
  DescribeImagesCommand,
  ECRClient,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { LambdaClient, ListVersionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Success } from '../../core/batch/job.ts';
import type { VersionRecord } from '../../core/release/document/history-contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { repository } from '../serving/endpoint.ts';
import { makeBase } from './image-base.ts';
import { type Deployment, deployService, everythingLeft, PLUGIN, type Ran, type Service } from './service.ts';
import { documented, makeUser } from './user.ts';

const employment = join(repository, 'examples', 'employment');
const REPOSITORY = 'pictured-dev-models';

type Declared = { readonly memory?: number; readonly cases?: string; readonly kind?: string };
const yaml = ({
  memory = 1024,
  cases = 'cases.jsonl',
  kind = 'image',
}: Declared = {}): string => `service: pictured
plugins: [serverless-models]
provider: {name: aws, architecture: ${process.arch === 'arm64' ? 'arm64' : 'x86_64'}}
custom:
  models: {registry: {bucket: pictured-registry}}
models:
  churn:
    artifact: employment.onnx
    package: ${kind}
    ${kind === 'image' ? `image: {base: "${base}"}` : ''}
    memory: ${memory}
    traffic: 5/s
    gate: {cases: ${cases}}
    release:
      strategy: canary
      minRequests: 5
      increase: 50%
      steps: [{weight: 50, bake: 1m}]
    batch:
      - {input: 's3://pictured-rows/*.csv', output: 's3://pictured-scored'}
`;

let aws: LocalAws;
let before: string[];
let base: string;
let rows: readonly string[];
let request: { readonly inputs: readonly unknown[] };
let service: Service & Deployment;
let ecr: ECRClient;
let lambda: LambdaClient;
let s3: S3Client;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  ecr = new ECRClient(client(aws.endpoint));
  lambda = new LambdaClient(client(aws.endpoint));
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  base = await makeBase(aws);
  for (const Bucket of ['pictured-registry', 'pictured-rows', 'pictured-scored'])
    await s3.send(new CreateBucketCommand({ Bucket }));
  before = await everythingLeft(aws);
  const read = (name: string) => readFile(join(employment, name));
  rows = (await read('later.csv')).toString().trim().split('\n').slice(0, 200);
  const cases = (await read('cases.jsonl')).toString();
  const [first = ''] = cases.split('\n');
  request = { inputs: JSON.parse(first).inputs };
  const wrong = first.replace(/("outputs":.*?"data":\s*\[)\s*(-?[\d.]+)/, '$1 77');
  expect(wrong).not.toBe(first);
  const files = {
    'employment.onnx': await read('employment.onnx'),
    'cases.jsonl': cases,
    'wrong.jsonl': `${wrong}\n`,
  };
  // Who deploys may do what docs/deploy-policy.md says, and no more.
  const user = await makeUser(aws, 'deployer');
  const names = { SERVICE: 'pictured', 'MY-MODELS': 'pictured-registry', SCORED: 'pictured-scored' };
  const policy = ['Deployment', 'ImageLogin', 'arn:aws:s3:::MY-MODELS', 'arn:aws:s3:::SCORED'].flatMap(
    (sid) => documented(sid, names),
  );
  const pulls = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];
  const Resource = 'arn:aws:ecr:us-east-1:000000000000:repository/base';
  await user.may([...policy, { Sid: 'Base', Effect: 'Allow', Action: pulls, Resource }]);
  service = await deployService({ yaml: yaml(), files }, { ...aws, env: user.env });
});
afterAll(async () => {
  for (const one of [ecr, lambda, s3]) one?.destroy();
  await aws?.stop();
});

/** Deploys another serverless.yml, which may fail. */
async function deploy(declared: Declared, ...options: string[]): Promise<Ran> {
  await writeFile(join(service.dir, 'serverless.yml'), yaml(declared).replace('serverless-models', PLUGIN));
  return service.sls('deploy', ...options);
}
const text = async (Bucket: string, Key: string): Promise<string> =>
  (await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString()) ?? '';
const recordOf = async (version: string): Promise<VersionRecord> =>
  JSON.parse(
    await text(
      'pictured-registry',
      `models/000000000000/us-east-1/pictured/dev/versions/churn/${version}.json`,
    ),
  );
/** Tags of each image, by digest. */
async function images(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: REPOSITORY }));
  return Object.fromEntries(
    imageDetails.map(({ imageDigest = '', imageTags = [] }) => [imageDigest, [...imageTags].sort()]),
  );
}

test('answers from its image, whose digest is recorded', async () => {
  const { answer, version } = await service.invoke('churn', request);
  expect(answer).toMatchObject({ outputs: expect.any(Array), model_version: '1' });
  expect(version).toBe('1');
  const { image, fingerprint } = await recordOf('1');
  const tag = `v-${fingerprint.slice(0, 12)}`;
  const found = await images();
  expect(found).toEqual({ [image?.digest ?? '']: [tag] });
  expect(image).toEqual({ repository: REPOSITORY, tag, base, digest: expect.any(String) });
  const { Versions = [] } = await lambda.send(
    new ListVersionsByFunctionCommand({ FunctionName: 'pictured-dev-churn-batch' }),
  );
  // Batch runs the very same.
  for (const { PackageType, CodeSha256 } of Versions)
    expect([PackageType, `sha256:${CodeSha256}`]).toEqual(['Image', image?.digest]);
});

test('its memory sizes are found by who has the documented policy, and without that of images by nobody', async () => {
  const analyst = await makeUser(aws, 'analyst');
  const policy = documented('MeasureSizes', { SERVICE: 'pictured' });
  const tune = () =>
    service.slsAs(analyst.env, 'models', 'tune', '--memory', '1024', '--invocations', '50', '--json');
  await analyst.may(policy);
  const refused = await tune();
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain(
    'Lambda does not have permission to access the ECR image',
  );
  await analyst.may([...policy, ...documented('TunedImage', { SERVICE: 'pictured' })]);
  const { code, stdout, stderr } = await tune();
  expect(code, stdout + stderr).toBe(0);
  expect(JSON.parse(stdout).sizes).toMatchObject([{ memory: 1024, invocations: 50 }]);
});

test('the repository lets Lambda read, and forgets what has no tag', async () => {
  const of = { repositoryName: REPOSITORY };
  const { policyText = '' } = await ecr.send(new GetRepositoryPolicyCommand(of));
  expect(JSON.parse(policyText).Statement).toMatchObject([
    {
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
    },
  ]);
  const { lifecyclePolicyText = '' } = await ecr.send(new GetLifecyclePolicyCommand(of));
  expect(JSON.parse(lifecyclePolicyText).rules).toMatchObject([
    { selection: { tagStatus: 'untagged' }, action: { type: 'expire' } },
  ]);
});

test('an upload is scored by the same image', async () => {
  await s3.send(
    new PutObjectCommand({ Bucket: 'pictured-rows', Key: 'may.csv', Body: `${rows.join('\n')}\n` }),
  );
  const latest = () => text('pictured-scored', 'churn/latest/may.csv.json').catch(() => undefined);
  await expect.poll(latest, { timeout: 150_000 }).toBeDefined();
  const folder = String(JSON.parse((await latest()) ?? '').job).replace('s3://pictured-scored/', '');
  const success: Success = JSON.parse(await text('pictured-scored', `${folder}_SUCCESS.json`));
  expect(success).toMatchObject({ rows: rows.length - 1, errors: 0, version: '1' });
});

test('a deploy that changes nothing uploads nothing', async () => {
  const again = await service.deploy();
  expect(again.printed.stdout + again.printed.stderr).toMatch(/No changes to deploy/);
});

test('an image that somebody deleted is pushed again by a deploy that changes nothing, and told', async () => {
  const there = await images();
  const imageIds = Object.keys(there).map((imageDigest) => ({ imageDigest }));
  await ecr.send(new BatchDeleteImageCommand({ repositoryName: REPOSITORY, imageIds }));
  const { stdout, stderr } = (await service.deploy()).printed;
  expect(stdout + stderr).toMatch(/No changes to deploy/);
  expect(stdout + stderr).toContain(
    `The image of churn was gone from the repository ${REPOSITORY}, and is there again: see that nobody deletes there, and no rule.`,
  );
  expect(await images()).toEqual(there);
});

test('another version is judged under traffic and promoted; the same layers are one image', async () => {
  let over = false;
  const traffic = (async () => {
    while (!over) await service.invoke('churn', request);
  })();
  const { code, stdout, stderr } = await deploy({ memory: 1088 }, '--wait').finally(() => {
    over = true;
  });
  await traffic;
  expect(code, stdout + stderr).toBe(0);
  expect(stderr).toMatch(/churn: version 2 judging, step 1 of 1 \(50 %\)/);
  expect(stderr).toMatch(/^churn: version 2 is live/m);
  const tags = await Promise.all(['1', '2'].map(async (version) => (await recordOf(version)).image?.tag));
  expect(Object.values(await images())).toEqual([tags.toSorted()]);
});

test('a gate that fails exposes nothing', async () => {
  const { code, stderr } = await deploy({ memory: 1152, cases: 'wrong.jsonl' });
  expect(code).toBe(1);
  expect(stderr).toMatch(/models\.churn\.gate: version 3 did not pass\./);
  expect((await service.invoke('churn', request)).version).toBe('2');
});

test('a rollback goes back to the image before', async () => {
  const { stdout } = await service.sls('models', 'rollback', '--to', '1', '--json');
  expect(JSON.parse(stdout).status).toMatchObject({ traffic: [{ version: '1', share: 100 }] });
  expect((await service.invoke('churn', request)).version).toBe('1');
});

test('it does not become a zip, and nothing is uploaded', async () => {
  const there = await images();
  const { code, stdout, stderr } = await deploy({ kind: 'zip' });
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(
    /models\.churn\.package: is zip, and the deployed function pictured-dev-churn is packaged as image, which AWS never changes\. Write `package: image`.*MODELS_PACKAGE_CHANGED/,
  );
  expect(stdout + stderr).not.toContain('Uploading');
  expect(await images()).toEqual(there);
});

test('sls remove takes the repository along, and leaves nothing', async () => {
  await deploy({});
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
