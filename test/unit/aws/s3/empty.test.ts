/** A folder is emptied, also where S3 cannot delete each key at once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { deleteBelow } from '../../../../aws/s3/empty.ts';

/** Two objects in an S3 that cannot delete a key for these reasons, one request after the other. */
async function emptied(reasons: readonly (string | undefined)[], words?: string) {
  const asked: string[][] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.method === 'GET') {
      const version = (key: string) => `<Version><Key>${key}</Key><VersionId>v-${key}</VersionId></Version>`;
      response.end(`<ListVersionsResult>${version('m/a')}${version('m/b')}</ListVersionsResult>`);
      return;
    }
    const keys = [...body.matchAll(/<Key>(.*?)<\/Key><VersionId>(.*?)<\/VersionId>/g)];
    const reason = reasons[asked.length];
    asked.push(keys.map(([, key, version]) => `${key} ${version}`));
    const error = `<Error><Key>m/b</Key><VersionId>v-m/b</VersionId><Code>${reason}</Code><Message>${words ?? `it says ${reason}`}</Message></Error>`;
    response.end(`<DeleteResult>${reason === undefined ? '' : error}</DeleteResult>`);
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
    const outcome = await deleteBelow(s3, 'models', 'm/', () => {}).catch(String);
    return { outcome, asked };
  } finally {
    s3.destroy();
    server.closeAllConnections();
    server.close();
  }
}

it('what S3 could not delete at this moment is asked for again, and nothing else', async () => {
  expect(await emptied(['InternalError', 'SlowDown', undefined])).toEqual({
    outcome: { deleted: 2, locked: 0 },
    asked: [['m/a v-m/a', 'm/b v-m/b'], ['m/b v-m/b'], ['m/b v-m/b']],
  });
});

it('what may not be deleted is told at once, and what stays after some times', async () => {
  expect(await emptied(['AccessDenied'])).toEqual({
    outcome: 'Error: s3://models/m/b cannot be deleted: it says AccessDenied',
    asked: [['m/a v-m/a', 'm/b v-m/b']],
  });
  const { outcome, asked } = await emptied(Array.from({ length: 9 }, () => 'SlowDown'));
  expect(outcome).toBe('Error: s3://models/m/b cannot be deleted: it says SlowDown');
  expect(asked).toHaveLength(5);
});

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
it('what Object Lock protects stays, is counted, and keeps nothing else from being deleted', async () => {
  const words = 'Access Denied because object protected by object lock.';
  expect(await emptied(['AccessDenied'], words)).toEqual({
    outcome: { deleted: 1, locked: 1 },
    asked: [['m/a v-m/a', 'm/b v-m/b']],
  });
});
