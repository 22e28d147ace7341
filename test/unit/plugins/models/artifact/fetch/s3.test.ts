/** Artifacts come from S3 whole, also where a connection breaks off. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import {
  fetchObjects,
  resolveObjects,
  withObject,
} from '../../../../../../plugins/models/artifact/fetch/s3.ts';
import type { SourceContext } from '../../../../../../plugins/models/contracts/sources/artifact-source.ts';
import { untar } from '../../../../../../plugins/models/disk/untar.ts';
import { tarOf } from '../../../../../fakes/tar.ts';

const BYTES = Buffer.alloc(3_000_000, 'graph');
const ARCHIVE = gzipSync(tarOf([{ path: 'model.onnx', content: BYTES }]), { level: 0 });

let folder = '';
let answers: ((response: ServerResponse) => void)[] = [];
let asked = 0;
const server = createServer((request, response) => {
  asked += 1;
  request.resume();
  (answers.shift() ?? ((one: ServerResponse) => void one.writeHead(500).end()))(response);
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  vi.unstubAllEnvs();
  asked = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

type Handler = NonNullable<SourceContext['aws']>['requestHandler'];
const context = (name: string, requestHandler?: Handler): SourceContext => {
  vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('SERVERLESS_MODELS_CACHE', join(folder, name));
  return {
    key: 'models.churn.artifact',
    serviceDir: folder,
    progress: () => {},
    aws: {
      region: 'us-east-1',
      credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
      ...(requestHandler && { requestHandler }),
    },
  };
};
const whole = (bytes: Buffer) => (response: ServerResponse) =>
  void response.writeHead(200, { etag: '"1"', 'content-length': bytes.length }).end(bytes);
const broken = (bytes: Buffer) => (response: ServerResponse) => {
  response.writeHead(200, { etag: '"1"', 'content-length': bytes.length });
  response.write(bytes.subarray(0, 1_000_000), () => response.destroy());
};
/** As a proxy that does not know how much is to come. */
const short = (bytes: Buffer) => (response: ServerResponse) =>
  void response.writeHead(200, { etag: '"1"' }).end(bytes.subarray(0, 1_000_000));
const stalled = (bytes: Buffer) => (response: ServerResponse) => {
  response.writeHead(200, { etag: '"1"', 'content-length': bytes.length });
  response.write(bytes.subarray(0, 1_000_000));
};
const fetched = (name: string, requestHandler?: Handler, bytes = BYTES.length) =>
  fetchObjects(
    {
      reference: 's3://trained/churn.onnx',
      isFolder: false,
      files: [{ path: 'churn.onnx', version: '"1"', bytes }],
    },
    { bucket: 'trained', key: 'churn.onnx' },
    () => [],
    context(name, requestHandler),
  );

it('an object that breaks off is read again, from its begin', async () => {
  answers = [broken(BYTES), broken(BYTES), whole(BYTES)];
  const { path } = await fetched('object');
  expect((await readFile(path)).equals(BYTES)).toBe(true);
  expect(asked).toBe(3);
});

it('an object of which nothing more comes is read again', async () => {
  answers = [stalled(BYTES), whole(BYTES)];
  const { path } = await fetched('stalled', { socketTimeout: 2000 });
  expect((await readFile(path)).equals(BYTES)).toBe(true);
  expect(asked).toBe(2);
});

it('one that ends early without a word is read again, and not kept', async () => {
  answers = [short(BYTES), short(BYTES), short(BYTES)];
  await expect(fetched('short')).rejects.toThrow(
    's3://trained/churn.onnx: It ends after 1000000 of 3000000 bytes. Retry: the connection to S3 broke off.',
  );
  answers = [whole(BYTES)];
  const { path } = await fetched('short');
  expect((await readFile(path)).equals(BYTES)).toBe(true);
});

it('one whose length nobody told is taken as it comes', async () => {
  answers = [(response) => void response.writeHead(200, { etag: '"1"' }).end(BYTES)];
  const { path } = await fetched('unmeasured', undefined, 0);
  expect((await readFile(path)).equals(BYTES)).toBe(true);
});

it('one of which nothing comes is told as that', async () => {
  const handle = async (): Promise<never> => {
    throw Object.assign(new Error('the request socket timed out'), { name: 'TimeoutError' });
  };
  await expect(fetched('silent', { handle } as unknown as Handler)).rejects.toThrow(
    's3://trained/churn.onnx: Nothing more comes from S3. Retry: the connection to S3 broke off.',
  );
});

it('a proxy that does not lead there is told with what to check', async () => {
  const handle = async (): Promise<never> => {
    const message = 'The proxy does not lead to trained.s3.us-east-1.amazonaws.com:443: it answers 403.';
    throw Object.assign(new Error(message), { name: 'ProxyFault' });
  };
  await expect(fetched('proxy', { handle } as unknown as Handler)).rejects.toThrow(
    /churn\.onnx: S3 cannot be reached: The proxy does not lead to .*: it answers 403\. Check HTTPS_PROXY/,
  );
});

it('an archive that breaks off is unpacked again', async () => {
  answers = [broken(ARCHIVE), whole(ARCHIVE)];
  const to = join(folder, 'unpacked');
  const place = { bucket: 'trained', key: 'model.tar.gz' };
  const { files } = await withObject(place, '"1"', context('archive'), (body) => untar(body, to));
  expect(files).toEqual([{ path: 'model.onnx', bytes: BYTES.length }]);
  expect((await readFile(join(to, 'model.onnx'))).equals(BYTES)).toBe(true);
});

it('one that breaks off each time is told as that, and one that was overwritten meanwhile as that', async () => {
  answers = [broken(BYTES), broken(BYTES), broken(BYTES)];
  await expect(fetched('never')).rejects.toThrow(/broke off\. \[MODELS_ARTIFACT_MISSING\]/);
  answers = [
    (response) => void response.writeHead(412).end('<Error><Code>PreconditionFailed</Code></Error>'),
  ];
  await expect(fetched('overwritten')).rejects.toThrow(
    's3://trained/churn.onnx: It was overwritten while it was read (412). Retry once nothing writes to it.',
  );
});

// A HEAD has no body that could say why.
it.each([
  [400, /S3 refuses it \(400\), as where credentials have expired\. .*credentials\./],
  [501, /S3 answers 501 without a word why\./],
])('a refusal of %i is told by its status', async (status, words) => {
  answers = [(response) => void response.writeHead(status).end()];
  const asked = resolveObjects(
    's3://trained/churn.onnx',
    { bucket: 'trained', key: 'churn.onnx' },
    context('head'),
  );
  await expect(asked).rejects.toThrow(words);
});

it.each([
  ['AccessDenied', 'Access Denied', /S3 denies it \(403\), or it is not there .*Allow s3:GetObject/],
  [
    'AccessDenied',
    'User: arn:aws:iam::123456789012:user/ann is not authorized to perform: kms:Decrypt on this resource',
    /S3 says AccessDenied: User: .* to perform: kms:Decrypt on this resource\. Allow kms:Decrypt on the key/,
  ],
  [
    'InvalidObjectState',
    'The operation is not valid for the object\u2019s storage class',
    /S3 says InvalidObjectState: .* storage class\. Restore it first: `aws s3api restore-object`/,
  ],
  [
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
    /S3 says RequestTimeTooSkewed: .* too large\. Check bucket, key, region and credentials\./,
  ],
])('a refusal that says more than 403 is told with that: %s', async (code, message, words) => {
  answers = [
    (response) =>
      void response
        .writeHead(403, { 'content-type': 'application/xml' })
        .end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`),
  ];
  await expect(fetched(message.slice(0, 12))).rejects.toThrow(words);
});

it('a prefix with more than a model has is told as that, with what to name', async () => {
  const keys = Array.from({ length: 1001 }, (_, index) => `<Contents><Key>a/${index}</Key></Contents>`);
  answers = [
    (response) => void response.writeHead(200).end(`<ListBucketResult>${keys.join('')}</ListBucketResult>`),
  ];
  const place = { bucket: 'trained', key: 'a/' };
  await expect(resolveObjects('s3://trained/a/', place, context('many'))).rejects.toThrow(
    /s3:\/\/trained\/a\/: More than 1000 objects are there, which is no model\. Name the prefix of the model alone, or its graph\./,
  );
});

it('where nobody answers, nothing is told as what S3 says', async () => {
  const asking = context('gone');
  vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1');
  const place = { bucket: 'trained', key: 'churn.onnx' };
  await expect(resolveObjects('s3://trained/churn.onnx', place, asking)).rejects.toThrow(
    /churn\.onnx: S3 cannot be reached \(ECONNREFUSED\)\. Retry once it can be reached from here\./,
  );
});
