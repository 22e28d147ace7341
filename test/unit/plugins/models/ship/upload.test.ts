/** Files go to a bucket by their digests, where whatever was put first stays. */
import { createHash } from 'node:crypto';
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

it('a file in whose place something else is, of another size, is told: it would never be written over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const bytes = Buffer.from('weights');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  let found: Record<string, number> = { 'content-length': 3 };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.method === 'HEAD' ? 200 : 412, found).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    const from = join(folder, 'weights.bin');
    await writeFile(from, bytes);
    const upload = () =>
      uploadFiles(aws, 'models', 'files/', [{ sha256, bytes: bytes.length, from }], () => {});
    await expect(upload()).rejects.toThrow(
      `models: s3://models/files/${sha256} has 3 bytes, and the file that has this digest has 7: somebody put something else there. Delete this object, and deploy again. [MODELS_AWS]`,
    );
    // An object whose length S3 does not say is taken as it is.
    found = {};
    await upload();
  } finally {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
