/** A file is put where nothing is, also where others put it at the same moment. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { putFile } from '../../../../aws/s3/put-file.ts';

const BYTES = Buffer.from('weights');

/**
 * Puts a small file to an S3 that answers so, one after the other.
 * @param isThere what it says of the file, once somebody looks
 * @returns how often it was put
 */
async function asked(statuses: number[], isThere = false): Promise<number> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'HEAD') {
        response.writeHead(isThere ? 200 : 404, isThere ? { 'content-length': BYTES.length } : {}).end();
        return;
      }
      count++;
      const status = statuses.shift() ?? 200;
      const code = status === 409 ? 'ConditionalRequestConflict' : 'PreconditionFailed';
      response.writeHead(status).end(status === 200 ? '' : `<Error><Code>${code}</Code></Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  const file = {
    bytes: BYTES.length,
    stream: () => Readable.from([BYTES]),
    range: async (start: number, end: number) => BYTES.subarray(start, end),
  };
  try {
    await putFile(client, { bucket: 'models', key: 'files/abc' }, file, () => {});
    return count;
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

it('what somebody else has put is left', async () => {
  expect(await asked([412])).toBe(1);
});

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
it('another write under way is no file yet: it is put again, until it is there', async () => {
  expect(await asked([409, 409])).toBe(3);
  expect(await asked([409, 412])).toBe(2);
  expect(await asked([409], true)).toBe(1);
});

it('a conflict that stays is told', async () => {
  await expect(asked([409, 409, 409, 409, 409])).rejects.toThrow();
});
