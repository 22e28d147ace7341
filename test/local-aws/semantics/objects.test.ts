import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import type { LocalAws } from '../../../local-aws/start.ts';
import { makeUser } from '../../journeys/user.ts';
import { makeFunction, withAndWithout } from '../lambda.ts';
import { makeQueue, makeRule, receive } from '../queue.ts';

const s3Of = (aws: LocalAws): S3Client =>
  new S3Client({ ...client(aws.endpoint), forcePathStyle: true, maxAttempts: 1 });

/** Memory of the local AWS, in MB. */
async function resident(aws: LocalAws): Promise<number> {
  const { pid } = (await (await fetch(`${aws.endpoint}/_local-aws`)).json()) as { pid: number };
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: an object may be far larger than a
// machine's memory. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: Range goes with
// versionId.
it('objects larger than the memory that there is, whole and in ranges, of versions too', async () => {
  const PARTS = 12;
  const part = Buffer.alloc(32 * 1024 * 1024, 'rows and rows\n');
  const { on, off } = await withAndWithout('objects', async (aws) => {
    const s3 = s3Of(aws);
    const at = { Bucket: 'large', Key: 'object' };
    await s3.send(new CreateBucketCommand(at));
    await s3.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration: { Status: 'Enabled' } }));
    const before = await resident(aws);
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let PartNumber = 1; PartNumber <= PARTS; PartNumber++) {
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body: part }));
      Parts.push({ PartNumber, ETag });
    }
    const { VersionId } = await s3.send(
      new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }),
    );
    const took = (await resident(aws)) - before;

    const whole = createHash('sha256');
    let length = 0;
    const { Body } = await s3.send(new GetObjectCommand(at));
    for await (const chunk of Body as AsyncIterable<Uint8Array>) {
      whole.update(chunk);
      length += chunk.length;
    }
    // Two large ranges that are begun, and one that is read.
    const ranges = await Promise.all(
      [7, 8, 9].map((start) => s3.send(new GetObjectCommand({ ...at, Range: `bytes=${start}-` }))),
    );
    const ranged = createHash('sha256');
    const [first] = ranges.map(({ Body: some }) => some as AsyncIterable<Uint8Array>);
    for await (const chunk of first ?? []) ranged.update(chunk);
    const tookOpen = (await resident(aws)) - before;
    for (const { Body: begun } of ranges) (begun as { destroy?: () => void } | undefined)?.destroy?.();
    await s3.send(new PutObjectCommand({ ...at, Body: 'newer' }));
    const from = 3 * part.length - 5;
    const old = await s3.send(new GetObjectCommand({ ...at, VersionId, Range: `bytes=${from}-${from + 9}` }));
    const read = {
      digest: whole.digest('hex'),
      length,
      ranged: ranged.digest('hex'),
      range: [old.ContentRange, await old.Body?.transformToString()],
    };
    s3.destroy();
    return { took, tookOpen, read };
  });
  const all = Buffer.concat(Array<Buffer>(PARTS).fill(part));
  const from = 3 * part.length - 5;
  expect(on.read).toEqual({
    digest: createHash('sha256').update(all).digest('hex'),
    length: all.length,
    ranged: createHash('sha256').update(all.subarray(7)).digest('hex'),
    range: [`bytes ${from}-${from + 9}/${all.length}`, all.toString('utf8', from, from + 10)],
  });
  expect(on.took).toBeLessThan(160);
  expect(on.tookOpen).toBeLessThan(160);
  expect(off.took).toBeGreaterThan(320);
  expect(off.read.range[0]).toBeUndefined();
}, 120_000);

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
it('who may not list a bucket is not told that an object is missing', async () => {
  const { on, off } = await withAndWithout('actions', async (aws) => {
    const s3 = s3Of(aws);
    const at = { Bucket: 'quiet', Key: 'absent' };
    await s3.send(new CreateBucketCommand(at));
    const user = await makeUser(aws, 'reader');
    const theirs = new S3Client({
      ...client(aws.endpoint),
      credentials: user.credentials,
      forcePathStyle: true,
    });
    const status = (call: Promise<unknown>): Promise<number | undefined> =>
      call.then(
        () => 200,
        (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
      );
    const both = async (): Promise<(number | undefined)[]> => [
      await status(theirs.send(new GetObjectCommand(at))),
      await status(theirs.send(new HeadObjectCommand(at))),
    ];
    const reads = { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::quiet/*' };
    const lists = { Sid: 'List', Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::quiet' };
    await user.may([reads]);
    const blind = await both();
    await user.may([reads, lists]);
    const found = [blind, await both()];
    for (const one of [s3, theirs]) one.destroy();
    return found;
  });
  expect(on).toEqual([
    [403, 403],
    [404, 404],
  ]);
  expect(off).toEqual([
    [404, 404],
    [404, 404],
  ]);
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
it('a new object is an event for EventBridge, with its version', async () => {
  const { on, off } = await withAndWithout('object_events', async (aws, isOn) => {
    const s3 = s3Of(aws);
    const sqs = new SQSClient(client(aws.endpoint));
    const at = { Bucket: 'incoming' };
    await s3.send(new CreateBucketCommand(at));
    await s3.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration: { Status: 'Enabled' } }));
    // What the bucket tells others already stays when EventBridge is added.
    const LambdaFunctionArn = await makeFunction(aws, { name: 'other', code: 'export const handler = 1;' });
    const others = [{ Id: 'other', LambdaFunctionArn, Events: ['s3:ObjectRemoved:*' as const] }];
    const put = (NotificationConfiguration: object): Promise<unknown> =>
      s3.send(
        new PutBucketNotificationConfigurationCommand({
          ...at,
          NotificationConfiguration,
          SkipDestinationValidation: true,
        }),
      );
    await put({ LambdaFunctionConfigurations: others });
    const { $metadata, ...found } = await s3.send(new GetBucketNotificationConfigurationCommand(at));
    await put({ ...found, EventBridgeConfiguration: {} });
    const kept = await s3.send(new GetBucketNotificationConfigurationCommand(at));

    const queue = await makeQueue(sqs, 'incoming');
    await makeRule(
      aws,
      'csv',
      {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: ['incoming'] }, object: { key: [{ wildcard: 'in/*.csv' }] } },
      },
      queue,
    );
    for (const Key of ['out/a.csv', 'in/a.txt', 'in/b c+ä%.csv', 'in/b c+ä%.csv'])
      await s3.send(new PutObjectCommand({ ...at, Key, Body: 'a,b\n' }));
    const { VersionId } = await s3.send(new PutObjectCommand({ ...at, Key: 'in/last.csv', Body: 'a' }));
    const bodies = (await receive(sqs, queue, 3, isOn ? 20 : 3)).map(({ Body = '' }) => JSON.parse(Body));
    for (const one of [s3, sqs]) one.destroy();
    return { kept, bodies, VersionId };
  });
  expect(on.kept.EventBridgeConfiguration).toEqual({});
  expect(on.kept.LambdaFunctionConfigurations).toMatchObject([
    { Id: 'other', Events: ['s3:ObjectRemoved:*'] },
  ]);
  const keys = on.bodies.map(({ detail }) => detail.object.key);
  expect(keys.toSorted()).toEqual(['in/b c+ä%.csv', 'in/b c+ä%.csv', 'in/last.csv']);
  const last = on.bodies.find(({ detail }) => detail.object.key === 'in/last.csv');
  expect(last).toMatchObject({
    version: '0',
    source: 'aws.s3',
    'detail-type': 'Object Created',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    resources: ['arn:aws:s3:::incoming'],
    detail: {
      version: '0',
      bucket: { name: 'incoming' },
      object: {
        size: 1,
        etag: createHash('md5').update('a').digest('hex'),
        'version-id': on.VersionId,
        sequencer: expect.stringMatching(/^[0-9A-F]+$/i),
      },
      reason: 'PutObject',
    },
  });
  // For one key the later event has the greater sequencer.
  const [first, second] = on.bodies
    .filter(({ detail }) => detail.object.key !== 'in/last.csv')
    .map(({ detail }) => detail.object.sequencer);
  expect(first).not.toBe(second);
  expect(JSON.stringify(off.bodies)).not.toContain('version-id');
});
