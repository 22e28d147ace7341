import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, it } from 'vitest';
import { bucketObjects } from '../../../../aws/s3/objects.ts';

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** A client, without attempts of its own, of the server that listens from then on. */
async function clientOfServer(): Promise<S3Client> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new S3Client({
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
}

it.each([{}, { 'x-amz-checksum-crc32': 'AAAAAA==' }])(
  'reads nothing of an object beyond its bound, and lets go of the connection: %j',
  async (headers) => {
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      server = createServer((_, response) => {
        response.writeHead(200, { 'content-length': 4e9, etag: '"e"', ...headers });
        const more = (): void => {
          // Who writes to what is closed is called back all the same.
          if (response.destroyed) return;
          sent += 65_536;
          response.write(Buffer.alloc(65_536), () => setTimeout(more, 1));
        };
        more();
        response.on('close', resolve);
      });
    });
    const s3 = await clientOfServer();
    expect(await bucketObjects(s3, 'bucket').get('large', 1e6)).toBeUndefined();
    await closed;
    expect(sent).toBeLessThan(1e8);
    s3.destroy();
  },
);

it('reads a document again whose answer breaks off, and tells of one that always does', async () => {
  const text = '{"schema":1}';
  let asked = 0;
  let breaks = 2;
  server = createServer((_, response) => {
    asked += 1;
    breaks -= 1;
    response.writeHead(200, { 'content-length': text.length, etag: '"e"' });
    if (breaks < 0) response.end(text);
    else response.write(text.slice(0, 5), () => response.destroy());
  });
  const s3 = await clientOfServer();
  const objects = bucketObjects(s3, 'bucket');
  expect(await objects.get('live.json')).toEqual({ text, etag: '"e"' });
  expect(asked).toBe(3);
  breaks = 99;
  await expect(objects.get('live.json')).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(asked).toBe(6);
  s3.destroy();
  server.closeAllConnections();
});

it('writes again where another write was under way, which may have come to nothing', async () => {
  let answers: number[] = [];
  server = createServer(async (request, response) => {
    for await (const _ of request);
    const status = answers.shift() ?? 500;
    const code = status === 412 ? 'PreconditionFailed' : 'ConditionalRequestConflict';
    response.writeHead(status, { 'content-type': 'application/xml', etag: '"e"' });
    response.end(status === 200 ? '' : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  });
  const s3 = await clientOfServer();
  const objects = bucketObjects(s3, 'bucket');
  const asked = async (given: number[], write: () => Promise<unknown>) => {
    answers = given;
    return [await write(), answers.length];
  };
  expect(await asked([409, 200], () => objects.create('a.json', '{}'))).toEqual(['ok', 0]);
  expect(await asked([409, 412, 200], () => objects.create('a.json', '{}'))).toEqual(['changed', 1]);
  expect(await asked([409, 409, 200], () => objects.replace('a.json', '{}', '"e"'))).toEqual(['ok', 0]);
  s3.destroy();
  server.closeAllConnections();
});
