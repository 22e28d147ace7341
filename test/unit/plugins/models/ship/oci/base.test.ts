import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { baseReference, fetchBase } from '../../../../../../plugins/models/ship/oci/base.ts';
import { REGISTRY_LIMITS } from '../../../../../../plugins/models/ship/oci/exchange.ts';
import { type ImageRegistry, imageRegistry, sha256 } from '../../../../../fakes/image-registry.ts';
import { type Entry, tarOf } from '../../../../../fakes/tar.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const limits = { ...REGISTRY_LIMITS, pause: 1, attempts: 2 };
const NODE = Buffer.from('…\0node.js/v24.21.0Protocol-Version\0');

let folder = '';
let server: ImageRegistry;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
let count = 0;
beforeEach(async () => {
  vi.stubEnv('SERVERLESS_MODELS_CACHE', join(folder, String(++count)));
  vi.stubEnv('DOCKER_CONFIG', join(folder, 'nobody'));
  server = await imageRegistry();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

/** @returns digest of what is there then */
function put(type: string, document: object): string {
  const bytes = Buffer.from(JSON.stringify(document));
  server.manifests.set(`node ${sha256(bytes)}`, { type, bytes });
  return sha256(bytes);
}

function putBlob(bytes: Buffer): { digest: string; size: number } {
  server.blobs.set(`node ${sha256(bytes)}`, bytes);
  return { digest: sha256(bytes), size: bytes.length };
}

/** An image of these layers, each packed. */
function putImage(
  layers: readonly Buffer[],
  { config = {}, env = ['PATH=/usr/local/bin:/usr/bin'] }: { config?: object; env?: string[] } = {},
): string {
  const diffIds = layers.map((_, index) => `sha256:${String(index).repeat(64)}`);
  const text = JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: { Env: env },
    rootfs: { type: 'layers', diff_ids: diffIds },
    ...config,
  });
  return put(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...putBlob(Buffer.from(text)) },
    layers: layers.map((bytes) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      ...putBlob(bytes),
    })),
  });
}

const layer = (...entries: readonly Entry[]): Buffer => gzipSync(tarOf(entries));
const node = (path: string, content: Uint8Array = NODE): Entry => ({ path, content });

const fetched = (digest: string, more: object = {}) =>
  fetchBase({
    declared: `${server.host}/node@${digest}`,
    architecture: 'x86_64',
    key: 'models.m.image.base',
    aws: { region: 'eu-central-1' },
    progress: () => {},
    limits,
    ...more,
  });

it('brings a base once, with all that is in it', async () => {
  const digest = putImage([layer(node('usr/local/bin/node')), layer({ path: 'etc/', type: '5' })]);
  const base = await fetched(digest);
  expect(base).toMatchObject({
    reference: `${server.host}/node@${digest}`,
    digest,
    node: { path: '/usr/local/bin/node', version: '24.21.0' },
    config: { architecture: 'amd64', config: { Env: ['PATH=/usr/local/bin:/usr/bin'] } },
  });
  expect(base.manifest.layers).toHaveLength(2);
  for (const { digest: blob } of base.manifest.layers)
    expect(sha256(await readFile(base.file(blob)))).toBe(blob);
  const { length } = server.asked;
  expect(await fetched(digest)).toMatchObject({ digest });
  expect(server.asked).toHaveLength(length);
});

it.each([
  ['packed by gzip', gzipSync],
  ['packed by zstd', zstdCompressSync],
  ['not packed', (tar: Buffer) => tar],
])(
  'takes a base with a layer that has nothing in it, as a step that changes no file makes it: %s',
  async (_, pack) => {
    const empty = pack(Buffer.alloc(1024));
    const digest = putImage([empty, layer(node('usr/local/bin/node')), empty]);
    expect((await fetched(digest)).node.version).toBe('24.21.0');
  },
);

it.each([
  ['gzip', (tar: Buffer) => gzipSync(tar, { level: 9 })],
  ['zstd', zstdCompressSync],
])('takes a base with a layer of zeros, which %s packs a thousand times smaller', async (_, pack) => {
  const zeros = { path: 'var/log/lastlog', content: Buffer.alloc(32 * 1024 * 1024) };
  const packed = pack(tarOf([zeros, node('usr/local/bin/node')]));
  expect(zeros.content.length / packed.length).toBeGreaterThan(1000);
  expect((await fetched(putImage([packed]))).node.version).toBe('24.21.0');
});

it.each<[string, Entry[][], boolean]>([
  ['a folder', [[{ path: 'opt/', type: '5' }]], true],
  ['a link', [[{ path: 'opt', type: '2', link: 'var/opt' }]], true],
  ['none', [[{ path: 'etc/', type: '5' }]], false],
  ['one that a later layer takes away', [[{ path: 'opt/', type: '5' }], [{ path: '.wh.opt' }]], false],
])('knows of a base whether it has /opt: %s', async (_, layers, hasOpt) => {
  const digest = putImage([layer(node('usr/bin/node')), ...layers.map((entries) => layer(...entries))]);
  expect((await fetched(digest)).node).toEqual({ path: '/usr/bin/node', version: '24.21.0', hasOpt });
});

describe('Node is found', () => {
  const link = (path: string, to: string): Entry => ({ path, type: '2', link: to });
  it.each<[string, Buffer[], string[] | undefined, string]>([
    ['where Lambda’s image has it', [layer(node('var/lang/bin/node'))], ['PATH=/bin'], '/var/lang/bin/node'],
    ['without a PATH', [layer(node('nodejs/bin/node'))], [], '/nodejs/bin/node'],
    [
      'by the first of the PATH',
      [layer(node('a/node'), node('usr/bin/node'))],
      ['PATH=/b:/a:/usr/bin'],
      '/a/node',
    ],
    [
      'through links',
      [layer(link('bin', 'usr/bin'), node('opt/n/node'), link('usr/bin/node', '../../opt/n/node'))],
      ['PATH=/bin'],
      '/bin/node',
    ],
    [
      'through a link to the root',
      [layer(link('usr/bin/node', '/opt/n/node'), node('./opt/n/node'))],
      undefined,
      '/usr/bin/node',
    ],
    [
      'as a hard link',
      [layer(node('opt/n'), { path: 'usr/bin/node', type: '1', link: 'opt/n' })],
      undefined,
      '/usr/bin/node',
    ],
    ['in a layer by zstd', [zstdCompressSync(tarOf([node('usr/bin/node')]))], undefined, '/usr/bin/node'],
    ['in a layer that nobody packed', [tarOf([node('usr/bin/node')])], undefined, '/usr/bin/node'],
    [
      'where an older one was taken away',
      [
        layer(node('usr/local/bin/node', Buffer.from('node.js/v18.0.0'))),
        layer({ path: 'usr/local/bin/.wh.node' }, node('usr/bin/node')),
      ],
      undefined,
      '/usr/bin/node',
    ],
    [
      'where a folder was emptied',
      [
        layer(node('usr/local/bin/node', Buffer.from('node.js/v18.0.0'))),
        layer({ path: 'usr/local/.wh..wh..opq' }, node('usr/bin/node')),
      ],
      undefined,
      '/usr/bin/node',
    ],
    [
      'where a newer one lies over an older',
      [layer(node('usr/bin/node', Buffer.from('node.js/v18.0.0'))), layer(node('usr/bin/node'))],
      undefined,
      '/usr/bin/node',
    ],
  ])('%s', async (_, layers, env, path) => {
    const base = await fetched(putImage(layers, env && { env }));
    expect(base.node.path).toBe(path);
  });
});

it('a layer may take away thousands of files, which are found at once', async () => {
  const paths = Array.from({ length: 20_000 }, (_, at) => `usr/lib/packages/${at % 100}/${at}.js`);
  const gone = paths.filter((_, at) => at % 2 === 1).map((path) => path.replace(/(\d+\.js)$/, '.wh.$1'));
  const digest = putImage([
    layer(node('usr/bin/node'), ...paths.map((path) => ({ path }))),
    layer(...gone.map((path) => ({ path }))),
  ]);
  const before = process.cpuUsage();
  expect((await fetched(digest)).node.path).toBe('/usr/bin/node');
  // Where each was held against all it took a minute; a busy machine takes no more of a processor.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(20);
});

it('a version is read whole, wherever a piece of the layer ends', async () => {
  // Files are read in pieces of 64 KiB, and a file begins behind 512 bytes of the archive.
  for (const cut of ['node.js/v24.21.1', 'node.js/v24.21.12', 'node.js/v24.2', 'node.js/v24.21.']) {
    const content = Buffer.from(`${'\0'.repeat(65_536 - 512 - cut.length)}node.js/v24.21.12\0`);
    const base = await fetched(putImage([tarOf([node('usr/bin/node', content)])]));
    expect(base.node.version).toBe('24.21.12');
  }
});

it.each([
  ['x86_64', '2472f0273d8848d8b2aa6528f5526b8a514b70703596199efe5a4b84d3d59b0b'],
  ['arm64', '104527dd19c1907b4aaf328b5b3af1ac0c5db6bb9c76be8cb73fb295ec58b0fe'],
] as const)('AWS’s own is the base where none is declared: %s', (architecture, digits) => {
  expect(baseReference({ declared: undefined, architecture, key: 'models.m.image.base' })).toMatchObject({
    host: 'public.ecr.aws',
    repository: 'lambda/nodejs',
    digest: `sha256:${digits}`,
  });
});

describe('a base is refused', () => {
  const good = () => [layer(node('usr/bin/node'))];
  const refusal = (message: RegExp) => ({
    problems: [{ code: 'MODELS_IMAGE_BASE', key: 'models.m.image.base' }],
    message: expect.stringMatching(message),
  });

  it('where it is no reference', async () => {
    await expect(fetched('', { declared: 'exa mple/x' })).rejects.toMatchObject(
      refusal(/exa mple\/x has the repository/),
    );
  });

  it('where a password may be in it, which is not shown', async () => {
    const refused = fetched('', { declared: 'user:s3cretpw@host' });
    await expect(refused).rejects.toMatchObject(refusal(/: …@host has a digest that is not sha256/));
    await expect(refused).rejects.toMatchObject({ problems: [{ value: '…@host' }] });
    await expect(refused).rejects.not.toThrow(/s3cretpw/);
  });

  it('where no host has its name', async () => {
    const declared = `example.com:99999/a@sha256:${'a'.repeat(64)}`;
    await expect(fetched('', { declared })).rejects.toMatchObject(
      refusal(/has the host "example\.com:99999", which is none/),
    );
  });

  it('where it is a tag, with what to write', async () => {
    const digest = putImage(good());
    const manifest = server.manifests.get(`node ${digest}`);
    if (manifest !== undefined) server.manifests.set('node 24', manifest);
    const declared = `${server.host}/node:24`;
    await expect(fetched('', { declared })).rejects.toMatchObject(
      refusal(
        new RegExp(`is a tag, which .* Write .models.m.image.base: ${server.host}/node@${digest}.: that is`),
      ),
    );
    await server.stop();
    await expect(fetched('', { declared })).rejects.toMatchObject(
      refusal(
        /is a tag, which .*`docker buildx imagetools inspect 127.*was asked for it, too, and the registry cannot be reached: ECONN/,
      ),
    );
    server = await imageRegistry();
  });

  it('in a declaration, with the command that looks it up', () => {
    const declared = 'public.ecr.aws/lambda/nodejs:24';
    expect(() => baseReference({ declared, architecture: 'arm64', key: 'models.m.image.base' })).toThrow(
      /Write `models\.m\.image\.base: public.*`sls models image --base public\.ecr\.aws\/lambda\/nodejs:24` looks it up/,
    );
  });

  it('with commands that tell the digest, and the option as it is written', () => {
    const ask = (declared: string) => () => baseReference({ declared, architecture: 'arm64', key: '--base' });
    expect(ask('public.ecr.aws/lambda/nodejs:24')).toThrow(
      /Write `--base public\.ecr\.aws\/lambda\/nodejs@sha256:…`, with .*`crane digest --platform linux\/arm64 public\.ecr\.aws\/lambda\/nodejs:24` prints it; `docker buildx imagetools inspect public\.ecr\.aws\/lambda\/nodejs:24` and `skopeo inspect --raw docker:\/\/public\.ecr\.aws\/lambda\/nodejs:24` list it/,
    );
    expect(ask('node')).toThrow(/crane digest --platform linux\/arm64 docker\.io\/library\/node:latest`/);
    expect(ask('example.com/node@sha256:…')).toThrow(/all 64 digits/);
    expect(ask('me:word@example.com/node:24')).toThrow(
      /^--base: …@example\.com\/node:24 has somebody’s name/,
    );
  });

  it('where it is an index, with the image in it', async () => {
    const inside = putImage(good());
    const platform = { os: 'linux', architecture: 'amd64' };
    const index = put(INDEX, {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { digest: sha256(Buffer.from('x')), platform: { os: 'linux', architecture: 'arm64' } },
        { digest: inside, platform },
      ],
    });
    await expect(fetched(index)).rejects.toMatchObject(
      refusal(new RegExp(`is an index of several images.* Write .${server.host}/node@${inside}.`)),
    );
    const empty = put(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: [] });
    await expect(fetched(empty)).rejects.toMatchObject(refusal(/It has none for linux\/amd64/));
  });

  it.each([
    ['schema 1', 'application/vnd.docker.distribution.manifest.v1+json', { schemaVersion: 1 }],
    [
      'a document without layers',
      MANIFEST,
      { schemaVersion: 2, config: { mediaType: 'x', digest: 'sha256:1', size: 1 } },
    ],
    [
      'a path for a digest',
      MANIFEST,
      { schemaVersion: 2, config: { mediaType: 'x', digest: '../x', size: 1 }, layers: [] },
    ],
  ])('where it is %s', async (_, type, document) => {
    await expect(fetched(put(type, document))).rejects.toMatchObject(
      refusal(/is no image: its media type is/),
    );
  });

  it('where it is not there', async () => {
    await expect(fetched(sha256(Buffer.from('no')))).rejects.toMatchObject(
      refusal(/cannot be fetched: the registry knows no such thing \(404\).* Name a repository and a digest/),
    );
  });

  it('where it is for another architecture or system', async () => {
    for (const config of [{ architecture: 'arm64' }, { os: 'windows' }])
      await expect(fetched(putImage(good(), { config }))).rejects.toMatchObject(
        refusal(/is for (linux\/arm64|windows\/amd64), and the model for linux\/amd64/),
      );
  });

  it('where its configuration is another image’s', async () => {
    const config = { rootfs: { type: 'layers', diff_ids: [] } };
    await expect(fetched(putImage(good(), { config }))).rejects.toMatchObject(
      refusal(/does not fit its layers/),
    );
  });

  it.each<[string, Entry[], RegExp]>([
    ['no node', [node('usr/bin/nodejs')], /has no node in \/usr\/local\/bin, \/usr\/bin, \/var\/lang\/bin/],
    ['a folder of that name', [{ path: 'usr/bin/node/', type: '5' }], /has no node in/],
    ['links in a circle', [{ path: 'usr/bin/node', type: '2', link: 'node' }], /has no node in/],
    [
      'another Node',
      [node('usr/bin/node', Buffer.from('node.js/v22.1.0'))],
      /has Node.js 22.1.0 at \/usr\/bin\/node, and the host is made for 24/,
    ],
    [
      'a script in its place',
      [node('usr/bin/node', Buffer.from('#!/bin/sh'))],
      /whose version cannot be read/,
    ],
    ['musl', [node('usr/bin/node'), { path: 'lib/ld-musl-x86_64.so.1' }], /is built on musl/],
  ])('where it has %s', async (_, entries, why) => {
    await expect(fetched(putImage([layer(...entries)]))).rejects.toMatchObject(refusal(why));
  });

  it('where a layer is no archive', async () => {
    await expect(fetched(putImage([Buffer.from('no archive')]))).rejects.toMatchObject(
      refusal(/has a layer that cannot be read/),
    );
    await expect(fetched(putImage([good()[0]?.subarray(0, 60) ?? Buffer.alloc(0)]))).rejects.toMatchObject(
      refusal(/has a layer that cannot be read/),
    );
  });

  it('where a layer is not what the manifest says, and nothing of it is kept', async () => {
    const [bytes = Buffer.alloc(0)] = good();
    const digest = putImage([bytes]);
    server.blobs.set(`node ${sha256(bytes)}`, Buffer.alloc(bytes.length));
    await expect(fetched(digest)).rejects.toMatchObject(
      refusal(/sends a blob for sha256:\w+ whose digest is/),
    );
    server.blobs.set(`node ${sha256(bytes)}`, bytes);
    expect(await fetched(digest)).toMatchObject({ digest });
  });
});
