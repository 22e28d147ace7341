/** A base of this machine's own Node and its libraries: images on it run here, and need no network. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { sha256 } from './fakes/image-registry.ts';
import { type Entry, tarOf } from './fakes/tar.ts';

const run = promisify(execFile);

export type Base = {
  readonly manifest: { readonly bytes: Buffer; readonly digest: string; readonly type: string };
  /** Its configuration and its layer. */
  readonly blobs: readonly Buffer[];
};

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** @param tar of the root file system */
export function baseOf(tar: Buffer, env: readonly string[]): Base {
  const packed = gzipSync(tar, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: env },
      rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
      history: [{ created_by: 'a base for tests' }],
    }),
  );
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          digest: sha256(packed),
          size: packed.length,
        },
      ],
    }),
  );
  return { manifest: { bytes, digest: sha256(bytes), type: MANIFEST }, blobs: [config, packed] };
}

/** Puts a base where a registry keeps what it has. */
export async function pushBase(url: string, repository: string, { manifest, blobs }: Base): Promise<void> {
  const put = async (path: string, body: Buffer, type: string): Promise<void> => {
    const answer = await fetch(new URL(path, url), {
      method: 'PUT',
      body,
      headers: { 'content-type': type },
    });
    if (answer.status !== 201) throw new Error(`PUT ${path} answers ${answer.status}`);
  };
  for (const blob of blobs) {
    const started = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    const to = new URL(started.headers.get('location') ?? '', url);
    to.searchParams.set('digest', sha256(blob));
    await put(to.href, blob, 'application/octet-stream');
  }
  await put(`/v2/${repository}/manifests/${manifest.digest}`, manifest.bytes, manifest.type);
}

/** This very Node, what it loads, and what ONNX Runtime loads beside that: all by glibc. */
export async function hostBase(): Promise<Base> {
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(?:=>\s+)?(\/\S+)\s+\(0x/g)].map(([, path = '']) => path);
  const first = libraries.find((path) => /libc\.so/.test(path)) ?? '';
  const all = new Set([
    ...libraries,
    ...['librt.so.1', 'libgcc_s.so.1'].map((name) => `${dirname(first)}/${name}`),
  ]);
  const files: Entry[] = [
    { path: 'usr/local/bin/node', content: await readFile(process.execPath), executable: true },
  ];
  for (const path of all)
    files.push({ path: path.slice(1), content: await readFile(path), executable: true });
  for (const folder of ['tmp/', 'proc/', 'dev/', 'sys/', 'etc/'])
    files.push({ path: folder, type: '5', executable: true });
  return baseOf(tarOf(files), ['PATH=/usr/local/bin:/usr/bin:/bin']);
}
