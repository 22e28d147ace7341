/**
 * Two stages of a service whose batch writes to one place: one owns it, and whoever reads `latest` sees that
 * one's answers only.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Owner } from '../../core/batch/contract.ts';
import type { Success } from '../../core/batch/job.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { deployService, everythingLeft, prepareService, type Service } from './service.ts';

/** Another identity of the same model, so that one can see whose answers are read. */
const yamlOf = (optimize: boolean): string => `
service: shop
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: logreg.onnx
    optimize: ${optimize}
    batch: [{input: 's3://shop-rows/', output: 's3://shop-scored/'}]
`;

let aws: LocalAws;
let s3: S3Client;
let prod: Service;
let dev: Service;

beforeAll(async () => {
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  for (const Bucket of ['shop-rows', 'shop-scored']) await s3.send(new CreateBucketCommand({ Bucket }));
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) };
  prod = await deployService({ yaml: yamlOf(true), files }, aws, 'prod');
  dev = await prepareService({ yaml: yamlOf(false), files }, aws, 'dev');
});
afterAll(async () => {
  s3?.destroy();
  await prod?.remove();
  if (dev) await rm(dev.dir, { recursive: true, force: true });
  await aws?.stop();
});

const upload = (Key: string) => {
  const rows = Array.from({ length: 20 }, (_, row) => Array.from({ length: 30 }, (_, i) => row + i).join());
  const names = Array.from({ length: 30 }, (_, i) => `size_${i}`).join();
  return s3.send(
    new PutObjectCommand({ Bucket: 'shop-rows', Key, Body: `${[names, ...rows].join('\n')}\n` }),
  );
};
async function written(): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'shop-scored' }));
  return Contents.map(({ Key = '' }) => Key);
}
async function read<T>(Key: string): Promise<T> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'shop-scored', Key }));
  return JSON.parse((await Body?.transformToString()) ?? '');
}
/** The folders of the jobs that are done, by the object that they scored. */
async function doneOf(object: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const key of (await written()).filter((one) => one.endsWith('/_SUCCESS.json'))) {
    const success = await read<Success>(key);
    if (success.object.key === object) found.push(key.replace('_SUCCESS.json', ''));
  }
  return found;
}
const latest = async (object: string): Promise<string> => {
  await expect.poll(written, { timeout: 150_000 }).toContain(`churn/latest/${object}.json`);
  const { job } = await read<{ job: string }>(`churn/latest/${object}.json`);
  return job.replace('s3://shop-scored/', '');
};

it('the first stage owns the output, and a deploy of another one is refused before anything is made', async () => {
  await upload('may.csv');
  expect([await latest('may.csv')]).toEqual(await doneOf('may.csv'));
  const owner = await read<Owner>('churn/_OWNER.json');
  expect(owner).toMatchObject({ service: 'shop', stage: 'prod' });
  const before = await everythingLeft(aws);
  const { code, stdout, stderr } = await dev.sls('deploy');
  expect(code, stdout).not.toBe(0);
  expect(stderr + stdout).toContain(
    `models.churn.batch[0].output: belongs to shop-prod (${owner.account}, ${owner.region}): two that write there would overwrite each other’s \`latest\`.`,
  );
  expect(stderr + stdout).toContain('[MODELS_BATCH_OWNER]');
  expect(await everythingLeft(aws)).toEqual(before);
});

it('one that takes it over moves `latest`; the other goes on scoring, and moves none', async () => {
  const adopted = await dev.sls('models', 'batch', '--adopt', '--model', 'churn');
  expect(adopted.code, adopted.stdout + adopted.stderr).toBe(0);
  expect(adopted.stdout).toMatch(
    /s3:\/\/shop-scored\/ belongs to shop-dev \(.+\) from now on; before, to shop-prod \(/,
  );
  await dev.deploy();
  const [ofProd = ''] = await doneOf('may.csv');
  await upload('june.csv');
  await expect.poll(() => doneOf('june.csv'), { timeout: 150_000 }).toHaveLength(2);
  const folder = await latest('june.csv');
  const identity = (path: string): string | undefined => /@([0-9a-f]+)/.exec(path)?.[1];
  expect(identity(folder)).not.toBe(identity(ofProd));
  const others = (await doneOf('june.csv')).filter((one) => one !== folder);
  expect(others.map(identity)).toEqual([identity(ofProd)]);
  expect(await latest('may.csv')).toBe(ofProd);
  const again = await prod.sls('deploy', '--force');
  expect(again.code, again.stdout).not.toBe(0);
  expect(again.stderr + again.stdout).toContain('belongs to shop-dev (');
  await dev.sls('remove');
});
