import { expect, it } from 'vitest';
import type { ImageConfig, ImageManifest } from '../../../../../../plugins/models/ship/oci/documents.ts';
import {
  digestOfBytes,
  imageOf,
  type NamedLayer,
  type OwnConfig,
} from '../../../../../../plugins/models/ship/oci/image.ts';
import { imageIdentity } from '../../../../../../plugins/models/ship/oci/parts.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

const CONFIG: ImageConfig = {
  created: '2026-01-02T03:04:05Z',
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  config: {
    User: 'nobody',
    Env: ['PATH=/var/lang/bin:/bin', 'LAMBDA_TASK_ROOT=/var/task'],
    Entrypoint: ['/lambda-entrypoint.sh'],
    Cmd: ['app.handler'],
    Healthcheck: { Test: ['CMD', 'true'] },
    StopSignal: 'SIGQUIT',
    Labels: { theirs: 'yes', both: 'theirs' },
  },
  rootfs: { type: 'layers', diff_ids: [digest('a')] },
  history: [{ created_by: 'them' }, { empty_layer: true }],
};
const MANIFEST: ImageManifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: digest('c'), size: 3 },
  layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: digest('b'), size: 5 }],
};
const LAYER: NamedLayer = {
  name: 'model churn',
  diffId: digest('d'),
  digest: digest('e'),
  size: 7,
  file: '/cache/e',
};
const OWN: OwnConfig = {
  env: { LAMBDA_TASK_ROOT: '/opt/x', MODELS_HOST: '/opt/x/host.json' },
  entrypoint: ['/var/lang/bin/node', '/opt/x/host.mjs'],
  workdir: '/',
  port: 8080,
  labels: { both: 'ours' },
};
const base = { manifest: MANIFEST, config: CONFIG, file: (name: string) => `/cache/${name}` };
const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

it('keeps what the base has and puts ours over it, without what would act in our place', () => {
  const image = imageOf({ base, layers: [LAYER], config: OWN });
  expect(parse(image.config.bytes)).toEqual({
    created: '2026-01-02T03:04:05Z',
    architecture: 'arm64',
    variant: 'v8',
    os: 'linux',
    config: {
      Env: ['PATH=/var/lang/bin:/bin', 'LAMBDA_TASK_ROOT=/opt/x', 'MODELS_HOST=/opt/x/host.json'],
      Entrypoint: ['/var/lang/bin/node', '/opt/x/host.mjs'],
      WorkingDir: '/',
      ExposedPorts: { '8080/tcp': {} },
      Labels: { theirs: 'yes', both: 'ours' },
    },
    rootfs: { type: 'layers', diff_ids: [digest('a'), digest('d')] },
    history: [
      { created_by: 'them' },
      { empty_layer: true },
      { created: '2026-01-02T03:04:05Z', created_by: 'serverless-models: model churn' },
    ],
  });
});

it('names every blob by what it is, in the family of the base', () => {
  const image = imageOf({ base, layers: [LAYER], config: OWN });
  const config = {
    mediaType: 'application/vnd.docker.container.image.v1+json',
    digest: digestOfBytes(image.config.bytes),
    size: image.config.bytes.length,
  };
  const layers = [
    MANIFEST.layers[0],
    { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: digest('e'), size: 7 },
  ];
  expect(image.manifest.mediaType).toBe(MANIFEST.mediaType);
  expect(image.manifest.digest).toBe(digestOfBytes(image.manifest.bytes));
  expect(parse(image.manifest.bytes)).toEqual({ ...MANIFEST, config, layers });
  expect(image.blobs).toEqual([
    { ...layers[0], from: { file: `/cache/${digest('b')}` } },
    { ...layers[1], from: { file: '/cache/e' } },
    { ...config, from: { bytes: image.config.bytes } },
  ]);
});

it('makes an image of OCI over a base of OCI, which need not say its media type or any date', () => {
  const { created: _created, history: _history, ...bare } = CONFIG;
  const { mediaType: _mediaType, ...manifest } = MANIFEST;
  const image = imageOf({ base: { ...base, config: bare, manifest }, layers: [LAYER], config: OWN });
  expect(image.manifest.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
  expect(parse(image.manifest.bytes)).toMatchObject({
    config: { mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [{}, { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' }],
  });
  expect(parse(image.config.bytes)).toMatchObject({ created: '1970-01-01T00:00:00Z' });
  expect(parse(image.config.bytes)).not.toHaveProperty('history');
});

it('is known by base, unpacked layers and what starts them, not by how they are packed', () => {
  const parts = { layers: [LAYER], configOf: () => OWN };
  const identity = imageIdentity(digest('f'), parts);
  expect(identity).toMatch(/^[0-9a-f]{64}$/);
  const repacked = { ...LAYER, digest: digest('0'), size: 1 };
  expect(imageIdentity(digest('f'), { ...parts, layers: [repacked] })).toBe(identity);
  expect(imageIdentity(digest('1'), parts)).not.toBe(identity);
  expect(imageIdentity(digest('f'), { ...parts, layers: [{ ...LAYER, diffId: digest('2') }] })).not.toBe(
    identity,
  );
  expect(imageIdentity(digest('f'), { ...parts, configOf: () => ({ ...OWN, env: {} }) })).not.toBe(identity);
});

it('listens where it says, whatever port its base is for', () => {
  const envOf = (Env: readonly string[]) => {
    const config = { ...CONFIG, config: { ...CONFIG.config, Env } };
    const image = imageOf({ base: { ...base, config }, layers: [LAYER], config: OWN });
    return (parse(image.config.bytes) as ImageConfig).config?.Env;
  };
  expect(envOf(['PORT=3000', 'PATH=/bin', 'PORTAL=x'])).toEqual(envOf(['PATH=/bin', 'PORTAL=x']));
});

it('has a blob once that a manifest names several times', () => {
  const [layer] = MANIFEST.layers;
  const twice = layer === undefined ? [] : [layer, layer];
  const diffIds = [digest('a'), digest('a')];
  const image = imageOf({
    base: {
      ...base,
      manifest: { ...MANIFEST, layers: twice },
      config: { ...CONFIG, rootfs: { type: 'layers', diff_ids: diffIds } },
    },
    layers: [LAYER],
    config: OWN,
  });
  expect(image.blobs.map((blob) => blob.digest)).toEqual([digest('b'), digest('e'), image.config.digest]);
  expect(parse(image.manifest.bytes)).toMatchObject({ layers: [{}, {}, {}] });
});
