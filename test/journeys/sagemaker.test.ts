/**
 * A group of SageMaker's Model Registry: what is approved there is deployed, and nothing else; the record of
 * the version tells who approved it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type FakeSageMaker, fakeSageMaker } from '../fakes/sagemaker.ts';
import { tarOf } from '../fakes/tar.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const YAML = `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: 'sagemaker:churn@approved', release: {strategy: allAtOnce}}
`;
const GROUP = 'arn:aws:sagemaker:us-east-1:000000000000:model-package-group/churn';

let aws: LocalAws;
let registry: FakeSageMaker;
let s3: S3Client;
let service: Service & Deployment;
let before: string[];
let answers: Record<string, { inputs: unknown }>;
beforeAll(async () => {
  ({ models: answers } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')));
  registry = await fakeSageMaker();
  // The commands' environment begins with that of this process.
  process.env.AWS_ENDPOINT_URL_SAGEMAKER = registry.address;
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'trained' }));
  for (const [index, graph] of ['logreg.onnx', 'gbm.onnx'].entries())
    await s3.send(
      new PutObjectCommand({
        Bucket: 'trained',
        Key: `${graph}/model.tar.gz`,
        Body: gzipSync(
          tarOf([
            { path: 'model.onnx', content: await readFile(join(fixtures, graph)) },
            { path: 'code/inference.py', content: Buffer.from(`version = ${index}\n`) },
          ]),
        ),
      }),
    );
  before = await everythingLeft(aws);
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL_SAGEMAKER;
  s3?.destroy();
  await registry?.stop();
  await aws?.stop();
});

/** Registers an archive, as a pipeline of SageMaker does. */
const register = (graph: string, status: string, commit: string): number =>
  registry.register(
    'churn',
    { Image: 'image', ModelDataUrl: `s3://trained/${graph}/model.tar.gz` },
    {
      ModelApprovalStatus: status,
      ApprovalDescription: `${commit} was looked at`,
      CreatedBy: { UserProfileName: 'ann' },
      LastModifiedBy: { IamIdentity: { Arn: 'arn:aws:sts::000000000000:assumed-role/risk/bob' } },
      MetadataProperties: {
        CommitId: commit,
        GeneratedBy: `arn:aws:sagemaker:us-east-1:000000000000:training-job/churn-${commit}`,
      },
    },
  );

async function recordOf(version: string): Promise<Record<string, unknown>> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name }) => Name?.includes('serverlessdeploymentbucket'))?.Name;
  const Key = `models/000000000000/us-east-1/shop/dev/versions/churn/${version}.json`;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return JSON.parse((await Body?.transformToString()) ?? '');
}
const liveVersion = async (graph: string): Promise<string> =>
  (await service.invoke('churn', { inputs: answers[graph]?.inputs })).version;

test('what is approved is deployed, not what is newest; the record has the approval', async () => {
  register('logreg.onnx', 'Approved', 'aaa');
  register('gbm.onnx', 'PendingManualApproval', 'bbb');
  service = await deployService({ yaml: YAML }, aws);
  expect(await liveVersion('logreg.onnx')).toBe('1');
  expect(await recordOf('1')).toMatchObject({
    version: '1',
    origin: {
      from: 'sagemaker',
      at: GROUP,
      name: 'churn',
      version: '1',
      alias: 'approved',
      run: 'arn:aws:sagemaker:us-east-1:000000000000:training-job/churn-aaa',
      by: 'ann',
      commit: 'aaa',
      approval: {
        status: 'Approved',
        by: 'arn:aws:sts::000000000000:assumed-role/risk/bob',
        reason: 'aaa was looked at',
      },
    },
  });
  expect((await service.sls('models', 'history', '--model', 'churn')).stdout).toMatch(
    /origin +churn version 1 of SageMaker \(approved\), run \S+, by ann; Approved there, last changed by \S+bob: aaa was looked at/,
  );
});

test('nothing is deployed again while a version waits, also where SageMaker throttles', async () => {
  registry.trouble({ kind: 'refuses', status: 400, code: 'ThrottlingException', message: 'Rate exceeded' });
  const { printed } = await service.deploy();
  registry.calm();
  expect(printed.stdout + printed.stderr).toMatch(
    /SageMaker in us-east-1 answers ThrottlingException: Rate exceeded: sagemaker:churn@approved is taken as version 1 of arn:/,
  );
  expect(await liveVersion('logreg.onnx')).toBe('1');
});

test('an approval is told before it is deployed, and then it is live', async () => {
  registry.approve('churn', 2, 'Approved');
  const { stdout } = await service.sls('models', 'plan');
  expect(stdout).toContain('churn: churn version 2 of SageMaker (approved), run ');
  expect(stdout).toMatch(/churn: the live one is version 1: run \S+-aaa → \S+-bbb; commit aaa → bbb/);
  const { printed } = await service.deploy();
  expect(printed.stdout + printed.stderr).toMatch(
    /sagemaker:churn@approved is version 2 now; it was version 1 on /,
  );
  expect(await liveVersion('gbm.onnx')).toBe('2');
  expect(await recordOf('2')).toMatchObject({ origin: { version: '2', commit: 'bbb' } });
});

test('what was rejected, or is approved no more, is refused before anything is uploaded', async () => {
  registry.approve('churn', 1, 'Rejected');
  registry.approve('churn', 2, 'PendingManualApproval');
  const refused = async (yaml: string, why: RegExp): Promise<void> => {
    await expect(service.deploy(yaml)).rejects.toThrow(why);
    expect(await liveVersion('gbm.onnx')).toBe('2');
  };
  await refused(YAML, /has no version of churn that is approved; the newest, 2, is PendingManualApproval/);
  await refused(YAML.replace('churn@approved', 'churn/1'), /has version 1 as Rejected/);
  // By its number a person takes it upon themselves.
  const { printed } = await service.deploy(YAML.replace('churn@approved', 'churn/2'));
  expect(printed.stdout + printed.stderr).toContain(
    'sagemaker:churn/2 is PendingManualApproval in SageMaker’s registry, and not approved.',
  );
  expect(await liveVersion('gbm.onnx')).toBe('2');
});

test('remove leaves nothing, and the registry was only read', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
  expect([...new Set(registry.asked())].sort()).toEqual([
    'DescribeModelPackage',
    'DescribeModelPackageGroup',
    'ListModelPackages',
  ]);
});
