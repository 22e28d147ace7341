/**
 * Batch beside an endpoint, where an account has few instances: who asks is answered, and batch takes what is
 * left.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient, PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Success } from '../../core/batch/job.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from './service.ts';

/**
 * Instances of the account: two for the queue's messages, two for the parts of a large object, clients, and
 * the release worker.
 */
const [ACCOUNT, BATCH, CLIENTS] = [9, 2, 4];
const SERVICE = `
service: fair
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: employment.onnx
    concurrency: {batch: ${BATCH}}
    batch: {input: 's3://fair-rows/*.csv', output: 's3://fair-scored', create: true}
`;
const employment = join(import.meta.dirname, '..', '..', 'examples', 'employment');
const SMALL = 40;

let aws: LocalAws;
let service: Service & Deployment;
let s3: S3Client;
let lambda: LambdaClient;
let rows: readonly string[];
let large: string;

beforeAll(async () => {
  aws = await startAws({ concurrency: ACCOUNT });
  const [header = '', ...others] = (await readFile(join(employment, 'later.csv'), 'utf8')).trim().split('\n');
  rows = [header, ...others];
  // 68 MB: five parts.
  large = `${[header, ...Array.from({ length: 500 }, () => others).flat()].join('\n')}\n`;
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
  const files = { 'employment.onnx': await readFile(join(employment, 'employment.onnx')) };
  service = await deployService({ yaml: SERVICE, files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  lambda?.destroy();
  await service?.remove();
  await aws?.stop();
});

const upload = (Key: string, Body: string) =>
  s3.send(new PutObjectCommand({ Bucket: 'fair-rows', Key, Body }));
async function text(Key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'fair-scored', Key }));
  return (await Body?.transformToString()) ?? '';
}
/** Keys of objects that are scored. */
async function done(): Promise<readonly string[]> {
  const asked = { Bucket: 'fair-scored', Prefix: 'churn/latest/' };
  const { Contents = [] } = await s3.send(new ListObjectsV2Command(asked));
  return Contents.map(({ Key = '' }) => Key.slice(asked.Prefix.length, -'.json'.length)).sort();
}
async function successOf(key: string): Promise<Success> {
  const { job } = JSON.parse(await text(`churn/latest/${key}.json`));
  return JSON.parse(await text(`${String(job).replace('s3://fair-scored/', '')}_SUCCESS.json`));
}

it('no request is turned away while batch works through a queue and a large object', async () => {
  const [names, values] = [rows[0]?.split(',') ?? [], rows[1]?.split(',').map(Number) ?? []];
  const inputs = names.map((name, i) => ({
    name,
    shape: [1, 1],
    datatype: name === 'AGEP' ? 'FP32' : 'INT64',
    data: [values[i]],
  }));
  const Payload = JSON.stringify({ inputs });
  const answers = new Map<string, number>();
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      const came = await lambda
        .send(new InvokeCommand({ FunctionName: 'fair-dev-churn', Qualifier: 'live', Payload }))
        .then(
          ({ FunctionError }) => FunctionError ?? 'answered',
          (error: Error) => error.name,
        );
      answers.set(came, (answers.get(came) ?? 0) + 1);
      await pause(20);
    }
  };
  const clients = Array.from({ length: CLIENTS }, ask);
  const keys = Array.from({ length: SMALL }, (_, i) => `${i}.csv`);
  await upload('large.csv', large);
  for (const key of keys) await upload(key, `${rows.slice(0, Number.parseInt(key, 10) + 2).join('\n')}\n`);
  await expect.poll(done, { timeout: 400_000, interval: 500 }).toEqual([...keys, 'large.csv'].sort());
  isOver = true;
  await Promise.all(clients);
  expect(Object.fromEntries(answers)).toEqual({ answered: expect.any(Number) });
  expect(answers.get('answered')).toBeGreaterThan(100);
  for (const key of keys)
    expect(await successOf(key)).toMatchObject({ rows: Number.parseInt(key, 10) + 1, errors: 0 });
  expect(await successOf('large.csv')).toMatchObject({ rows: 500 * (rows.length - 1), errors: 0 });
}, 600_000);

it('parts that Lambda turns away are tried again until it takes them, and nothing is scored twice', async () => {
  const FunctionName = 'fair-dev-churn-batch';
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
  const status = async () => (await service.sls('models', 'batch', '--status')).stdout;
  const inParts = 'A large object is scored in parts now';
  expect(await status()).not.toContain(inParts);
  await upload('again.csv', large);
  await expect.poll(status, { timeout: 100_000 }).toContain(inParts);
  await expect.poll(done, { timeout: 400_000, interval: 500 }).toContain('again.csv');
  const [once, again] = [await successOf('large.csv'), await successOf('again.csv')];
  const digests = ({ files }: Success) => files.map(({ rows: count, sha256 }) => [count, sha256]);
  expect(digests(again)).toEqual(digests(once));
  const cloudWatch = new CloudWatchClient(client(aws.endpoint));
  const { Datapoints = [] } = await cloudWatch.send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/Lambda',
      MetricName: 'Throttles',
      Dimensions: [{ Name: 'FunctionName', Value: FunctionName }],
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 3_600_000),
      Period: 86_400,
      Statistics: ['Sum'],
    }),
  );
  cloudWatch.destroy();
  // Both days where it is midnight.
  expect(Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0)).toBeGreaterThan(0);
}, 600_000);
