/**
 * A registry that the service names, under a key of its owner's: what one machine optimised and deployed,
 * another takes, and `sls remove` keeps.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { encryptWith, makeKey } from '../local-aws/kms-key.ts';
import { fixtures } from '../serving/endpoint.ts';
import { unzip } from '../unzip.ts';
import { type Deployment, deployService, everythingLeft, prepareService, type Service } from './service.ts';

const Bucket = 'team-models';
const yaml = `service: team
plugins: [serverless-models]
provider: {name: aws}
custom: {models: {registry: {bucket: ${Bucket}}}}
models:
  churn: {artifact: churn.onnx}
`;

let aws: LocalAws;
/** Folders of services that are not deployed, and so not removed. */
const folders: string[] = [];
let s3: S3Client;
let folder: string;
let before: string[];
let files: Record<string, Uint8Array>;
let service: Service & Deployment;
beforeAll(async () => {
  await hostRuntime();
  folder = await mkdtemp(join(tmpdir(), 'team-'));
  files = { 'churn.onnx': await readFile(join(fixtures, 'gbm.onnx')) };
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  // Worker and endpoint read and write here as their roles may, which takes the key, too.
  await encryptWith(s3, Bucket, await makeKey(aws, 'team-key'), true);
  before = await everythingLeft(aws);
  service = await deployService({ yaml, files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  await aws?.stop();
  for (const path of folders) await rm(path, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

const keys = async (Prefix: string): Promise<(string | undefined)[]> =>
  ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key }) => Key);

test('a deploy shares the optimised files', async () => {
  expect(await keys('models/optimised/')).toHaveLength(1);
  expect(await keys('models/files/')).not.toEqual([]);
});

test('another machine packages what is there', async () => {
  await mkdir(join(folder, 'cache'));
  await symlink(cacheFolder('onnxruntime'), join(folder, 'cache', 'onnxruntime'));
  // What it would not have made itself, so that it shows: the same model, not optimised.
  const Body = await readFile(join(fixtures, 'gbm.onnx'));
  const sha256 = createHash('sha256').update(Body).digest('hex');
  expect(await keys('models/files/')).not.toContain(`models/files/${sha256}`);
  await s3.send(new PutObjectCommand({ Bucket, Key: `models/files/${sha256}`, Body }));
  const [Key] = await keys('models/optimised/');
  const index = { schema: 1, files: [{ path: 'model.onnx', sha256, bytes: Body.length }] };
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(index) }));

  const env = { ...aws.env, SERVERLESS_MODELS_CACHE: join(folder, 'cache') };
  const theirs = await prepareService({ yaml, files }, { ...aws, env });
  folders.push(theirs.dir);
  const { code, stdout, stderr } = await theirs.sls('package');
  expect(code, stdout + stderr).toBe(0);
  const zip = await unzip(join(theirs.dir, '.serverless', 'churn.zip'));
  expect(Buffer.from(zip['model/model.onnx'] ?? [])).toEqual(Body);
});

test('one without credentials packages all the same', async () => {
  const env = { ...aws.env, AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
  const cache = join(folder, 'another');
  await mkdir(cache);
  for (const name of ['onnxruntime', 'layers']) await symlink(cacheFolder(name), join(cache, name));
  const theirs = await prepareService(
    { yaml, files },
    { ...aws, env: { ...env, SERVERLESS_MODELS_CACHE: cache } },
  );
  folders.push(theirs.dir);
  const { code, stdout, stderr } = await theirs.sls('package');
  expect(code, stdout + stderr).toBe(0);
});

test('sls remove leaves the registry and nothing else', async () => {
  const shared = await keys('models/optimised/');
  await service.remove();
  expect(await keys('models/optimised/')).toEqual(shared);
  const left = (await everythingLeft(aws)).filter((line) => !before.includes(line));
  expect(left.filter((line) => !line.includes(Bucket))).toEqual([]);
});
