/**
 * Artifacts in a bucket: a file and a folder with weights beside the graph; a changed object is a new
 * version.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, prepareService, type Service } from './service.ts';

const Bucket = 'artifacts';
const yaml = (file = 'models/churn.onnx'): string => `service: bucket
plugins: [serverless-models]
provider: {name: aws}
models:
  file: {artifact: "s3://${Bucket}/${file}"}
  folder: {artifact: "s3://${Bucket}/external/"}
`;
const WEIGHTS = 'external/weights/w.bin';

let aws: LocalAws;
/** Folders of services that are not deployed, and so not removed. */
const folders: string[] = [];
let s3: S3Client;
let before: string[];
let service: Service & Deployment;
let cases: Record<string, { inputs: object[]; outputs: object[] }>;
const put = (Key: string, Body: Uint8Array) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const fixture = (name: string): Promise<Buffer> => readFile(join(fixtures, name));

beforeAll(async () => {
  cases = JSON.parse(await fixture('answers.json').then(String)).models;
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  await put('models/churn.onnx', await fixture('logreg.onnx'));
  await put('external/model.onnx', await fixture('external/model.onnx'));
  await put(WEIGHTS, await fixture(WEIGHTS));
  before = await everythingLeft(aws);
  service = await deployService({ yaml: yaml() }, aws);
});
afterAll(async () => {
  s3?.destroy();
  await aws?.stop();
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

/** What the endpoint says to the inputs of a fixture: its outputs as they were in Python, and the version. */
async function answers(key: string, name: string): Promise<{ outputs: unknown; version: string }> {
  const { answer, version } = await service.invoke(key, { inputs: cases[name]?.inputs });
  return { outputs: (answer as { outputs?: unknown }).outputs, version };
}
const expected = (name: string): unknown =>
  cases[name]?.outputs.map((output) => ({
    ...output,
    ...('data' in output && Array.isArray(output.data) ? { data: output.data.map(near) } : {}),
  }));
const near = (value: unknown): unknown => (typeof value === 'number' ? expect.closeTo(value, 4) : value);

test('a file and a folder deploy and answer', async () => {
  expect(await answers('file', 'logreg.onnx')).toEqual({ outputs: expected('logreg.onnx'), version: '1' });
  expect(await answers('folder', 'external/model.onnx')).toEqual({
    outputs: expected('external/model.onnx'),
    version: '1',
  });
});

test('a deploy after nothing changed keeps both versions', async () => {
  const { printed } = await service.deploy();
  expect(printed.stdout + printed.stderr).toMatch(/No changes to deploy/);
});

test('a changed object is a new version, also where only the weights changed', async () => {
  await put('models/churn.onnx', await fixture('gbm.onnx'));
  await service.deploy();
  expect(await answers('file', 'gbm.onnx')).toEqual({ outputs: expected('gbm.onnx'), version: '2' });
  expect((await answers('folder', 'external/model.onnx')).version).toBe('1');

  await put(WEIGHTS, Buffer.alloc(48));
  await service.deploy();
  expect(await answers('folder', 'external/model.onnx')).toMatchObject({
    outputs: [{ data: [0, 0, 0] }],
    version: '2',
  });
  expect((await answers('file', 'gbm.onnx')).version).toBe('2');
});

test('an object that is missing is a problem that names it, and what is live stays', async () => {
  await expect(service.deploy(yaml('models/no.onnx'))).rejects.toThrow(
    /models\.file\.artifact: s3:\/\/artifacts\/models\/no\.onnx: There is no such object.*MODELS_ARTIFACT_MISSING/,
  );
  await s3.send(new DeleteObjectCommand({ Bucket, Key: WEIGHTS }));
  await expect(service.deploy(yaml())).rejects.toThrow(
    /models\.folder\.artifact:.*weights\/w\.bin.*MODELS_ARTIFACT_MISSING/,
  );
  expect((await answers('file', 'gbm.onnx')).version).toBe('2');
});

test('one that is forbidden is a problem that names the permission', async () => {
  const iam = new IAMClient(client(aws.endpoint));
  const UserName = 'builder';
  await iam.send(new CreateUserCommand({ UserName }));
  const allow = (Action: string, Resource: string) => ({ Effect: 'Allow', Action, Resource });
  const Statement = [
    allow('*', '*'),
    { Effect: 'Deny', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/models/*` },
  ];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'builder', PolicyDocument }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  iam.destroy();
  const env = {
    ...aws.env,
    AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? '',
  };
  const theirs = await prepareService({ yaml: yaml() }, { ...aws, env });
  folders.push(theirs.dir);
  const { code, stdout, stderr } = await theirs.sls('package');
  expect(code).not.toBe(0);
  expect(stdout + stderr).toMatch(
    /models\.file\.artifact: s3:\/\/artifacts\/models\/churn\.onnx: S3 denies it.*s3:GetObject.*MODELS_ARTIFACT_MISSING/,
  );
});

test('sls remove leaves the bucket’s objects and nothing of its own', async () => {
  await service.remove();
  const left = (await everythingLeft(aws)).filter((line) => !/builder|weights\/w\.bin/.test(line));
  expect(left).toEqual(before.filter((line) => !/weights\/w\.bin/.test(line)));
});
