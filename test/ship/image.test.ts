import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readHostConfig } from '../../core/host/config.ts';
import { IMAGE_CONFIGS } from '../../core/host/contract.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { tarFiles } from '../../plugins/models/disk/tar.ts';
import { makeImage } from '../../plugins/models/images/made.ts';
import type { NamedLayer } from '../../plugins/models/ship/oci/image.ts';
import { imageParts } from '../../plugins/models/ship/oci/parts.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import { imageRegistry, sha256 } from '../fakes/image-registry.ts';
import { tarOf } from '../fakes/tar.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const service = newService();
let folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

async function partsOf(name = 'add.onnx', more: Parameters<typeof modelOf>[1] = {}) {
  const outDir = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  folders = [...folders, outDir];
  const model = modelOf(name, more);
  const shipped = await shipModel(model, service.context({ serviceDir: FIXTURES, outDir }));
  return imageParts(model, shipped, { service: 'shop', page: '/* page */', progress: () => {} });
}

/** @returns texts by path */
async function filesIn(layer: NamedLayer | undefined): Promise<Readonly<Record<string, string>>> {
  const tar = gunzipSync(await readFile(layer?.file ?? ''));
  const found: Record<string, string> = {};
  for await (const { path, body } of tarFiles(
    (async function* () {
      yield tar;
    })(),
  )) {
    let text = '';
    for await (const chunk of body) text += Buffer.from(chunk).toString('latin1');
    found[path] = text;
  }
  return found;
}

describe('the layers of a model’s image', () => {
  it('are the same of the same model, made again from nothing', async () => {
    const first = await partsOf();
    await rm(cacheFolder('image-layers'), { recursive: true });
    await rm(cacheFolder('zips'), { recursive: true });
    const second = await partsOf();
    expect(second.layers).toEqual(first.layers);
    expect(second.configOf('/node')).toEqual(first.configOf('/node'));
  });

  it('have what runs it, what serves it, and the model: each in its own', async () => {
    const { layers, configOf } = await partsOf();
    expect(layers.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^ONNX Runtime \d/),
      'host',
      'model churn',
    ]);
    const [runtime, host, model] = await Promise.all(layers.map(filesIn));
    expect(Object.keys(runtime ?? {})).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^opt\/serverless-models\/runtime\/node_modules\/onnxruntime-node\/.*\.node$/),
      ]),
    );
    expect(Object.keys(host ?? {})).toEqual(
      ['child.mjs', 'host.mjs'].map((name) => `opt/serverless-models/host/${name}`),
    );
    expect(Object.keys(model ?? {})).toEqual(
      ['handler.mjs', 'host.json', 'model/model.onnx'].map((name) => `opt/serverless-models/model/${name}`),
    );
    expect(configOf('/var/lang/bin/node')).toMatchObject({
      entrypoint: ['/var/lang/bin/node', '/opt/serverless-models/host/host.mjs'],
      env: { MODELS_HOST: '/opt/serverless-models/model/host.json' },
    });
    const config = readHostConfig(model?.[IMAGE_CONFIGS.infer.slice(1)] ?? '');
    expect(config).toMatchObject({
      port: 8080,
      catalog: { service: 'shop', groups: [{ path: '/', bare: 'churn' }] },
      models: [{ name: 'churn', handler: '/opt/serverless-models/model/handler.mjs', timeout: 10 }],
    });
    expect(config.address).toBeUndefined();
  });

  it('have a second configuration where batch runs by the same image', async () => {
    const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];
    const { models } = parseModels({ churn: { artifact: 'add.onnx', batch } });
    const { layers } = await partsOf('add.onnx', models[0]);
    const files = await filesIn(layers[2]);
    expect(readHostConfig(files[IMAGE_CONFIGS.batch.slice(1)] ?? '').models).toMatchObject([
      { handler: '/opt/serverless-models/model/batch.mjs' },
    ]);
  });

  it('are others only where the model is another', async () => {
    const [one, other] = [await partsOf('add.onnx'), await partsOf('logreg.onnx')];
    expect(other.layers.slice(0, 2)).toEqual(one.layers.slice(0, 2));
    expect(other.layers[2]?.diffId).not.toBe(one.layers[2]?.diffId);
  });
});

it('a whole image has the transform as a deploy loads it: with the variables of the provider', async () => {
  await service.write('labels/transform.ts', LABELLED);
  await cp(join(FIXTURES, 'add.onnx'), service.at('labels', 'model.onnx'));
  const registry = await imageRegistry();
  try {
    const program = { path: 'usr/bin/node', content: Buffer.from('\0node.js/v24.21.0\0') };
    const blob = (bytes: Buffer) => {
      registry.blobs.set(`node ${sha256(bytes)}`, bytes);
      return {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: sha256(bytes),
        size: bytes.length,
      };
    };
    const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: ['sha256:0'] } };
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: type,
        config: blob(Buffer.from(JSON.stringify(config))),
        layers: [blob(gzipSync(tarOf([program])))],
      }),
    );
    registry.manifests.set(`node ${sha256(manifest)}`, { type, bytes: manifest });
    const made = (forSageMaker: boolean) =>
      makeImage(
        modelOf('labels'),
        `${registry.host}/node@${sha256(manifest)}`,
        {
          aws: { region: 'us-east-1' },
          plan: { host: { provider: { environment: { LABEL: 'verdict' } } } },
          progress: () => {},
          service: { name: 'shop', dir: service.at() },
        },
        forSageMaker,
      );
    const { card, identity, image } = await made(false);
    expect(card.outputs.map(({ name }) => name)).toEqual(['verdict']);
    // It takes no manifest of OCI, and the image is the same otherwise.
    const other = await made(true);
    const [own, docker] = [image, other.image].map((one) => JSON.parse(`${Buffer.from(one.manifest.bytes)}`));
    expect([other.identity, other.image.config]).toEqual([identity, image.config]);
    expect([own.mediaType, docker.mediaType]).toEqual([
      type,
      'application/vnd.docker.distribution.manifest.v2+json',
    ]);
    type Layers = readonly { readonly digest: string; readonly mediaType: string }[];
    const [owns, dockers]: readonly Layers[] = [own.layers, docker.layers];
    expect(dockers?.map(({ digest }) => digest)).toEqual(owns?.map(({ digest }) => digest));
    expect(new Set(dockers?.map(({ mediaType }) => mediaType))).toEqual(
      new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
    );
  } finally {
    await registry.stop();
  }
});

/** Loads only where the variable is. */
const LABELLED = `if (process.env.LABEL === undefined) throw new Error('no label');
export const outputs = [{ name: process.env.LABEL, datatype: 'BYTES', shape: [1] }];
export const post = () => ({});
`;
