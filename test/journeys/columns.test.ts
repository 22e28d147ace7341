/** A table whose columns are in another order, on its way through a deployed batch. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Failed, Success } from '../../core/batch/job.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const NAMES = Array.from({ length: 30 }, (_, i) => `size_${i}`);
const SERVICE = `
service: tables
provider: {name: aws}
plugins: [serverless-models]
models:
  tumour:
    artifact: logreg.onnx
    columns: [${NAMES.join(', ')}]
    batch:
      - {input: 's3://table-rows/', output: 's3://table-scored', create: true}
`;

let aws: LocalAws;
let service: Service & Deployment;
let s3: S3Client;

beforeAll(async () => {
  aws = await startAws();
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) };
  service = await deployService({ yaml: SERVICE, files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  await service?.remove();
  await aws?.stop();
});

const ROWS = 200;
const value = (row: number, column: number): number =>
  (1 + Math.sin(row * 7 + column * 3)) * 10 ** ((column % 5) - 2);
const upload = (key: string, names: readonly string[], order: readonly number[]) => {
  const rows = Array.from({ length: ROWS }, (_, row) => order.map((column) => value(row, column)).join());
  const Body = `${[order.map((column) => names[column]).join(), ...rows].join('\n')}\n`;
  return s3.send(new PutObjectCommand({ Bucket: 'table-rows', Key: key, Body }));
};
async function written(): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'table-scored' }));
  return Contents.map(({ Key = '' }) => Key);
}
async function text(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'table-scored', Key: key }));
  return (await Body?.transformToString()) ?? '';
}

const IN_ORDER = NAMES.map((_, i) => i);

it('the reversed file has the answers of the one in order, byte for byte, and says how it was taken', async () => {
  await upload('ordered.csv', NAMES, IN_ORDER);
  await upload('reversed.csv', NAMES, IN_ORDER.toReversed());
  const answers: string[] = [];
  for (const key of ['ordered.csv', 'reversed.csv']) {
    const pointer = `tumour/latest/${key}.json`;
    await expect.poll(written, { timeout: 120_000 }).toContain(pointer);
    const folder = String(JSON.parse(await text(pointer)).job).replace('s3://table-scored/', '');
    const success: Success = JSON.parse(await text(`${folder}_SUCCESS.json`));
    expect(success).toMatchObject({ rows: ROWS, errors: 0, columns: 'name' });
    answers.push(await text(`${folder}part-00000.csv`));
  }
  expect(answers[0]?.trim().split('\n')).toHaveLength(ROWS + 1);
  expect(answers[1]).toBe(answers[0]);
});

it('a file that lacks a column fails, and its name is told', async () => {
  await upload('lacking.csv', NAMES.with(3, 'another'), IN_ORDER);
  const failures = async () => (await written()).filter((key) => key.endsWith('/_FAILED.json'));
  await expect.poll(failures, { timeout: 120_000 }).toHaveLength(1);
  const [key = ''] = await failures();
  const failed: Failed = JSON.parse(await text(key));
  expect(failed).toMatchObject({ code: 'WRONG_HEADER', object: { key: 'lacking.csv' } });
  expect(failed.reason).toContain('It has no column size_3; the columns of the model are size_0, size_1,');
});
