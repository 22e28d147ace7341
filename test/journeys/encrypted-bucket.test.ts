/**
 * A deployment bucket whose policy takes encrypted objects only: what the framework is told for its uploads,
 * ours follow.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import { makeKey } from '../local-aws/kms-key.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { fixtures } from '../serving/endpoint.ts';
import { prepareService, type Service } from './service.ts';
import { makeUser, type User } from './user.ts';

const Bucket = 'sealed-deployments';
const yaml = (memory: number, encryption: string) => `service: sealed
plugins: [serverless-models]
provider:
  name: aws
  deploymentBucket: {name: ${Bucket}${encryption}}
models:
  churn:
    artifact: add.onnx
    memory: ${memory}
    gate: {cases: cases.jsonl}
`;
const inputs = [
  { name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
  { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
];
const outputs = [{ name: 'sum', datatype: 'FP32', shape: [1, 3], data: [2, 3, 4] }];

let aws: LocalAws;
let s3: S3Client;
let key: string;
/** One whom the bucket's policy binds: it does not bind the account's root here. */
let deployer: User;
let service: Service;
beforeAll(async () => {
  aws = await startAws();
  key = await makeKey(aws, 'key');
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms
  const insist = (condition: object) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: `arn:aws:s3:::${Bucket}/*`,
    Condition: condition,
  });
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [insist({ StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } })],
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  deployer = await makeUser(aws, 'deployer');
  await deployer.may([{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }]);
  const files = {
    'add.onnx': await readFile(join(fixtures, 'add.onnx')),
    'cases.jsonl': `${JSON.stringify({ inputs, outputs })}\n`,
  };
  service = await prepareService(
    { yaml: yaml(1024, `, serverSideEncryption: aws:kms, sseKMSKeyId: '${key}'`), files },
    { ...aws, env: deployer.env },
  );
});
afterAll(async () => {
  s3?.destroy();
  await aws?.stop();
});

test('the deploy passes, and every object is under the key that was asked for', async () => {
  await service.deploy();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  const keys = Contents.map(({ Key = '' }) => Key);
  const scope = `models/${ACCOUNT}/${REGION}/sealed/dev`;
  // The layer, a gate's cases, what the command line recorded, and what the release worker did.
  for (const pattern of [
    /^models\/files\//,
    /^serverless\/sealed\/dev\/models\//,
    /\/deployments\//,
    /\/signatures\//,
  ])
    expect(keys, String(pattern)).toContainEqual(expect.stringMatching(pattern));
  for (const document of ['releases/churn/live.json', 'versions/churn/1.json'])
    expect(keys).toContain(`${scope}/${document}`);
  for (const Key of keys) {
    const { ServerSideEncryption, SSEKMSKeyId } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect({ Key, ServerSideEncryption, SSEKMSKeyId }).toEqual({
      Key,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: key,
    });
  }
});

test('what changes is written so, too, and the removal ends the release', async () => {
  await service.deploy(yaml(2048, `, serverSideEncryption: aws:kms, sseKMSKeyId: '${key}'`));
  await service.remove();
});
