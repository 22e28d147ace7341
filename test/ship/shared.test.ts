import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import type { ShipContext } from '../../plugins/models/contracts/ship-context.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { sha256Of } from '../../plugins/models/disk/files.ts';
import { type Shared, share } from '../../plugins/models/ship/shared.ts';
import { type Shipped, shipModel } from '../../plugins/models/ship/ship.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const service = newService();
const aws = {
  region: 'us-east-1',
  credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
};
let local: LocalAws;
let s3: S3Client;
let machines = 0;

beforeAll(async () => {
  local = await startAws();
  process.env.AWS_ENDPOINT_URL = local.endpoint;
  s3 = new S3Client(client(local.endpoint));
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  s3?.destroy();
  await local?.stop();
});

/** From here on nothing is cached but ONNX Runtime. */
async function anotherMachine(): Promise<void> {
  const runtime = cacheFolder('onnxruntime');
  machines += 1;
  process.env.SERVERLESS_MODELS_CACHE = service.at(`cache-${machines}`);
  await mkdir(cacheFolder());
  await symlink(runtime, cacheFolder('onnxruntime'));
}

/** How late a busy machine may be, where only the end of waiting is looked at. */
const BUSY_MS = 30_000;

/** `madeAt`: when it began to optimise here, by `performance.now()`. */
type Packaged = Shipped & { readonly took: boolean; readonly made: boolean; readonly madeAt: number };

async function packaged(more: Partial<ShipContext>, model = modelOf('external')): Promise<Packaged> {
  const lines: string[] = [];
  let madeAt = Number.NaN;
  const progress = (text: string | undefined): void => {
    if (text?.startsWith('Optimising')) madeAt = performance.now();
    if (text) lines.push(text);
  };
  const context = service.context({ serviceDir: FIXTURES, aws, progress, ...more });
  const shipped = await shipModel(model, context);
  const took = lines.some((text) => text.startsWith('Taking optimised files'));
  return { ...shipped, took, made: !Number.isNaN(madeAt), madeAt };
}

const sharedOf = ({ optimised }: Shipped): readonly Shared[] => (optimised === undefined ? [] : [optimised]);
const keys = async (Bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);

it('what one machine optimised, another takes: the same bytes', async () => {
  const registry = 'shared';
  await s3.send(new CreateBucketCommand({ Bucket: registry }));
  const first = await packaged({ registry });
  expect(first).toMatchObject({ took: false, made: true });
  await share(aws, registry, sharedOf(first), () => {});
  await share(aws, registry, sharedOf(first), () => {});
  const files = first.optimised?.files.map(({ sha256 }) => `models/files/${sha256}`) ?? [];
  expect(await keys(registry)).toEqual([...files.sort(), `models/optimised/${first.optimised?.key}.json`]);
  const digest = await sha256Of(first.zip ?? '');

  await anotherMachine();
  const second = await packaged({ registry });
  expect(second).toMatchObject({ took: true, made: false });
  expect(second.facts.notices).toEqual(first.facts.notices);
  expect(await sha256Of(second.zip ?? '')).toBe(digest);
  expect(second.facts).toEqual(first.facts);
  // Both architectures have the same graph.
  const other = service.context({ serviceDir: FIXTURES, aws, registry });
  expect((await shipModel(modelOf('external', { architecture: 'arm64' }), other)).optimised).toEqual(
    second.optimised,
  );
});

it('what is signed is optimised here: nobody signed what others made of it', async () => {
  const registry = 'signed';
  const serviceDir = service.at('signed');
  await cp(join(FIXTURES, 'external'), join(serviceDir, 'external'), { recursive: true });
  await cp(join(FIXTURES, '..', 'signed', 'p256.sig'), join(serviceDir, 'external', 'model.sig'));
  await cp(join(FIXTURES, '..', 'signed', 'p256.pub'), join(serviceDir, 'ml.pub'));
  await writeFile(join(serviceDir, 'external', 'notes.txt'), 'Trained on what was there.\n');
  await s3.send(new CreateBucketCommand({ Bucket: registry }));
  await anotherMachine();
  const theirs = await packaged({ registry });
  await share(aws, registry, sharedOf(theirs), () => {});
  await anotherMachine();
  expect(await packaged({ registry })).toMatchObject({ took: true, made: false });
  // Neither from the bucket, nor what this machine took from there before.
  const signed = modelOf('external', { signed: { key: 'ml.pub' } });
  const own = await packaged({ registry, serviceDir }, signed);
  expect(own).toMatchObject({ took: false, made: true });
  expect(own.facts.identity).toBe(theirs.facts.identity);
  expect(own.facts.signedBy).toMatch(/^the key/);
  expect(await packaged({ registry, serviceDir }, signed)).toMatchObject({ took: false, made: false });
});

it('another model that lies there as the optimised form is not taken: it would be released as this one', async () => {
  const registry = 'exchanged';
  await s3.send(new CreateBucketCommand({ Bucket: registry }));
  await anotherMachine();
  const first = await packaged({}, modelOf('gbm.onnx'));
  const other = await packaged({}, modelOf('logreg.onnx'));
  expect(other.facts.signature).toEqual(first.facts.signature);
  const exchanged = { key: first.optimised?.key ?? '', files: other.optimised?.files ?? [] };
  await share(aws, registry, [exchanged], () => {});
  await anotherMachine();
  const second = await packaged({ registry }, modelOf('gbm.onnx'));
  expect(second).toMatchObject({ took: true, made: true });
  expect(second.facts.notices).toContainEqual(
    expect.stringContaining(`models/optimised/${exchanged.key}.json) does not answer as the artifact does`),
  );
  expect(second.optimised?.files.map(({ sha256 }) => sha256)).toEqual(
    first.optimised?.files.map(({ sha256 }) => sha256),
  );
});

it.each([
  ['the file has other bytes', 'file'],
  ['the index leads out of its folder', 'index'],
  ['the index is none', 'text'],
])('it is optimised here where %s', async (_, what) => {
  const registry = `tampered-${what}`;
  await s3.send(new CreateBucketCommand({ Bucket: registry }));
  await anotherMachine();
  const first = await packaged({ registry });
  await share(aws, registry, sharedOf(first), () => {});
  const [file] = first.optimised?.files ?? [];
  const listed = first.optimised?.files ?? [];
  const index = { schema: 1, files: [...listed, { ...file, path: '../out.onnx' }] };
  await s3.send(
    new PutObjectCommand({
      Bucket: registry,
      ...(what === 'file'
        ? { Key: `models/files/${file?.sha256}`, Body: Buffer.alloc(file?.bytes ?? 0) }
        : {
            Key: `models/optimised/${first.optimised?.key}.json`,
            Body: what === 'index' ? JSON.stringify(index) : 'none',
          }),
    }),
  );
  await anotherMachine();
  const second = await packaged({ registry });
  expect(second.made).toBe(true);
  expect(second.facts).toEqual(first.facts);
});

it.each([
  ['does not exist', aws.credentials],
  ['has no credentials', () => Promise.reject(new Error('none'))],
  ['waits for credentials', () => new Promise<never>(() => {})],
])('a registry that %s costs two seconds at most, once', async (name, credentials) => {
  const asked: number[] = [];
  const told = () => {
    asked.push(performance.now());
    return credentials();
  };
  const context = { registry: name.replaceAll(' ', '-'), aws: { ...aws, credentials: told } };
  await anotherMachine();
  const first = await packaged(context);
  expect(first.made).toBe(true);
  const [began = 0] = asked;
  const times = asked.length;
  expect(first.madeAt - began).toBeLessThan(2000 + BUSY_MS);
  await anotherMachine();
  expect(await packaged(context)).toMatchObject({ made: true });
  expect(asked.length).toBe(times);
});

it('nor does one that never answers', async () => {
  const asked: number[] = [];
  const silence = createServer(() => void asked.push(performance.now()));
  await new Promise<void>((resolve) => silence.listen(0, '127.0.0.1', resolve));
  const address = silence.address();
  const endpoint = process.env.AWS_ENDPOINT_URL;
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  try {
    await anotherMachine();
    const began = performance.now();
    const first = await packaged({ registry: 'silent' });
    expect(first.made).toBe(true);
    expect(first.madeAt - began).toBeGreaterThan(1900);
    expect(first.madeAt - began).toBeLessThan(2000 + BUSY_MS);
    // None where two seconds were over before the question was sent.
    const times = asked.length;
    expect(times).toBeLessThanOrEqual(1);
    await anotherMachine();
    expect(await packaged({ registry: 'silent' })).toMatchObject({ made: true });
    expect(asked).toHaveLength(times);
  } finally {
    process.env.AWS_ENDPOINT_URL = endpoint;
    silence.close();
  }
});
