import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bucketFiles } from '../../../../aws/s3/output-store.ts';

/** S3 with one object, which writes and may lose its answer. */
let server: Server;
let s3: S3Client;
let kept: { readonly etag: string; readonly writer: string } | undefined;
let losesNext: boolean;
let writes: number;

beforeEach(async () => {
  [kept, losesNext, writes] = [undefined, false, 0];
  const isMet = (headers: IncomingHttpHeaders): boolean =>
    headers['if-match'] === undefined ? kept === undefined : headers['if-match'] === kept?.etag;
  server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'HEAD') {
        response.writeHead(kept === undefined ? 404 : 200, { 'x-amz-meta-writer': kept?.writer ?? '' });
        return response.end();
      }
      if (!isMet(request.headers)) return response.writeHead(412).end();
      kept = { etag: `"${++writes}"`, writer: String(request.headers['x-amz-meta-writer']) };
      if (losesNext) {
        losesNext = false;
        return request.socket.destroy();
      }
      return response.writeHead(200, { etag: kept.etag }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  s3 = new S3Client({
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterEach(async () => {
  s3.destroy();
  await new Promise((resolve) => server.close(resolve));
});

it('a write of which the answer was lost is one’s own, and another’s is not', async () => {
  const files = bucketFiles(s3, 'bucket');
  losesNext = true;
  expect(await files.create('key', 'text')).toBe('created');
  expect([writes, losesNext]).toEqual([1, false]);
  expect(await files.create('key', 'text')).toBe('there');
  losesNext = true;
  expect(await files.replace('key', 'text', kept?.etag)).toBe('ok');
  expect([writes, losesNext]).toEqual([2, false]);
  expect(await files.replace('key', 'text', '"1"')).toBe('changed');
  kept = undefined;
  expect(await files.replace('key', 'text', '"2"')).toBe('changed');
});
