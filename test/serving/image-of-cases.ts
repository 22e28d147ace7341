/** Packaged models as images: what `sls models image --output` writes, unpacked from there. */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { fetchBase } from '../../plugins/models/ship/oci/base.ts';
import { type BaseImage, imageOf } from '../../plugins/models/ship/oci/image.ts';
import { writeLayout } from '../../plugins/models/ship/oci/layout.ts';
import { imageParts } from '../../plugins/models/ship/oci/parts.ts';
import type { Shipped } from '../../plugins/models/ship/ship.ts';
import { imageRegistry, sha256 } from '../fakes/image-registry.ts';
import { hostBase, pushBase } from '../image-base.ts';
import { blobIn, type ImageConfig, type ImageLayer, imageIn } from '../image-run.ts';

const run = promisify(execFile);

const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x86_64';
const TAG = 'latest';
const progress = (): void => {};

/** An image as a container is started from it. */
export type UnpackedImage = { readonly root: string; readonly config: ImageConfig };

/** Makes the image of a model, writes it, and unpacks it. */
export type ImageRoom = (model: Model, shipped: Shipped) => Promise<UnpackedImage>;

/** @param folder for images and what is unpacked; what is packed lies in the cache, as always */
export function imageRoom(folder: string, base: BaseImage): ImageRoom {
  const layout = join(folder, 'layout');
  const below = new Map<string, string>();
  let made = 0;

  /** Layers that many have are unpacked once. */
  const lowerOf = async (layers: readonly ImageLayer[]): Promise<string> => {
    const key = layers.map(({ diffId }) => diffId).join();
    const known = below.get(key);
    if (known !== undefined) return known;
    const to = join(folder, `lower-${below.size}`);
    await mkdir(to);
    for (const layer of layers) await lay(layout, layer, to);
    below.set(key, to);
    return to;
  };

  return async (model, shipped) => {
    const names = { service: 'cases', page: '', progress };
    const parts = await imageParts({ ...model, architecture: ARCHITECTURE }, shipped, names);
    const image = imageOf({ base, layers: parts.layers, config: parts.configOf(base.node.path) });
    await writeLayout(image, layout, TAG, '--output');
    const { config, layers } = await imageIn(layout);
    const lower = await lowerOf(layers.slice(0, -1));
    const root = join(folder, `root-${++made}`);
    await run('cp', ['-al', lower, root]);
    for (const layer of layers.slice(-1)) await lay(layout, layer, root);
    if (made === 1) await asUmociDoes(layout, root, join(folder, 'umoci'));
    return { root, config };
  };
}

/** A base of this machine’s Node, fetched as every base is. */
export async function baseHere(): Promise<BaseImage> {
  const registry = await imageRegistry();
  try {
    const base = await hostBase();
    await pushBase(registry.url, 'node', base);
    return await fetchBase({
      declared: `${registry.host}/node@${base.manifest.digest}`,
      architecture: ARCHITECTURE,
      key: '--base',
      aws: { region: 'us-east-1' },
      progress,
    });
  } finally {
    await registry.stop();
  }
}

/** Unpacks a layer over what is there. @throws where it is another than it is named */
async function lay(layout: string, { digest, diffId }: ImageLayer, root: string): Promise<void> {
  const packed = await readFile(blobIn(layout, digest));
  const found = [sha256(packed), sha256(gunzipSync(packed))];
  if (found[0] !== digest || found[1] !== diffId)
    throw new Error(`A layer is ${found.join(' of ')}, and should be ${digest} of ${diffId}`);
  await run('tar', ['-xzf', blobIn(layout, digest), '-C', root]);
}

/** What is unpacked here is what a program of others unpacks. */
async function asUmociDoes(layout: string, root: string, bundle: string): Promise<void> {
  await run('umoci', ['unpack', '--rootless', '--image', `${layout}:${TAG}`, bundle]);
  await run('diff', ['-r', '--no-dereference', root, join(bundle, 'rootfs')]);
}
