/** A file is put where nothing is, also where others put it at the same moment. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { putFile } from '../../../../aws/s3/put-file.ts';

const BYTES = Buffer.from('weights');
const CODES: Readonly<Record<number, string>> = { 409: 'ConditionalRequestConflict', 503: 'SlowDown' };

/**
 * Puts a small file to an S3 that answers so, one after the other.
 * @param isThere what it says of the file, once somebody looks
 * @returns how often it was put
 */
async function asked(statuses: number[], isThere = false, maxAttempts = 1): Promise<number> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'HEAD') {
        response.writeHead(isThere ? 200 : 404, isThere ? { 'content-length': BYTES.length } : {}).end();
        return;
      }
      count++;
      const status = statuses.shift() ?? 200;
      const code = CODES[status] ?? 'PreconditionFailed';
      response.writeHead(status).end(status === 200 ? '' : `<Error><Code>${code}</Code></Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts,
  });
  const file = {
    bytes: BYTES.length,
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

it('what S3 cannot take at this moment is put again, as the client does with all else', async () => {
  expect(await asked([503, 503], false, 3)).toBe(3);
});

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
it('after a part that is refused no other is begun, and the upload ends behind the last that was', async () => {
  const seen: string[] = [];
  let refused: () => void = () => {};
  const hasRefused = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const server = createServer((request, response) => {
    const number = new URL(request.url ?? '', 'http://s3').searchParams.get('partNumber');
    if (number !== null) seen.push(`part ${number}`);
    request.resume().on('end', async () => {
      if (request.method === 'POST') response.end('<R><UploadId>u</UploadId></R>');
      else if (number === '1') {
        response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>', refused);
      } else {
        await hasRefused;
        // For those who would not wait.
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (number === null) seen.push('abort');
        else seen.push(`part ${number} is there`);
        response.writeHead(number === null ? 204 : 200, { etag: '"e"' }).end();
      }
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
  const bytes = 64 * 1024 ** 2;
  const range = async (start: number, end: number) => Buffer.alloc(end - start);
  try {
    await expect(
      putFile(client, { bucket: 'models', key: 'files/abc' }, { bytes, range }, () => {}),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(seen.at(-1)).toBe('abort');
    expect(seen.filter((one) => !one.endsWith('there')).toSorted()).toEqual([
      'abort',
      ...['part 1', 'part 2', 'part 3', 'part 4'],
    ]);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
});

// What was completed may not be there any more:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
it.each([true, false])(
  'an upload that has gone was completed, where the file is there: %s',
  async (isThere) => {
    const bytes = 9 * 1024 ** 2;
    let completed = 0;
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://s3');
      request.resume().on('end', () => {
        if (request.method === 'HEAD')
          response.writeHead(isThere ? 200 : 404, isThere ? { 'content-length': bytes } : {}).end();
        else if (request.method === 'PUT') response.writeHead(200, { etag: '"e"' }).end();
        else if (request.method === 'DELETE') response.writeHead(204).end();
        else if (searchParams.has('uploads')) response.end('<R><UploadId>u</UploadId></R>');
        else {
          completed += 1;
          // The first answer is lost, and the client asks again.
          if (completed === 1) request.socket.destroy();
          else response.writeHead(404).end('<Error><Code>NoSuchUpload</Code></Error>');
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new S3Client({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 2,
    });
    const range = async (start: number, end: number) => Buffer.alloc(end - start);
    try {
      const put = putFile(client, { bucket: 'models', key: 'files/abc' }, { bytes, range }, () => {});
      if (isThere) await put;
      else await expect(put).rejects.toMatchObject({ name: 'NoSuchUpload' });
      expect(completed).toBe(2);
    } finally {
      client.destroy();
      server.closeAllConnections();
      server.close();
    }
  },
);
