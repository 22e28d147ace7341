import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucketEvents } from '../../../../aws/s3/bucket-events.ts';

type Answer = { readonly status: number; readonly body?: string };
type Seen = {
  readonly method: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
};

/** An S3 that answers GET and PUT of a bucket's notifications as told, and what it was asked. */
async function asked(answers: { readonly GET: Answer | Answer[]; readonly PUT?: Answer }) {
  const seen: Seen[] = [];
  const pauses: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const method = request.method as 'GET' | 'PUT';
      seen.push({ method, headers: request.headers, body });
      const given = answers[method] ?? { status: 200 };
      const answer = Array.isArray(given) ? (given.shift() ?? { status: 500 }) : given;
      response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  try {
    const pause = async (milliseconds: number): Promise<void> => {
      pauses.push(milliseconds);
    };
    return { outcome: await bucketEvents(s3, pause)('incoming', '123456789012').catch(String), seen, pauses };
  } finally {
    s3.destroy();
    server.closeAllConnections();
    server.close();
  }
}

/** What others told S3, in every form that there is. */
const FOREIGN = `<TopicConfiguration><Topic>arn:aws:sns:us-east-1:1:t</Topic><Event>s3:ObjectRemoved:*</Event><Id>t &amp; u</Id></TopicConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue><Event>s3:ObjectCreated:Put</Event><Event>s3:ObjectCreated:Copy</Event><Id>q</Id><Filter><S3Key><FilterRule><Name>prefix</Name><Value>in/&lt;a&gt;</Value></FilterRule><FilterRule><Name>suffix</Name><Value>.csv</Value></FilterRule></S3Key></Filter></QueueConfiguration><CloudFunctionConfiguration><CloudFunction>arn:aws:lambda:us-east-1:1:function:f</CloudFunction><Event>s3:ObjectCreated:*</Event><Id>f</Id></CloudFunctionConfiguration>`;
const configuration = (inner: string): string =>
  `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</NotificationConfiguration>`;
const inner = (xml = ''): string =>
  xml.replace(/<\?xml[^>]*>/, '').replace(/<\/?NotificationConfiguration[^>]*>/g, '');
/** In an order of their own: that in which S3 lists them says nothing. */
const parts = (xml: string): readonly string[] =>
  [...xml.matchAll(/<(\w+Configuration)\b[^>]*?(\/>|>.*?<\/\1>)/gs)].map(([part]) => part).toSorted();
const fault = (status: number, code: string): Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>said ${code}</Message></Error>`,
});

describe('EventBridge on a bucket', () => {
  it('is added to what others told S3, which stays as it was to the letter', async () => {
    const { outcome, seen } = await asked({ GET: { status: 200, body: configuration(FOREIGN) } });
    expect(outcome).toBe('ok');
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'PUT']);
    const on = '<EventBridgeConfiguration/>';
    expect(parts(inner(seen[1]?.body))).toEqual(parts(`${FOREIGN}${on}`));
    // A queue of theirs that is gone does not keep ours from being told.
    expect(seen[1]?.headers['x-amz-skip-destination-validation']).toBe('true');
    for (const { headers } of seen) expect(headers['x-amz-expected-bucket-owner']).toBe('123456789012');
  });

  it('is written to a bucket that tells nobody, and not again where it is on', async () => {
    const none = await asked({ GET: { status: 200, body: configuration('') } });
    expect(inner(none.seen[1]?.body)).toBe('<EventBridgeConfiguration/>');
    const there = await asked({
      GET: { status: 200, body: configuration(`${FOREIGN}<EventBridgeConfiguration/>`) },
    });
    expect(there.outcome).toBe('ok');
    expect(there.seen.map(({ method }) => method)).toEqual(['GET']);
  });

  it('is refused with the action that lacks, the bucket that is not there, or its region', async () => {
    const read = await asked({ GET: fault(403, 'AccessDenied') });
    expect(read.outcome).toEqual({
      refused: expect.stringMatching(/^s3:GetBucketNotification on the bucket incoming is denied/),
    });
    const written = await asked({
      GET: { status: 200, body: configuration(FOREIGN) },
      PUT: fault(403, 'AccessDenied'),
    });
    expect(written.outcome).toEqual({
      refused: expect.stringMatching(/^s3:PutBucketNotification on the bucket incoming is denied/),
    });
    const gone = await asked({ GET: fault(404, 'NoSuchBucket') });
    expect(gone.outcome).toEqual({ refused: expect.stringContaining('there is no bucket incoming') });
    const elsewhere = await asked({ GET: fault(301, 'PermanentRedirect') });
    expect(elsewhere.outcome).toEqual({ refused: expect.stringContaining('is in another region') });
  });

  // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
  it('waits for what the same deploy has just allowed, which IAM does not know everywhere at once', async () => {
    const denied = fault(403, 'AccessDenied');
    const { outcome, seen, pauses } = await asked({
      GET: [denied, denied, { status: 200, body: configuration('') }],
    });
    expect(outcome).toBe('ok');
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'PUT']);
    expect(pauses).toHaveLength(2);
    const never = await asked({ GET: denied });
    expect(never.outcome).toHaveProperty('refused');
    // CloudFormation waits two minutes for the answer.
    const waited = never.pauses.reduce((sum, milliseconds) => sum + milliseconds, 0);
    expect(waited).toBeGreaterThan(10_000);
    expect(waited).toBeLessThan(60_000);
  });

  it('is tried again after what may pass', async () => {
    const { outcome } = await asked({ GET: fault(503, 'SlowDown') });
    expect(outcome).toContain('said SlowDown');
  });
});
