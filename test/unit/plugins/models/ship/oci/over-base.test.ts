import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Parser } from 'tar';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ImageManifest } from '../../../../../../plugins/models/ship/oci/documents.ts';
import {
  baseForSageMaker,
  layersOver,
  mustHaveDockerLayers,
} from '../../../../../../plugins/models/ship/oci/over-base.ts';
import { sha256 } from '../../../../../fakes/image-registry.ts';

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  vi.stubEnv('SERVERLESS_MODELS_CACHE', cache);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const ours = [{ name: 'host', diffId: 'sha256:1', digest: 'sha256:2', size: 3, file: '/layer' }];
const node = (hasOpt: boolean) => ({ node: { path: '/usr/bin/node', version: '24.1.2', hasOpt } });

// https://github.com/bazel-contrib/tar.bzl/issues/76
describe('the folder that our files lie in', () => {
  it('is the base’s', async () => {
    expect(await layersOver(node(true), ours)).toEqual(ours);
  });

  it('lies below them where the base has none: Lambda refuses what has no folder', async () => {
    const [folder, ...rest] = await layersOver(node(false), ours);
    expect(rest).toEqual(ours);
    const tar = gunzipSync(await readFile(folder?.file ?? ''));
    expect(folder).toMatchObject({ name: 'folder', diffId: sha256(tar) });
    const entries: unknown[] = [];
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        entries.push([entry.path, entry.type, entry.mode, entry.uid, entry.gid]);
        entry.resume();
      },
    });
    parser.end(tar);
    expect(entries).toEqual([['opt/', 'Directory', 0o755, 0, 0]]);
    expect(await layersOver(node(false), ours)).toEqual([folder, ...ours]);
  });
});

describe('a base that Lambda takes', () => {
  const [oci, docker] = ['application/vnd.oci.image', 'application/vnd.docker'];
  const asked = (mediaType: string, ...types: readonly string[]) => {
    const layer = (type: string) => ({ mediaType: type, digest: 'sha256:1', size: 1 });
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType,
      config: layer('config'),
      layers: types.map(layer),
    };
    return () =>
      mustHaveDockerLayers(
        { reference: 'example.com/node@sha256:1', manifest },
        'models.m.image.base',
        'Lambda',
      );
  };
  const manifest = `${docker}.distribution.manifest.v2+json`;

  it('has the layers of its own specification', () => {
    expect(asked(manifest, `${docker}.image.rootfs.diff.tar.gzip`)).not.toThrow();
    expect(asked(`${oci}.manifest.v1+json`, `${oci}.layer.v1.tar`, `${oci}.layer.v1.tar+gzip`)).not.toThrow();
  });

  // https://github.com/aspect-build/rules_aws/pull/145
  it.each(['tar', 'tar.zstd'])('has none that Docker’s does not know: %s', (end) => {
    const type = `${docker}.image.rootfs.diff.${end}`;
    expect(asked(manifest, `${docker}.image.rootfs.diff.tar.gzip`, type)).toThrow(
      `models.m.image.base: example.com/node@sha256:1 has a layer of the media type ${type}, which a manifest of Docker’s does not have`,
    );
  });
});

// https://github.com/aws/amazon-sagemaker-feedback/issues/180
describe('a base for SageMaker, which takes no manifest of OCI', () => {
  const [oci, docker] = ['application/vnd.oci.image', 'application/vnd.docker'];
  const layer = (mediaType: string) => ({ mediaType, digest: 'sha256:1', size: 1 });
  const of = (mediaType: string | undefined, ...types: readonly string[]) => {
    const manifest: ImageManifest = {
      schemaVersion: 2,
      ...(mediaType !== undefined && { mediaType }),
      config: layer('config'),
      layers: types.map(layer),
    };
    return baseForSageMaker({ reference: 'example.com/node@sha256:1', manifest }, '--base').manifest;
  };
  const gzip = `${docker}.image.rootfs.diff.tar.gzip`;
  const manifest = `${docker}.distribution.manifest.v2+json`;

  it.each([`${oci}.manifest.v1+json`, undefined, manifest])('is one of Docker’s: %s', (type) => {
    const layers = type === manifest ? [gzip, gzip] : Array(2).fill(`${oci}.layer.v1.tar+gzip`);
    expect(of(type, ...layers)).toEqual({
      schemaVersion: 2,
      mediaType: manifest,
      config: layer('config'),
      layers: [layer(gzip), layer(gzip)],
    });
  });

  it.each(['tar', 'tar+zstd'])('has no layer that Docker’s does not know: %s', (end) => {
    expect(() => of(`${oci}.manifest.v1+json`, `${oci}.layer.v1.${end}`)).toThrow(
      `--base: example.com/node@sha256:1 has a layer of the media type ${oci}.layer.v1.${end}, which a manifest of Docker’s does not have: SageMaker takes no such image.`,
    );
  });
});
