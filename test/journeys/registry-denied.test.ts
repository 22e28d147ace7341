/** A registry that the policy of whoever deploys denies, in part: said with the action and the fix, before anything is uploaded. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, PLUGIN, type Service } from './service.ts';
import { makeUser, type User } from './user.ts';

const Bucket = 'governed';
const yaml = (memory: number): string => `service: governed
plugins: [serverless-models]
provider: {name: aws}
custom: {models: {registry: {bucket: ${Bucket}}}}
models:
  churn: {artifact: add.onnx, memory: ${memory}, release: {strategy: allAtOnce}}
`;

let aws: LocalAws;
let s3: S3Client;
let service: Service & Deployment;
let user: User;
beforeAll(async () => {
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  service = await deployService({ yaml: yaml(1024), files }, aws);
  user = await makeUser(aws, 'deployer');
});
afterAll(async () => {
  s3?.destroy();
  await aws?.stop();
});

/** Everything that lies in any bucket. */
async function uploaded(): Promise<readonly string[]> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const keys = await Promise.all(
    Buckets.map(async ({ Name }) => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: Name }));
      return Contents.map(({ Key }) => `${Name}/${Key}`);
    }),
  );
  return keys.flat().sort();
}

test.each(['s3:GetObject', 's3:PutObject', 's3:*'])('without %s', async (action) => {
  const all = { Effect: 'Allow', Action: '*', Resource: '*' };
  const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
  await user.may([
    { Sid: 'All', ...all },
    { Sid: 'Denied', Effect: 'Deny', Action: action, Resource },
  ]);
  const before = await uploaded();
  await writeFile(join(service.dir, 'serverless.yml'), yaml(1088).replace('serverless-models', PLUGIN));
  const { code, stdout, stderr } = await service.slsAs(user.env, 'deploy');
  console.log(stdout, stderr);
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/The registry cannot be used: .*MODELS_AWS/s);
  expect(stdout + stderr).toContain(Bucket);
  expect(stdout + stderr).toMatch(/s3:(Get|Put)Object/);
  expect(await uploaded()).toEqual(before);
});

test('with all of them it is deployed', async () => {
  await user.may([{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }]);
  const { code, stdout, stderr } = await service.slsAs(user.env, 'deploy');
  expect(code, stdout + stderr).toBe(0);
  await service.remove();
});
