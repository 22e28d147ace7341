/**
 * A registry that the policy of whoever deploys denies, in part: told with the action and the fix, before
 * anything is uploaded.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, PLUGIN, type Service } from './service.ts';
import { makeUser, type User } from './user.ts';

const Bucket = 'governed';
const yaml = (memory: number): string => `service: governed
plugins: [serverless-models]
provider: {name: aws}
custom: {models: {registry: {bucket: ${Bucket}}}}
models:
  churn: {artifact: add.onnx, memory: ${memory}, gate: {cases: cases.jsonl}, release: {strategy: allAtOnce}}
`;
/** A case file, which goes to the registry. */
const caseOf = (a: number): string =>
  `${JSON.stringify({
    inputs: [
      { name: 'a', datatype: 'FP32', shape: [1, 3], data: [a, 2, 3] },
      { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
    ],
    outputs: [{ name: 'sum', datatype: 'FP32', shape: [1, 3], data: [a + 1, 3, 4] }],
  })}\n`;

let aws: LocalAws;
let s3: S3Client;
let service: Service & Deployment;
let user: User;
beforeAll(async () => {
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')), 'cases.jsonl': caseOf(1) };
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

/** Its next version, with other cases, by somebody who may do all but this. */
async function denied(action: string, ...Resource: string[]) {
  await user.may([
    { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' },
    { Sid: 'Denied', Effect: 'Deny', Action: action, Resource },
  ]);
  await writeFile(join(service.dir, 'serverless.yml'), yaml(1088).replace('serverless-models', PLUGIN));
  await writeFile(join(service.dir, 'cases.jsonl'), caseOf(2));
  const before = await uploaded();
  const { code, stdout, stderr } = await service.slsAs(user.env, 'deploy');
  const added = (await uploaded()).filter((key) => !before.includes(key));
  return { code, output: stdout + stderr, added };
}

test.each(['s3:GetObject', 's3:PutObject', 's3:*'])('without %s', async (action) => {
  const { code, output, added } = await denied(action, `arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`);
  expect(code).toBe(1);
  expect(output).toMatch(/The registry in governed cannot be used: .*s3:(Get|Put)Object.*MODELS_AWS/s);
  expect(output).toContain('docs/deploy-policy.md');
  expect(added).toEqual([]);
});

test('without the files below it nothing of the stack is uploaded', async () => {
  const { code, output, added } = await denied('s3:PutObject', `arn:aws:s3:::${Bucket}/models/files/*`);
  expect(code).toBe(1);
  expect(output).toMatch(
    /s3:\/\/governed\/models\/files\/\w+ cannot be uploaded: .*s3:PutObject.*MODELS_AWS/s,
  );
  expect(added.filter((key) => !/\/(deployments|signatures)\//.test(key))).toEqual([]);
});

test('with all of them it is deployed', async () => {
  await user.may([{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }]);
  const { code, stdout, stderr } = await service.slsAs(user.env, 'deploy');
  expect(code, stdout + stderr).toBe(0);
  await service.remove();
});
