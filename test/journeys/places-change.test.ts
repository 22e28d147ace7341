/**
 * An output of batch that moves: the version before still writes where it always did, since people may need
 * it back.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';

/** Another identity of the same model with another output. */
const yamlOf = (optimize: boolean, output: string, path = '/'): string => `
service: shop
provider: {name: aws, iam: {role: {path: ${path}}}}
plugins: [serverless-models]
models:
  churn:
    artifact: logreg.onnx
    optimize: ${optimize}
    batch: [{input: 's3://shop-rows/', output: 's3://${output}/'}]
`;

let aws: LocalAws;
let s3: S3Client;
let service: Service & Deployment;

beforeAll(async () => {
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  for (const Bucket of ['shop-rows', 'shop-scored', 'shop-elsewhere'])
    await s3.send(new CreateBucketCommand({ Bucket }));
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) };
  service = await deployService({ yaml: yamlOf(true, 'shop-scored'), files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  await service?.remove();
  await aws?.stop();
});

const upload = (Key: string) => {
  const rows = Array.from({ length: 20 }, (_, row) => Array.from({ length: 30 }, (_, i) => row + i).join());
  return s3.send(new PutObjectCommand({ Bucket: 'shop-rows', Key, Body: `${rows.join('\n')}\n` }));
};
async function written(Bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = '' }) => Key);
}
const scored = (bucket: string, key: string) =>
  expect.poll(() => written(bucket), { timeout: 150_000 }).toContain(`churn/latest/${key}.json`);

it('the new version writes to the new place, and the role keeps the old one', async () => {
  await upload('monday.csv');
  await scored('shop-scored', 'monday.csv');
  const { printed } = await service.deploy(yamlOf(false, 'shop-elsewhere', '/ml/'));
  // The versions before run in roles of the path before.
  expect(printed.stderr).toContain('churn: the role ChurnModelsRole keeps the path /: ');
  expect(printed.stderr).toContain('churn: the role ChurnDashbatchModelsRole keeps the path /: ');
  expect(printed.stderr).toContain(
    'churn: the places of batch change. Its roles keep those of the version before (s3://shop-scored/churn@*',
  );
  await upload('tuesday.csv');
  await scored('shop-elsewhere', 'tuesday.csv');
});

it('a deploy without a change keeps it, and tells nothing', async () => {
  const { code, stdout, stderr } = await service.sls('deploy');
  expect(code, stdout + stderr).toBe(0);
  expect(stdout + stderr).not.toContain('places of batch');
});

it('after a rollback the version before scores what comes', async () => {
  const { code, stdout, stderr } = await service.sls('models', 'rollback', '--model', 'churn');
  expect(code, stdout + stderr).toBe(0);
  await upload('wednesday.csv');
  await scored('shop-scored', 'wednesday.csv');
  expect(await written('shop-elsewhere')).not.toContain('churn/latest/wednesday.csv.json');
});
