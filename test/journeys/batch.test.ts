/** Rows in S3, as somebody meets them who declares `batch`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Success } from '../../core/batch/job.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { runPython } from '../python.ts';
import { repository } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';
import { documented, makeUser } from './user.ts';

const employment = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'examples', 'employment');
const SERVICE = `
service: shop
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: employment.onnx
    batch:
      - {input: 's3://shop-rows/*.csv', output: 's3://shop-scored', tolerate: 1%, create: true}
`;

let aws: LocalAws;
let service: Service & Deployment;
let s3: S3Client;
let sqs: SQSClient;
let header: string;
let rows: readonly string[];

beforeAll(async () => {
  aws = await startAws();
  [header = '', ...rows] = (await readFile(join(employment, 'later.csv'), 'utf8')).trim().split('\n');
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  sqs = new SQSClient(client(aws.endpoint));
  const files = { 'employment.onnx': await readFile(join(employment, 'employment.onnx')) };
  service = await deployService({ yaml: SERVICE, files }, aws);
});
afterAll(async () => {
  s3?.destroy();
  sqs?.destroy();
  await service?.remove();
  await aws?.stop();
});

const upload = (key: string, lines: readonly string[]) =>
  s3.send(
    new PutObjectCommand({ Bucket: 'shop-rows', Key: key, Body: `${[header, ...lines].join('\n')}\n` }),
  );

async function written(): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'shop-scored' }));
  return Contents.map(({ Key = '' }) => Key).sort();
}
async function text(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'shop-scored', Key: key }));
  return (await Body?.transformToString()) ?? '';
}
/** The folder of a job that has ended, from the pointer to it. */
async function folderOf(key: string): Promise<string> {
  await expect.poll(written, { timeout: 150_000 }).toContain(`churn/latest/${key}.json`);
  const { job } = JSON.parse(await text(`churn/latest/${key}.json`));
  return String(job).replace('s3://shop-scored/', '');
}
const broken = (every: number) => rows.map((row, i) => (i % every === 7 ? row.replace(/^\d+/, 'old') : row));

it('an upload is scored by itself; the endpoint answers the same', async () => {
  await upload('may/a.csv', rows);
  const folder = await folderOf('may/a.csv');
  const success: Success = JSON.parse(await text(`${folder}_SUCCESS.json`));
  expect(success).toMatchObject({
    rows: rows.length,
    errors: 0,
    version: '1',
    files: [{ rows: rows.length }],
  });
  const [names, first, ...others] = (await text(`${folder}part-00000.csv`)).trim().split('\n');
  expect(names).toBe('row,label,probabilities_0,probabilities_1');
  expect(others).toHaveLength(rows.length - 1);
  const columns = header.split(',');
  const values = (rows[0] ?? '').split(',').map(Number);
  const inputs = columns.map((name, i) => ({
    name,
    shape: [1, 1],
    datatype: name === 'AGEP' ? 'FP32' : 'INT64',
    data: [values[i]],
  }));
  const { answer } = await service.invoke('churn', { inputs });
  const outputs = (answer as { outputs: { name: string; data: number[] }[] }).outputs;
  const scored = first?.split(',').map((cell) => Math.fround(Number(cell)));
  expect(scored).toEqual([1, ...outputs.flatMap(({ data }) => data)]);
});

it('pandas and onnxruntime give the same file the same answers, row for row', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'models-batch-'));
  try {
    const [model, given, out] = [
      join(employment, 'employment.onnx'),
      join(employment, 'later.csv'),
      join(dir, 'out.csv'),
    ];
    await runPython(join(repository, 'bench', 'sides', 'batch.py'), ['run', model, given, out, '0'], {
      timeout: 120_000,
    });
    const numbers = (csv: string): number[][] =>
      csv
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',').map(Number));
    const ours = numbers(await text(`${await folderOf('may/a.csv')}part-00000.csv`));
    const theirs = numbers(await readFile(out, 'utf8'));
    expect(ours).toHaveLength(rows.length);
    expect(theirs).toHaveLength(rows.length);
    ours.forEach((row, i) => {
      const [number, label, ...probabilities] = theirs[i] ?? [];
      expect(row.slice(0, 2)).toEqual([number, label]);
      probabilities.forEach((probability, k) => {
        expect(row[2 + k]).toBeCloseTo(probability, 5);
      });
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

it('the same upload again, and the event again, score nothing', async () => {
  const before = await written();
  const success = await text(`${await folderOf('may/a.csv')}_SUCCESS.json`);
  await upload('may/a.csv', rows);
  const ran = await service.sls('models', 'batch', '--input', 's3://shop-rows/may/a.csv', '--wait');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stdout).toMatch(/^1 object scored \(1 of them before\): 4,000 rows, 0 of them faulty/m);
  expect(await written()).toEqual(before);
  expect(await text(`${await folderOf('may/a.csv')}_SUCCESS.json`)).toBe(success);
});

it('broken rows are listed with their lines, and too many fail the job until they are tolerated', async () => {
  await upload('june/a.csv', broken(200));
  const folder = await folderOf('june/a.csv');
  const errors = (await text(`${folder}errors-00000.jsonl`))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(errors).toHaveLength(20);
  expect(errors[0]).toMatchObject({
    row: 8,
    line: 9,
    code: 'WRONG_VALUE',
    reason: expect.stringContaining('AGEP'),
  });
  expect(JSON.stringify(errors)).not.toContain('old');

  await upload('july/a.csv', broken(20));
  const waited = await service.sls('models', 'batch', '--input', 's3://shop-rows/july/', '--wait');
  expect(waited.stdout).toMatch(
    /! s3:\/\/shop-rows\/july\/a\.csv: TOO_MANY_ERRORS\. 200 of 4000 rows failed; 1 % are tolerated/,
  );
  expect(waited.code).toBe(1);
  const failed = await service.sls('models', 'batch', '--failed');
  expect(failed.stdout).toContain('s3://shop-rows/july/a.csv: TOO_MANY_ERRORS');

  await service.deploy(SERVICE.replace('1%', '10%'));
  // Somebody else looks at one of both, and is interrupted: it comes back when its time is over.
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'shop-dev-churn-batch-failed' }));
  const held = { QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: 300 };
  const { Messages: [message] = [] } = await sqs.send(
    new ReceiveMessageCommand({ ...held, WaitTimeSeconds: 20 }),
  );
  const partly = await service.sls('models', 'batch', '--failed', '--redrive');
  expect(partly.stdout).toContain('1 more message is held by another `--failed` or `--redrive`');
  expect([partly.code, partly.stdout.includes('Nothing failed')]).toEqual([1, false]);
  const { ReceiptHandle } = message ?? {};
  await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
  const redriven = await service.sls('models', 'batch', '--failed', '--redrive');
  expect(redriven.stdout).toMatch(/tried again/);
  expect(redriven.code).toBe(0);
  const done: Success = JSON.parse(await text(`${await folderOf('july/a.csv')}_SUCCESS.json`));
  expect(done).toMatchObject({ rows: 4000, errors: 200, version: '2' });
  // The event and the order that asked for it both failed, and both were sent again: one of them finds the
  // other at it, and waits.
  const statusOf = async (): Promise<string> =>
    (await service.sls('models', 'batch', '--status', '--input', 's3://shop-rows/july/')).stdout;
  await expect.poll(statusOf, { timeout: 150_000 }).toMatch(/^churn: 0 waiting, 0 at work, 0 failed$/m);
  expect(await statusOf()).toMatch(/done at .* by version 2, 4,000 rows \(200 faulty\) in 1 file/);
}, 600_000);

it('the documented policy is enough for these commands, and each of its statements is needed', async () => {
  const statements = documented('Ask', { SERVICE: 'shop', ROWS: 'shop-rows', SCORED: 'shop-scored' });
  const scorer = await makeUser(aws, 'scorer');
  const page = await readFile(join(repository, 'docs', 'deploy-policy.md'), 'utf8');
  const [, named = ''] = /; (.*) the statement `Failed`, too/.exec(page) ?? [];
  const ofFailed = [...named.matchAll(/`(--\w+)`/g)].map(([, option = '']) => option);
  expect(ofFailed).toEqual(['--failed', '--status']);
  const asScorer = (...args: string[]) => service.slsAs(scorer.env, 'models', 'batch', ...args);
  const asked = ['--input', 's3://shop-rows/may/a.csv', '--wait'];
  await scorer.may(statements);
  const scored = await asScorer(...asked);
  expect(scored.code, scored.stdout + scored.stderr).toBe(0);
  const failed = await asScorer('--failed');
  expect(failed.stdout, failed.stderr).toContain('Nothing failed.');
  for (const sid of ['Bucket', 'Registry', 'Objects', 'Ask', 'Failed']) {
    await scorer.may(statements.filter(({ Sid }) => Sid !== sid));
    const refused = sid === 'Failed' ? ofFailed.map((option) => [option]) : [asked];
    for (const args of refused) {
      const { code, stdout, stderr } = await asScorer(...args);
      expect([sid, args, code]).toEqual([sid, args, 1]);
      expect(stdout + stderr).toMatch(/MODELS_(AWS|NOT_DEPLOYED)/);
    }
    if (sid === 'Failed') expect((await asScorer(...asked)).code).toBe(0);
  }
});

it('a trigger that somebody has switched off is told, with the command that switches it on', async () => {
  const lambda = new LambdaClient(client(aws.endpoint));
  try {
    const FunctionName = 'shop-dev-churn-batch:live';
    const { EventSourceMappings: [trigger] = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    const UUID = trigger?.UUID;
    const turn = (Enabled: boolean) => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }));
    await turn(false);
    await upload('august/a.csv', rows.slice(0, 5));
    const status = async (): Promise<string> => (await service.sls('models', 'batch', '--status')).stdout;
    await expect.poll(status, { timeout: 60_000 }).toContain('churn: 1 waiting, 0 at work');
    const command = `aws lambda update-event-source-mapping --uuid ${UUID} --enabled --region us-east-1`;
    expect(await status()).toContain(
      `its trigger is switched off, and a deploy leaves it so. \`${command}\``,
    );
    // Who may not ask is told the rest.
    const scorer = await makeUser(aws, 'other-scorer');
    const statements = documented('Ask', { SERVICE: 'shop', ROWS: 'shop-rows', SCORED: 'shop-scored' });
    const asScorer = async () => (await service.slsAs(scorer.env, 'models', 'batch', '--status')).stdout;
    await scorer.may(statements);
    expect(await asScorer()).toContain(command);
    await scorer.may(statements.filter(({ Sid }) => Sid !== 'Trigger'));
    expect(await asScorer()).toMatch(/churn: 1 waiting, 0 at work, \d+ failed\n$/);
    await scorer.may(statements.filter(({ Sid }) => Sid !== 'Parts'));
    expect(await asScorer()).toMatch(/in parts now cannot be read: .*states:ListExecutions/);
    // Who waits hears of it before, and goes on once it is on.
    const waits = service.sls('models', 'batch', '--input', 's3://shop-rows/august/a.csv', '--wait');
    await expect.poll(status, { timeout: 60_000 }).toContain('churn: 2 waiting');
    await turn(true);
    const waited = await waits;
    expect(waited.stderr).toContain(command);
    expect(waited.stdout, waited.stderr).toMatch(/^1 object scored/);
  } finally {
    lambda.destroy();
  }
});

it('a large object is scored in parts side by side, exactly', async () => {
  // 68 MB: five parts.
  const times = 500;
  await upload('large.csv', Array.from({ length: times }, () => rows).flat());
  const ran = await service.sls('models', 'batch', '--input', 's3://shop-rows/large.csv', '--wait');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stdout).toMatch(/2,000,000 rows, 5 files/);
  const folder = await folderOf('large.csv');
  const success: Success = JSON.parse(await text(`${folder}_SUCCESS.json`));
  expect(success).toMatchObject({ rows: times * rows.length, errors: 0 });
  const small = (await text(`${await folderOf('may/a.csv')}part-00000.csv`)).trim().split('\n').slice(1);
  const answers = small.map((line) => line.slice(line.indexOf(',')));
  let row = 0;
  for (const { key } of success.files) {
    for (const line of (await text(key)).trim().split('\n').slice(1)) {
      if (line !== `${row + 1}${answers[row % answers.length]}`) throw new Error(`row ${row + 1} is ${line}`);
      row += 1;
    }
  }
  expect(row).toBe(times * rows.length);
}, 600_000);
