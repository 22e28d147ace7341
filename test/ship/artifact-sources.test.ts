/**
 * The contract of the seam `ArtifactSource`: what each one in the list holds to, so that reading may ask any
 * of them.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fetchObjects, resolveObjects } from '../../plugins/models/artifact/fetch/s3.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import { ARTIFACT_SOURCES } from '../../plugins/models/artifact/sources/sources.ts';
import type {
  ResolvedArtifact,
  SourceContext,
} from '../../plugins/models/contracts/sources/artifact-source.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { type FakeHub, fakeHub } from '../fakes/hub.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import { type FakeSageMaker, fakeSageMaker } from '../fakes/sagemaker.ts';
import { tarOf } from '../fakes/tar.ts';
import { FIXTURES, newService } from './setup.ts';

/** What the contract needs of a source: a place to put files, and how they are called there. */
type Scene = {
  readonly put: (path: string, content: Uint8Array) => Promise<void>;
  /** @param path of a file */
  readonly reference: (path: string) => string;
  /** @param path of a folder, with a `/` at its end; absent where its artifacts are files */
  readonly folder?: (path: string) => string;
};

const service = newService();
let local: LocalAws;
let s3: S3Client;
let mlflow: FakeMlflow;
let hub: FakeHub;
let packages: FakeSageMaker;
beforeAll(async () => {
  mlflow = await fakeMlflow();
  hub = await fakeHub('org/repo', COMMIT);
  packages = await fakeSageMaker();
  process.env.AWS_ENDPOINT_URL_SAGEMAKER = packages.address;
  process.env.MLFLOW_TRACKING_URI = mlflow.address;
  process.env.HF_ENDPOINT = hub.address;
  local = await startAws();
  process.env.AWS_ENDPOINT_URL = local.endpoint;
  s3 = new S3Client(client(local.endpoint));
  await s3.send(new CreateBucketCommand({ Bucket: 'artifacts' }));
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  delete process.env.MLFLOW_TRACKING_URI;
  delete process.env.HF_ENDPOINT;
  delete process.env.AWS_ENDPOINT_URL_SAGEMAKER;
  await mlflow?.stop();
  await hub?.stop();
  await packages?.stop();
  s3?.destroy();
  await local?.stop();
});

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

const SCENES: Readonly<Record<string, Scene>> = {
  file: {
    put: async (path, content) => {
      await mkdir(dirname(service.at(path)), { recursive: true });
      await writeFile(service.at(path), content);
    },
    reference: (path) => path,
    folder: (path) => path,
  },
  s3: {
    put: async (path, content) =>
      void (await s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key: path, Body: content }))),
    reference: (path) => `s3://artifacts/${path}`,
    folder: (path) => `s3://artifacts/${path}`,
  },
  models: {
    put: async (path, content) => {
      const [name = '', ...rest] = path.split('/');
      const file = rest.join('/') || name;
      const files = logged.get(name) ?? {};
      const graph = file.endsWith('.onnx') ? { MLmodel: mlmodelOf(file) } : {};
      logged.set(name, { ...files, ...graph, [file]: content });
      if (Object.keys(files).length === 0) mlflow.register(name, {});
      mlflow.overwrite(name, '1', logged.get(name) ?? {});
    },
    reference: (path) => `models:/${path.split('/')[0]}/1`,
  },
  sagemaker: {
    put: async (path, content) => {
      const [group = '', ...rest] = path.split('/');
      const files = { ...trained.get(group), [rest.join('/') || group]: content };
      if (!trained.has(group))
        packages.register(group, { ModelDataUrl: `s3://artifacts/${group}/model.tar.gz` });
      trained.set(group, files);
      const entries = Object.entries(files).map(([name, bytes]) => ({ path: name, content: bytes }));
      await SCENES.s3?.put(`${group}/model.tar.gz`, gzipSync(tarOf(entries)));
    },
    reference: (path) => `sagemaker:${path.split('/')[0]}@approved`,
  },
  hf: {
    put: async (path, content) => hub.put(path, content),
    reference: (path) => `hf://org/repo@${COMMIT}/${path}`,
  },
};
/** Files of models that are in MLflow, by name. */
const logged = new Map<string, Readonly<Record<string, Uint8Array>>>();
/** Files of model data that SageMaker's registry has, by group. */
const trained = new Map<string, Readonly<Record<string, Uint8Array>>>();

const lines: string[] = [];
const context = (): SourceContext => ({
  key: 'models.churn.artifact',
  serviceDir: service.at(),
  progress: (text) => text && lines.push(text),
  aws: {
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
  },
});
const fixture = (name: string): Promise<Buffer> => readFile(join(FIXTURES, name));

it('every source of the list has a scene here', () => {
  expect(Object.keys(SCENES).sort()).toEqual(ARTIFACT_SOURCES.map(({ scheme }) => scheme).sort());
});

describe.each(ARTIFACT_SOURCES.map((source) => [source.scheme, source] as const))('%s', (scheme, source) => {
  const { put, reference, folder: folderReference } = SCENES[scheme] as Scene;
  const none = (): readonly string[] => [];
  /** The folder of files that an artifact of several files is. */
  async function putFolder(name: string): Promise<void> {
    await put(`${name}/model.onnx`, await fixture('external/model.onnx'));
    await put(`${name}/weights/w.bin`, await fixture('external/weights/w.bin'));
  }
  const read = (written: string) => readArtifact(written, context(), () => {});

  it('resolves a file to plain data, which can be kept and fetched later', async () => {
    const bytes = await fixture('add.onnx');
    await put('one/add.onnx', bytes);
    const resolved = await source.resolve(reference('one/add.onnx'), context());
    expect(resolved).toMatchObject({
      reference: reference('one/add.onnx'),
      isFolder: false,
      files: [{ path: 'add.onnx', bytes: bytes.length }],
    });
    const kept: ResolvedArtifact = JSON.parse(JSON.stringify(resolved));
    expect(kept).toEqual(resolved);
    const { path } = await source.fetch(kept, none, context());
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('brings a folder, with its main file among what was resolved, or has none', async () => {
    await putFolder('folder');
    const resolved = await source.resolve(
      folderReference?.('folder/') ?? reference('folder/model.onnx'),
      context(),
    );
    expect(resolved.isFolder).toBe(folderReference !== undefined);
    expect(resolved.files.map(({ path }) => path)).toContain('model.onnx');
    const { path } = await source.fetch(resolved, () => ['weights/w.bin'], context());
    const weights = await readFile(join(resolved.isFolder ? path : dirname(path), 'weights', 'w.bin'));
    expect(weights.equals(await fixture('external/weights/w.bin'))).toBe(true);
  });

  it('brings what a file needs beside it', async () => {
    await putFolder('beside');
    const resolved = await source.resolve(reference('beside/model.onnx'), context());
    lines.length = 0;
    const { path } = await source.fetch(resolved, () => ['weights/w.bin'], context());
    // The graph, which had to be read for that, is not downloaded once more.
    const brought = lines.map((line) => /^Downloading \S*?([\w.]+) /.exec(line)?.[1]);
    // An archive of SageMaker's is unpacked as a whole when it is resolved.
    const isThere = scheme === 'file' || scheme === 'sagemaker';
    expect(brought).toEqual(isThere ? [] : ['model.onnx', 'w.bin']);
    const weights = await readFile(join(dirname(path), 'weights', 'w.bin'));
    expect(weights.equals(await fixture('external/weights/w.bin'))).toBe(true);
  });

  it('lies in the cache where it says so, and is not brought twice', async () => {
    await putFolder('twice');
    const resolved = await source.resolve(reference('twice/model.onnx'), context());
    const first = await source.fetch(resolved, none, context());
    expect(first.isOurs).toBe(first.path.startsWith(cacheFolder()));
    lines.length = 0;
    expect(await source.fetch(resolved, none, context())).toEqual(first);
    expect(lines).toEqual([]);
  });

  it('fetches what was resolved, or nothing; or leaves the copy to who reads it', async () => {
    await put('moving/a.onnx', await fixture('add.onnx'));
    const resolved = await source.resolve(reference('moving/a.onnx'), context());
    await put('moving/a.onnx', await fixture('logreg.onnx'));
    const fetched = await source.fetch(resolved, none, context()).catch((error: unknown) => error);
    if (resolved.files.some(({ version }) => version === undefined))
      expect(fetched).toMatchObject({ isOurs: false });
    else if (isProblemError(fetched)) expect(fetched.code).toBe('MODELS_ARTIFACT_MISSING');
    // It was fetched already when it was resolved.
    else
      expect((await readFile((fetched as { path: string }).path)).equals(await fixture('add.onnx'))).toBe(
        true,
      );
  });

  it('says of what is not there where it was looked for', async () => {
    const error: unknown = await source
      .resolve(reference('nowhere/none.onnx'), context())
      .catch((reason: unknown) => reason);
    if (!isProblemError(error)) throw error;
    expect(error.problems).toMatchObject([
      {
        code: 'MODELS_ARTIFACT_MISSING',
        key: 'models.churn.artifact',
        value: reference('nowhere/none.onnx'),
        message: expect.stringMatching(/\.$/),
        fix: expect.stringMatching(/\.$/),
      },
    ]);
  });

  it('leads to one digest for one content, as a file, as a folder, and wherever it comes from', async () => {
    await putFolder('same');
    const file = await read(reference('same/model.onnx'));
    const folder = await read(folderReference?.('same/') ?? reference('same/model.onnx'));
    // sha256 over lines of a file’s sha256 and its path: part of every identity that is deployed.
    const digest = '191f463a4eb1d6f9c5446d69200457445dc51d748fb2379920113d893d8dfbd0';
    expect([file.digest, folder.digest]).toEqual([digest, digest]);
    expect(file.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
    for (const { from } of [...file.files, ...folder.files])
      expect(from.startsWith(cacheFolder())).toBe(true);
    expect([file.folder, folder.folder !== undefined]).toEqual([undefined, folderReference !== undefined]);
  });
});

it('an object of S3 and the folder above its own are kept apart in the cache', async () => {
  await SCENES.s3?.put('above/data/model.onnx', await fixture('add.onnx'));
  const bring = async (reference: string, key: string): Promise<string> => {
    const place = { bucket: 'artifacts', key };
    const resolved = await resolveObjects(reference, place, context());
    return (await fetchObjects(resolved, place, () => [], context())).path;
  };
  const folder = await bring('s3://artifacts/above/', 'above/');
  const file = await bring('s3://artifacts/above/data/model.onnx', 'above/data/model.onnx');
  for (const path of [join(folder, 'data', 'model.onnx'), file])
    expect((await readFile(path)).equals(await fixture('add.onnx'))).toBe(true);
});

it('artifacts of MLflow that lie in S3 are read there, with the caller’s credentials', async () => {
  mlflow.register('bucketed', {});
  mlflow.elsewhere('bucketed', '1', 's3://artifacts/1/models/m-1/artifacts');
  for (const [name, content] of [
    ['MLmodel', mlmodelOf('model.onnx')],
    ['model.onnx', await fixture('external/model.onnx')],
    ['weights/w.bin', await fixture('external/weights/w.bin')],
    ['input_example.json', Buffer.from('{}')],
  ] as const)
    await SCENES.s3?.put(`1/models/m-1/artifacts/${name}`, content);
  const { files, origin, folder, digest } = await readArtifact('models:/bucketed/1', context(), () => {});
  expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  expect([origin?.name, folder]).toEqual(['bucketed', undefined]);
  // A graph below a folder has its weights beside it.
  mlflow.register('nested', {});
  mlflow.elsewhere('nested', '1', 's3://artifacts/1/models/m-2/artifacts');
  for (const [name, content] of [
    ['MLmodel', mlmodelOf('data/model.onnx')],
    ['data/model.onnx', await fixture('external/model.onnx')],
    ['data/weights/w.bin', await fixture('external/weights/w.bin')],
  ] as const)
    await SCENES.s3?.put(`1/models/m-2/artifacts/${name}`, content);
  const nested = await readArtifact('models:/nested/1', context(), () => {});
  expect(nested.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  expect(nested.digest).toBe(digest);
  const reads = (): Promise<unknown> => readArtifact('models:/bucketed/1', context(), () => {}).catch(String);
  mlflow.elsewhere('bucketed', '1', 'gs://artifacts/1');
  expect(await reads()).toContain('keeps version 1 at gs:, which is not read from here');
  // MLflow's own client would ask another store for it than is asked here.
  mlflow.elsewhere('bucketed', '1', 's3://artifacts/1/models/m-1/artifacts');
  try {
    process.env.MLFLOW_S3_ENDPOINT_URL = 'http://name:secret@minio:9000/';
    const refused = await reads();
    expect(refused).toContain('in the store http://minio:9000 that MLFLOW_S3_ENDPOINT_URL names');
    expect(refused).not.toContain('secret');
    for (const same of [`${local.endpoint}/`, 'https://s3.eu-central-1.amazonaws.com']) {
      process.env.MLFLOW_S3_ENDPOINT_URL = same;
      expect(await reads()).toMatchObject({ digest });
    }
  } finally {
    delete process.env.MLFLOW_S3_ENDPOINT_URL;
  }
});
