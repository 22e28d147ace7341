/** Files go to a bucket by their digests, where whatever was put first stays. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { uploadFiles } from '../../../../../plugins/models/ship/upload.ts';

const aws = {
  region: 'us-east-1',
  credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
};

it('a file that lost its end since it was packaged is not filled up with zeros', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    asked.push(`${method} ${new URL(url, 'http://s3').searchParams.get('partNumber') ?? ''}`.trim());
    request.resume().on('end', () => {
      if (method === 'HEAD') response.writeHead(404).end();
      else response.writeHead(200, { etag: '"e"' }).end('<R><UploadId>u</UploadId></R>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const from = join(folder, 'layer.zip');
    const bytes = 9 * 1024 ** 2;
    await writeFile(from, Buffer.alloc(bytes - 10, 1));
    await expect(
      uploadFiles(aws, 'models', 'layers/', [{ sha256: 'a'.repeat(64), bytes, from }], () => {}, 'zipped'),
    ).rejects.toThrow(/layer\.zip is gone, or has other bytes than when it was packaged.*\[MODELS_CACHE\]/);
    expect(asked).not.toContain('PUT 2');
    expect(asked.at(-1)).toBe('DELETE');
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it('a bucket that refuses to tell what is there is named, with the status: credentials may have expired', async () => {
  const server = createServer((_, response) => void response.writeHead(400).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const sha256 = 'a'.repeat(64);
  try {
    await expect(
      uploadFiles(aws, 'models', 'files/', [{ sha256, bytes: 1, from: '/nowhere' }], () => {}),
    ).rejects.toThrow(
      new RegExp(
        `^models: s3://models/files/${sha256} cannot be uploaded: S3 answers 400\\. .*credentials.*\\[MODELS_AWS\\]`,
      ),
    );
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  }
});

it('a layer that another zlib packed is there: it is called by what is in it', async () => {
  const asked: string[] = [];
  let found = 200;
  const server = createServer((request, response) => {
    asked.push(request.method ?? '');
    request.resume();
    response.writeHead(request.method === 'HEAD' ? found : 412, { 'content-length': 20 }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const layer = { sha256: 'a'.repeat(64), bytes: 21, from: '/nowhere' };
    await uploadFiles(aws, 'models', 'layers/', [layer], () => {}, 'zipped');
    expect(asked).toEqual(['HEAD']);
    // What is called by its own digest has one size.
    await expect(uploadFiles(aws, 'models', 'files/', [layer], () => {})).rejects.toThrow('/nowhere is gone');
    found = 404;
    await expect(uploadFiles(aws, 'models', 'layers/', [layer], () => {}, 'zipped')).rejects.toThrow(
      /\/nowhere is gone, .* Package again\. \[MODELS_CACHE\]/,
    );
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  }
});
