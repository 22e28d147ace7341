import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../plugins/models/ship/cache.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { uploadFiles } from '../../plugins/models/ship/upload.ts';
import { client } from '../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../local-aws/start.ts';
import { FIXTURES, modelOf, newService, problemOf } from './setup.ts';

const service = newService();
let local: LocalAws;
let s3: S3Client;
const Bucket = 'artifacts';
/** As a command gets it: no endpoint in it, since the SDK honours AWS_ENDPOINT_URL. */
const aws = {
  region: 'us-east-1',
  credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
};
const at = (key: string, bucket = Bucket) => modelOf('', { artifact: { kind: 's3', bucket, key } });
const fixture = (name: string) => readFile(join(FIXTURES, name));

beforeAll(async () => {
  local = await startAws();
  process.env.AWS_ENDPOINT_URL = local.endpoint;
  s3 = new S3Client(client(local.endpoint));
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const [key, name] of [
    ['models/add.onnx', 'add.onnx'],
    ['folder/model.onnx', 'external/model.onnx'],
    ['folder/weights/w.bin', 'external/weights/w.bin'],
    ['absolute.onnx', 'malformed/external-absolute.onnx'],
  ] as const) {
    await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: await fixture(name) }));
  }
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  s3?.destroy();
  await local?.stop();
});

describe('an artifact on S3', () => {
  it.each(['folder/', 'folder/model.onnx'])(
    '%s comes with its weights, and is the same as on disk',
    async (key) => {
      const here = await readSource(modelOf('external'), service.context({ serviceDir: FIXTURES }));
      const there = await readSource(at(key), service.context({ aws }));
      expect(there.digest).toBe(here.digest);
      expect(there.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
    },
  );

  it('is downloaded once for each content', async () => {
    const said: string[] = [];
    const context = service.context({ aws, progress: (text) => text && said.push(text) });
    const first = await readSource(at('models/add.onnx'), context);
    const count = (await readdir(cacheFolder('s3'))).length;
    await readSource(at('models/add.onnx'), context);
    expect(said).toEqual(['Downloading s3://artifacts/models/add.onnx (1 MB)']);
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'models/add.onnx', Body: await fixture('logreg.onnx') }),
    );
    expect((await readSource(at('models/add.onnx'), context)).digest).not.toBe(first.digest);
    expect((await readdir(cacheFolder('s3'))).length).toBe(count + 1);
  });

  it('that is missing, forbidden or unsafe is a problem with a reason', async () => {
    const read = (key: string, bucket?: string) =>
      problemOf(readSource(at(key, bucket), service.context({ aws })));
    expect(await read('no.onnx')).toMatch(
      /s3:\/\/artifacts\/no\.onnx: S3 says NotFound.*MODELS_ARTIFACT_MISSING/,
    );
    expect(await read('no/')).toMatch(/Nothing is there/);
    expect(await read('x.onnx', 'no-such-bucket')).toMatch(/S3 says (NotFound|NoSuchBucket)/);
    expect(await read('absolute.onnx')).toMatch(/an absolute path/);
    expect(await problemOf(readSource(at('models/add.onnx'), service.context()))).toMatch(/needs AWS/);
  });
});

describe('files by content', () => {
  const listed = async (Prefix: string) =>
    ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key, Size }) => [
      Key,
      Size,
    ]);
  async function file(name: string, bytes: number) {
    const content = Buffer.alloc(bytes, name);
    const from = service.at(name);
    await writeFile(from, content);
    return { from, bytes, sha256: createHash('sha256').update(content).digest('hex') };
  }

  it('are put once, small ones whole and large ones in parts', async () => {
    const small = await file('small', 1000);
    const large = await file('large', 70 * 1024 ** 2 + 1);
    const said: string[] = [];
    const put = () => uploadFiles(aws, Bucket, 'files/', [small, large], (text) => text && said.push(text));
    await put();
    expect(await listed('files/')).toEqual(
      [small, large]
        .map(({ sha256, bytes }) => [`files/${sha256}`, bytes])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `files/${large.sha256}` }));
    const back = createHash('sha256').update((await Body?.transformToByteArray()) ?? '');
    expect(back.digest('hex')).toBe(large.sha256);
    expect(said.at(-1)).toMatch(/\(100 % of 73 MB\)/);
    said.length = 0;
    await put();
    expect(said).toEqual([]);
  });

  it('are never overwritten, and two deploys at once both succeed', async () => {
    const both = await file('both', 40 * 1024 ** 2);
    await Promise.all([
      uploadFiles(aws, Bucket, 'race/', [both], () => {}),
      uploadFiles(aws, Bucket, 'race/', [both], () => {}),
    ]);
    expect(await listed('race/')).toEqual([[`race/${both.sha256}`, both.bytes]]);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([]);
  });
});
