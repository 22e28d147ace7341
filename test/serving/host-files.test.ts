/** Files that are not beside the handler: from a folder, and from a store that speaks S3 and is not AWS’s. */
import { createHash } from 'node:crypto';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RemoteFile } from '../../core/endpoint/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures, repository } from './endpoint.ts';
import { grpcClient } from './grpc.ts';
import { type Hosted, hostFolder } from './host.ts';

const Bucket = 'on-premises';
const Prefix = 'models/files/';

let aws: LocalAws;
let s3: S3Client;
let hosts: Awaited<ReturnType<typeof hostFolder>>;
/** The registry’s files, by their digests. */
let registry = '';
let remote: readonly RemoteFile[] = [];
/** Where a host puts them. */
let whole = '';
let known: { readonly inputs: readonly object[]; readonly outputs: readonly { readonly data: unknown }[] };

beforeAll(async () => {
  const answers = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  known = answers.models['external/model.onnx'];
  hosts = await hostFolder([{ name: 'external', path: 'external', workers: 2 }]);
  registry = await mkdtemp(join(tmpdir(), 'registry-'));
  remote = await takeOut(dirname(hosts.models[0]?.handler ?? ''));
  aws = await startAws();
  s3 = new S3Client(client(aws.endpoint));
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  s3?.destroy();
  await aws?.stop();
  await hosts?.remove();
  await rm(registry, { recursive: true, force: true });
});

/**
 * Takes the model’s files out of a packaged function, as if they were beyond a zip’s limit: the manifest,
 * which stands before the handler’s code, names them then.
 */
async function takeOut(dir: string): Promise<readonly RemoteFile[]> {
  const found = await readdir(join(dir, 'model'), { recursive: true, withFileTypes: true });
  const taken: RemoteFile[] = [];
  for (const file of found.filter((one) => one.isFile())) {
    const from = join(file.parentPath, file.name);
    const content = await readFile(from);
    const sha256 = createHash('sha256').update(content).digest('hex');
    taken.push({ path: from.slice(dir.length + 1), sha256, bytes: content.length });
    await rename(from, join(registry, sha256));
  }
  const handler = await readFile(join(dir, 'handler.mjs'), 'utf8');
  const named = handler.replace('"remote":[]', `"remote":${JSON.stringify(taken)}`);
  if (named === handler) throw new Error('The manifest was not found.');
  await writeFile(join(dir, 'handler.mjs'), named);
  const [, identity = ''] = /"identity":"(\w+)"/.exec(handler) ?? [];
  whole = join('/tmp', `model-${identity}`);
  return taken;
}

const start = (environment: Readonly<Record<string, string>>): Promise<Hosted> =>
  hosts.start({
    grpc: 0,
    models: hosts.models.map((model) => ({
      ...model,
      environment: { ...model.environment, ...environment },
    })),
  });

/** Has the host answer what is known, both ways. */
async function answers(environment: Readonly<Record<string, string>>): Promise<void> {
  const host = await start(environment);
  const calls = grpcClient(host.grpc);
  try {
    const http = await host.infer('external', JSON.stringify({ inputs: known.inputs }));
    expect(await http.json()).toMatchObject({ outputs: known.outputs });
    const { answer } = await calls.call('ModelInfer', {
      model_name: 'external',
      inputs: known.inputs.map(({ data, ...head }: { data?: unknown }) => ({
        ...head,
        contents: { fp32_contents: data },
      })),
    });
    expect(answer.outputs).toMatchObject([{ contents: { fp32_contents: known.outputs[0]?.data } }]);
  } finally {
    calls.close();
    await host.stop();
  }
}

/** @returns its reason for not starting */
const refused = (environment: Readonly<Record<string, string>>): Promise<string> =>
  start(environment).then(
    async (host) => {
      await host.stop();
      return 'It started.';
    },
    (error: Error) => error.message,
  );

const first = (): RemoteFile => {
  const [file] = remote;
  if (file === undefined) throw new Error('The model has no files.');
  return file;
};

// Again while a process of a host that was killed writes there yet: it ends within half a second.
afterEach(() => rm(whole, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

describe('a folder', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mounted-'));
    for (const { sha256 } of remote) await copyFile(join(registry, sha256), join(folder, sha256));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has all that the host needs, by digest; it goes before a bucket', async () => {
    expect(remote.length).toBeGreaterThan(0);
    await answers({ MODELS_FILES_FOLDER: folder, MODELS_FILES_BUCKET: 'nobody', MODELS_FILES_PREFIX: 'x/' });
  });

  it('may be read by two hosts that start at once and share /tmp', async () => {
    const both = [1, 2].map(() => answers({ MODELS_FILES_FOLDER: folder }));
    await Promise.all(both);
    const left = await readdir(whole, { recursive: true, withFileTypes: true });
    expect(left.filter((one) => one.isFile()).map(({ name }) => name)).not.toContainEqual(
      expect.stringMatching(/\.part$/),
    );
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['is missing', (path) => rm(path), /the file is not there: .*Mount the folder, and copy the file there/],
    ['was cut off', (path) => truncate(path, 5), /it has 5 bytes instead of \d+\. Copy it there again/],
    [
      'is another',
      (path) => writeFile(path, Buffer.alloc(first().bytes)),
      /its sha256 differs\. Copy it there again/,
    ],
    ['is a folder', async (path) => rm(path).then(() => mkdir(path)), /it is no file: /],
  ])('whose file %s keeps the host from starting, and says what to do', async (_, change, reason) => {
    await change(join(folder, first().sha256));
    const text = await refused({ MODELS_FILES_FOLDER: folder });
    expect(text).toMatch(/ended with 1: /);
    expect(text).toContain(`MODELS_FILES_FOLDER (${folder})`);
    expect(text).toContain(first().sha256);
    expect(text).toMatch(reason);
    // And once it is as it should be, it starts.
    await rm(join(folder, first().sha256), { recursive: true, force: true });
    await copyFile(join(registry, first().sha256), join(folder, first().sha256));
    await answers({ MODELS_FILES_FOLDER: folder });
  });
});

describe('a store that is not AWS’s', () => {
  const key = (file: RemoteFile): string => `${Prefix}${file.sha256}`;
  /** By a name: a client that puts the bucket’s before it would ask a host that nobody has. */
  const environment = (): Record<string, string> => ({
    ...aws.env,
    AWS_ENDPOINT_URL_S3: aws.endpoint.replace('127.0.0.1', 'localhost'),
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    MODELS_FILES_BUCKET: Bucket,
    MODELS_FILES_PREFIX: Prefix,
    NODE_PATH: [hosts.models[0]?.environment?.NODE_PATH, join(repository, 'node_modules')].join(delimiter),
  });
  beforeEach(async () => {
    for (const file of remote)
      await s3.send(
        new PutObjectCommand({ Bucket, Key: key(file), Body: await readFile(join(registry, file.sha256)) }),
      );
  });

  it('has them as AWS’s has', async () => {
    await answers(environment());
  });

  it.each<[string, (file: RemoteFile) => Promise<unknown>, RegExp]>([
    [
      'is missing',
      (file) => s3.send(new DeleteObjectCommand({ Bucket, Key: key(file) })),
      /cannot be read: NoSuchKey: .*Put it there: deploy, or copy it from the registry; MODELS_FILES_PREFIX/,
    ],
    [
      'was cut off',
      (file) => s3.send(new PutObjectCommand({ Bucket, Key: key(file), Body: 'short' })),
      /it has 5 bytes instead of \d+\. Put it there again/,
    ],
    [
      'is another',
      (file) => s3.send(new PutObjectCommand({ Bucket, Key: key(file), Body: Buffer.alloc(file.bytes) })),
      /its sha256 differs\. Put it there again/,
    ],
  ])('whose file %s keeps the host from starting, and says what to do', async (_, change, reason) => {
    await change(first());
    const text = await refused(environment());
    expect(text).toContain(`MODELS_FILES_BUCKET (${Bucket})`);
    expect(text).toContain(first().sha256);
    expect(text).toMatch(reason);
  });

  it('that has no such bucket, or is not there, is named', async () => {
    expect(await refused({ ...environment(), MODELS_FILES_BUCKET: 'nobody' })).toMatch(
      /MODELS_FILES_BUCKET \(nobody\): s3:\/\/nobody\/models\/files\/\w+ cannot be read: NoSuchBucket: .*Name the bucket of the registry/,
    );
    const { AWS_ENDPOINT_URL_S3: _, ...elsewhere } = environment();
    expect(await refused(elsewhere)).toMatch(/cannot be read: .*Check the bucket, AWS_ENDPOINT_URL_S3/);
  });
});
