import { createHash } from 'node:crypto';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { baselinesIn } from '../../functions/drift/baselines.ts';
import { driftDocuments } from '../../functions/drift/documents.ts';
import { cloudWatchLogs } from '../../functions/drift/logs.ts';
import { monitor } from '../../functions/drift/monitor.ts';
import { bucketObjects } from '../../functions/shared/aws/objects.ts';
import { logContract } from '../fakes/log-contract.ts';
import { baselineOf, lineOf } from '../unit/drift/scene.ts';
import { client } from './deployed.ts';
import { withAndWithout } from './lambda.ts';
import { type LocalAws, startAws } from './start.ts';

type Event = { readonly at: number; readonly message: string };

/** Writes events to two streams of a group, as two instances of a function would. */
async function put(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  events: readonly Event[],
): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const [index, logStreamName] of ['one', 'other'].entries()) {
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const own = events.filter((_, n) => n % 2 === index);
    for (let first = 0; first < own.length; first += 10_000)
      await logs.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName,
          logEvents: own.slice(first, first + 10_000).map(({ at, message }) => ({ timestamp: at, message })),
        }),
      );
  }
}

const hourAgo = (): number => Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

let aws: LocalAws;
let logs: CloudWatchLogsClient;
let s3: S3Client;

beforeAll(async () => {
  aws = await startAws();
  logs = new CloudWatchLogsClient(client(aws.endpoint));
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
});
afterAll(async () => {
  for (const one of [logs, s3]) one?.destroy();
  await aws?.stop();
});

describe('the adapter keeps the contract of the log port', () => {
  logContract(() => ({
    logs: cloudWatchLogs(logs),
    at: hourAgo(),
    put: (group, events) => put(logs, group, events),
  }));
});

/**
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
 */
describe('local AWS, for the log port', () => {
  it('reads JSON patterns, refuses those that it cannot read, and gives pages', async () => {
    const { on, off } = await withAndWithout('log_filter', async (local) => {
      const own = new CloudWatchLogsClient({ ...client(local.endpoint), maxAttempts: 1 });
      const at = hourAgo();
      await put(own, 'group', [
        { at, message: '{"event":"UpdateTrail"}' },
        { at, message: '{"event":"Update"}' },
        { at, message: 'UpdateTrail' },
      ]);
      const ask = async (filterPattern: string, limit?: number) => {
        const input = { logGroupName: 'group', filterPattern, limit };
        const answer = await own.send(new FilterLogEventsCommand(input)).catch((error: Error) => error.name);
        return typeof answer === 'string' ? answer : [answer.events?.length, answer.nextToken !== undefined];
      };
      const found = [
        await ask('{ $.event = "UpdateTrail" }'),
        await ask('{ $.event = "Update*" }'),
        await ask('{ $.event = "*" }', 1),
        await ask('UpdateTrail'),
        await ask('{ $.event = "a" && $.n > 1 }'),
      ];
      own.destroy();
      return found;
    });
    expect(on).toEqual([[1, false], [2, false], [1, true], [2, false], 'InvalidParameterException']);
    expect(off).toEqual([
      [3, false],
      [3, false],
      [1, false],
      [2, false],
      [3, false],
    ]);
  });
});

describe('the monitor against local AWS', () => {
  it('reads the log and the baseline, publishes, and writes one document, once', async () => {
    const Bucket = 'registry';
    const hour = 3_600_000;
    const now = Math.floor(Date.now() / hour) * hour + 121_000;
    const from = now - 121_000 - hour;
    const baseline = baselineOf();
    const text = JSON.stringify(baseline);
    const digest = createHash('sha256').update(text).digest('hex');
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: `models/files/${digest}`, Body: text }));
    const events = Array.from({ length: 300 }, (_, n) => ({
      at: from + n * 12_000,
      message: n % 3 === 2 ? 'START' : lineOf(baseline, digest, { age: 0.8 + 0.2 * ((n % 97) / 97) }),
    }));
    await put(logs, '/aws/lambda/shop-dev-churn', events);

    const objects = bucketObjects(s3, Bucket);
    const published: string[] = [];
    const told: string[] = [];
    const world = {
      logs: cloudWatchLogs(logs),
      documents: driftDocuments(objects, 'models/0/us-east-1/shop/dev/'),
      baseline: baselinesIn(objects, 'models/files/'),
      clock: () => now,
      left: () => 60_000,
      out: (line: string) => {
        published.push(line);
      },
      log: (_level: string, message: string) => {
        told.push(message);
      },
    };
    const watched = [
      {
        model: 'churn',
        functionName: 'shop-dev-churn',
        logGroup: '/aws/lambda/shop-dev-churn',
        window: 3600,
        q: 0.01,
        effect: 0.1,
      },
    ];
    await monitor(world, watched);
    await monitor(world, watched);
    expect(published.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ Model: 'shop-dev-churn', DriftFeatures: 1, DriftRows: 200 }),
    ]);
    expect(told).toEqual([expect.stringContaining('"age" +')]);
    const name = new Date(from).toISOString().replace('.000', '').replaceAll(':', '');
    const Key = `models/0/us-east-1/shop/dev/drift/churn/${name}.json`;
    const found = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const document = JSON.parse((await found.Body?.transformToString()) ?? '');
    expect(document).toMatchObject({ schema: 1, model: 'churn', baseline: digest, requests: 200, rows: 200 });
    expect(await world.documents.write(document)).toBe('changed');
  });
});
