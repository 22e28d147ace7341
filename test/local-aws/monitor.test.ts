import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bucketObjects } from '../../aws/s3/objects.ts';
import { DRIFT_METRICS, type Watched } from '../../core/drift/contract.ts';
import { driftDocuments } from '../../core/drift/documents.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { baselineOf, digestOf, lineOf } from '../unit/core/drift/scene.ts';
import { farFromMidnight } from './drift-days.ts';
import { BUCKET, DAY, deployMonitor, FILES, SCOPE } from './drift-scene.ts';
import { invoke } from './lambda.ts';
import { put } from './log-events.ts';

const GROUP = '/aws/lambda/shop-dev-churn';
const WATCHED: Watched = {
  model: 'churn',
  functionName: 'shop-dev-churn',
  logGroup: GROUP,
  window: 86_400,
  q: 0.1,
  effect: 0.1,
};

let aws: LocalAws;
let logs: CloudWatchLogsClient;
let s3: S3Client;
let cloudWatch: CloudWatchClient;

beforeAll(async () => {
  aws = await startAws();
  const settings = client(aws.endpoint);
  logs = new CloudWatchLogsClient(settings);
  s3 = new S3Client({ ...settings, forcePathStyle: true });
  cloudWatch = new CloudWatchClient(settings);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  for (const one of [logs, s3, cloudWatch]) one?.destroy();
  await aws?.stop();
});

/** The highest of a metric's points since yesterday. */
async function highest(name: string, functionName = WATCHED.functionName): Promise<number | undefined> {
  const answer = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 2 * DAY),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: 'ServerlessModels',
              MetricName: name,
              Dimensions: [{ Name: 'Model', Value: functionName }],
            },
            Period: 3600,
            Stat: 'Maximum',
          },
        },
      ],
    }),
  );
  const values = answer.MetricDataResults?.[0]?.Values ?? [];
  return values.length === 0 ? undefined : Math.max(...values);
}

it('the shipped handler reads log and baseline, publishes, and writes a window once', async () => {
  const baseline = baselineOf();
  const digest = digestOf(baseline);
  await s3.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: `${FILES}${digest}`, Body: JSON.stringify(baseline) }),
  );
  await farFromMidnight();
  const from = Math.floor((Date.now() - 120_000) / DAY) * DAY - DAY;
  // It had drifted the day before, too: two in a row are what counts.
  const yesterday = {
    schema: 1,
    model: WATCHED.model,
    baseline: digest,
    from: new Date(from - DAY).toISOString(),
    to: new Date(from).toISOString(),
    requests: 200,
    rows: 200,
    signals: baseline.signals.map(({ name, label }) => ({
      name,
      label,
      n: 200,
      cells: [],
      nulls: 0,
      drifted: label === 'age',
    })),
  } as const;
  expect(await driftDocuments(bucketObjects(s3, BUCKET), SCOPE).write(yesterday)).toBe('ok');
  const events = Array.from({ length: 300 }, (_, n) => ({
    at: from + n * 240_000,
    message: n % 3 === 2 ? 'START' : lineOf(baseline, digest, { age: 0.8 + 0.2 * ((n * 0.618) % 1) }),
  }));
  await put(logs, GROUP, events);
  await deployMonitor(aws, 'shop-dev-models-drift', [WATCHED]);

  for (let run = 0; run < 2; run += 1) {
    const { error, log } = await invoke(aws, 'shop-dev-models-drift');
    expect(error, log).toBeUndefined();
    expect(log.includes('"age\\" +'), log).toBe(run === 0);
  }
  expect(await highest(DRIFT_METRICS.signals)).toBe(1);
  expect(await highest(DRIFT_METRICS.seen)).toBe(200);
  expect(await highest(DRIFT_METRICS.max)).toBeGreaterThan(1);
  expect(await highest(DRIFT_METRICS.unreadable)).toBeUndefined();

  const objects = bucketObjects(s3, BUCKET);
  const Key = `${SCOPE}drift/churn/${new Date(from).toISOString().slice(0, 10)}T000000Z-86400.json`;
  const kept = await objects.list(`${SCOPE}drift/`);
  expect([kept.length, kept.at(-1)]).toEqual([2, Key]);
  const found = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  const document = JSON.parse((await found.Body?.transformToString()) ?? '');
  expect(document).toMatchObject({ schema: 1, model: 'churn', baseline: digest, requests: 200, rows: 200 });
  expect(await driftDocuments(objects, SCOPE).write({ ...document, rows: 0 })).toBe('changed');
});

it('a log that it may not read, or that is not there, is counted as that', async () => {
  await deployMonitor(aws, 'shop-dev-denied', [
    { ...WATCHED, model: 'other', functionName: 'shop-dev-other', logGroup: '/aws/lambda/shop-dev-other' },
  ]);
  const { error, log } = await invoke(aws, 'shop-dev-denied');
  expect(error).toBeUndefined();
  expect(log).toContain('could not be judged');
  expect(await highest(DRIFT_METRICS.unreadable, 'shop-dev-other')).toBe(1);
});
