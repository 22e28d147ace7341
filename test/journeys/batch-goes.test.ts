/**
 * Batch that fails for a while, loses an entry, and is taken away while a job is at work: nothing is lost
 * that can be had, nothing half done looks complete.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Success } from '../../core/batch/job.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const employment = join(import.meta.dirname, '..', '..', 'examples', 'employment');
const ENTRIES = ['kept', 'gone'] as const;
const yamlOf = (artifact: string, ...entries: readonly string[]): string => `
service: goes
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: ${artifact}
    release: {strategy: canary, steps: [{weight: 50, bake: 1d}]}
${entries.length > 0 ? '    batch:\n' : ''}${entries.map((name) => `      - {input: 's3://goes-rows/${name}/*.csv', output: 's3://goes-scored/${name}/', emit: [label], tolerate: 0%}\n`).join('')}`;
/** What the transform asks at each call, answered as the test wants: at once, with a failure, or later. */
const transformOf = (port: number): string => `export const pre = async (inputs) => {
  if (!(await fetch('http://127.0.0.1:${port}')).ok) throw new Error('what it asks is away');
  return inputs;
};
`;

let aws: LocalAws;
let service: Service & Deployment;
let s3: S3Client;
let sqs: SQSClient;
let server: Server;
let header: string;
let rows: readonly string[];
let how: 'there' | 'away' | 'waits' = 'there';
const waiting: ServerResponse[] = [];

beforeAll(async () => {
  server = createServer((_, response) => {
    if (how === 'waits') waiting.push(response);
    else response.writeHead(how === 'there' ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  sqs = new SQSClient(client(aws.endpoint));
  for (const Bucket of ['goes-rows', 'goes-scored']) await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' as const };
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'goes-rows', VersioningConfiguration }));
  [header = '', ...rows] = (await readFile(join(employment, 'later.csv'), 'utf8')).trim().split('\n');
  const files = {
    'asks/model.onnx': await readFile(join(employment, 'employment.onnx')),
    'asks/transform.ts': transformOf((server.address() as AddressInfo).port),
    'two.onnx': await readFile(join(employment, 'versions', '2.onnx')),
  };
  service = await deployService({ yaml: yamlOf('asks', ...ENTRIES), files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  sqs?.destroy();
  server?.close();
  server?.closeAllConnections();
  await service?.remove();
  await aws?.stop();
});

const upload = (Key: string, lines: readonly string[]) =>
  s3.send(new PutObjectCommand({ Bucket: 'goes-rows', Key, Body: `${[header, ...lines].join('\n')}\n` }));
async function written(Prefix = ''): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'goes-scored', Prefix }));
  return Contents.map(({ Key = '' }) => Key);
}
async function text(Key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'goes-scored', Key }));
  return (await Body?.transformToString()) ?? '';
}
/** The answers to an object, once they are there. */
async function answersTo(key: string): Promise<readonly string[]> {
  const [entry] = key.split('/');
  const latest = `${entry}/churn/latest/${key}.json`;
  await expect.poll(() => written(latest), { timeout: 150_000 }).toHaveLength(1);
  const { job } = JSON.parse(await text(latest));
  const success: Success = JSON.parse(
    await text(`${String(job).replace('s3://goes-scored/', '')}_SUCCESS.json`),
  );
  const files = await Promise.all(success.files.map((file) => text(file.key)));
  return files.flatMap((file) => file.trim().split('\n').slice(1));
}
/** Messages in a queue of the model, those included that are not shown yet. */
async function depthOf(QueueName: string): Promise<number> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    }),
  );
  return Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0);
}
const [JOBS, FAILED] = ['goes-dev-churn-batch', 'goes-dev-churn-batch-failed'];

it('what failed while something was away is scored once, and what no entry takes any more is named', async () => {
  const some = rows.slice(0, 20);
  await upload('kept/quiet.csv', some);
  const due = await answersTo('kept/quiet.csv');
  expect(due).toHaveLength(20);

  how = 'away';
  for (const entry of ENTRIES) await upload(`${entry}/a.csv`, some);
  await expect.poll(() => depthOf(FAILED), { timeout: 150_000 }).toBe(2);
  how = 'there';
  await service.deploy(yamlOf('asks', 'kept'));
  const { code, stdout, stderr } = await service.sls('models', 'batch', '--failed', '--redrive');
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/goes-rows\/kept\/a\.csv: TOO_MANY_ERRORS.*\n1 tried again\.\n/s);
  expect(stdout).toMatch(
    /1 sent again, but no entry under models\.churn\.batch takes s3:\/\/goes-rows\/gone\/a\.csv\. .* as NO_ENTRY/,
  );
  expect(await answersTo('kept/a.csv')).toEqual(due);
  // The other one waits for a version that has its entry.
  await expect.poll(() => depthOf(JOBS), { timeout: 150_000 }).toBe(1);
  expect(await depthOf(FAILED)).toBe(0);
});

it('of a bucket that keeps versions, the object that came is scored, though it was deleted meanwhile', async () => {
  how = 'away';
  await upload('kept/v.csv', rows.slice(40, 60));
  await expect.poll(() => depthOf(FAILED), { timeout: 150_000 }).toBe(1);
  await s3.send(new DeleteObjectCommand({ Bucket: 'goes-rows', Key: 'kept/v.csv' }));
  how = 'there';
  const { code, stdout, stderr } = await service.sls('models', 'batch', '--failed', '--redrive');
  expect(code, stdout + stderr).toBe(0);
  expect(await answersTo('kept/v.csv')).toHaveLength(20);
});

it('batch that goes while a job is at work leaves nothing that looks complete, and a release that can be rolled back', async () => {
  how = 'waits';
  await upload('kept/b.csv', rows.slice(20, 40));
  await expect.poll(() => waiting.length, { timeout: 150_000 }).toBeGreaterThan(0);
  const before = await written();
  await service.deploy(yamlOf('two.onnx'));
  how = 'there';
  for (const response of waiting) response.end();
  const back = await service.sls('models', 'rollback', '--model', 'churn');
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(await written()).toEqual(before);
  // The worker missed nothing, with the rights that it has of functions that are gone.
  const lines = await service.logs('models-release');
  expect(lines.some((line) => line.includes('ROLLED_BACK'))).toBe(true);
  expect(lines.filter((line) => line.includes('could not be read or changed'))).toEqual([]);
});
